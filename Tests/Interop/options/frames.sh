# shellcheck shell=bash
# Cells about what our end does to a customer's frames: TCP's segment size, VLAN tags. To be sourced.

# Usage: clamp_cell   both hosts believe that 1500 octets fit, and nothing tells the one behind the kernel's end
clamp_cell() {
    build_ends "" || return 0
    ip -n ns3 link set veth32 mtu 1500
    forget_paths
    at_once check_tcp "$cell.tcp4-out" ns0 ns3 "$host3" 5001 , check_tcp "$cell.tcp6-in" ns3 ns0 "$host0_v6" 5002 ,
    at_once check_tcp "$cell.tcp4-in" ns3 ns0 "$host0" 5003 , check_tcp "$cell.tcp6-out" ns0 ns3 "$host3_v6" 5004 ,
    check_fits "$cell.fits"
}

# Usage: check_fits ID   none of a host's frames was too large: no segment ever had to be sent again, smaller
check_fits() {
    local drops
    read_ours
    drops=$(our_drops)
    if [[ ! $drops ]]; then
        result "$1" pass "nothing dropped"
    else
        result "$1" fail "$drops"
    fi
}

# Usage: stall_cell   the same path with nobody's help; that it is too narrow is what makes clamp_cell worth something
stall_cell() {
    local got sender first=100
    build_ends "" --mss-clamp off --icmp off || return 0
    ip -n ns3 link set veth32 mtu 1500
    # A little gets through, or it would prove no more than that there is no connection.
    {
        head -c "$first" "$scratch/payload"
        sleep 1
        cat "$scratch/payload"
    } 2>/dev/null |
        ip netns exec ns3 timeout 5 socat -u STDIN "TCP4:$host0:5005,retry=20,interval=0.1" 2>"$scratch/sender" &
    sender=$!
    got=$(ip netns exec ns0 timeout 4 socat -u TCP4-LISTEN:5005,reuseaddr STDOUT 2>"$scratch/receiver" | wc -c || true)
    wait "$sender" || true
    expect_count "$cell.tcp4-in" "$got octets" "$first octets"
}

# Usage: path_cell   the underlay takes less from one moment to the next, and then as much as before
path_cell() {
    local mtu=${inner_mtu[$family-$encapsulation]}
    build_ends "" || return 0
    forget_paths
    set_underlay_mtu 1400
    at_once check_too_big "$cell.lower4" ns0 "$host3" $((1500 - 28)) $((mtu - 100)) , \
        check_too_big "$cell.lower6" ns0 "$host3_v6" $((1500 - 48)) $((mtu - 100)) ,
    at_once check_tcp "$cell.tcp4-in" ns3 ns0 "$host0" 5001 , check_tcp "$cell.tcp6-out" ns0 ns3 "$host3_v6" 5002 ,
    set_underlay_mtu 1500
    forget_paths
    at_once check_too_big "$cell.raised4" ns0 "$host3" $((1500 - 28)) "$mtu" , \
        check_too_big "$cell.raised6" ns0 "$host3_v6" $((1500 - 48)) "$mtu" ,
}

set_underlay_mtu() {
    ip -n ns1 link set veth12 mtu "$1"
    ip -n ns2 link set veth21 mtu "$1"
}

# Usage: add_vlan NETNS NAME ID ADDRESS LOWER_LINK [PROTOCOL]
add_vlan() {
    local netns=$1 name=$2 id=$3 address=$4 lower=$5 protocol=${6:-802.1Q}
    ip -n "$netns" -batch - <<END
link add link $lower name $name type vlan proto $protocol id $id
link set $name mtu 1400 up
address add $address/24 dev $name
END
}

remove_vlans() {
    local netns line
    for netns in ns0 ns3; do
        while read -r _ line _; do
            line=${line%:}
            ip -n "$netns" link delete "${line%@*}" 2>/dev/null || true
        done < <(ip -n "$netns" -o link show type vlan)
    done
}

# Usage: tagged_cell NEAR_ID FAR_ID [OUR_OPTION]...
# Host ns0 tags with NEAR_ID, host ns3 with FAR_ID (0: not at all).
tagged_cell() {
    local near=$1 far=$2
    build_ends "" "${@:3}" || return 0
    add_vlan ns0 near "$near" 198.51.100.10 veth01
    if ((far > 0)); then
        add_vlan ns3 far "$far" 198.51.100.13 veth32
    else
        ip -n ns3 address add 198.51.100.13/24 dev veth32
    fi
    check_tagged
    ip -n ns3 address delete 198.51.100.13/24 dev veth32 2>/dev/null || true
    remove_vlans
}

check_tagged() {
    at_once check_ping "$cell.ping-56-out" ns0 198.51.100.13 56 , \
        check_ping "$cell.ping-56-in" ns3 198.51.100.10 56 , \
        check_ping "$cell.ping-1300-out" ns0 198.51.100.13 1300 , \
        check_ping "$cell.ping-1300-in" ns3 198.51.100.10 1300 ,
    at_once check_tcp "$cell.tcp-out" ns0 ns3 198.51.100.13 5001 , check_tcp "$cell.tcp-in" ns3 ns0 198.51.100.10 5002 ,
}

# Usage: service_cell   a tag within a tag crosses a pseudowire that carries a whole port
service_cell() {
    build_ends "" || return 0
    add_vlan ns0 service 5 203.0.113.10 veth01 802.1ad
    add_vlan ns3 service 5 203.0.113.13 veth32 802.1ad
    add_vlan ns0 near 10 198.51.100.10 service
    add_vlan ns3 far 10 198.51.100.13 service
    check_tagged
    remove_vlans
}

# Usage: selected_cell   of one port, one VLAN and what is untagged go different ways, and another VLAN nowhere
selected_cell() {
    build_ends "" --vlan 10 --vlan-tag strip || return 0
    ip -n ns2 -batch - <<END
l2tp add session name l2tpeth1 tunnel_id 21 session_id $((kernel_session + 1)) peer_session_id $((our_session + 1))
address add 203.0.113.13/24 dev l2tpeth1
link set l2tpeth1 up
END
    build_pseudowire pw1 $((our_session + 1)) $((kernel_session + 1)) --vlan none >"$scratch/build" 2>&1 ||
        { result "$cell.create" fail "$(tr '\n' ' ' <"$scratch/build")"; return 0; }
    add_vlan ns0 near 10 198.51.100.10 veth01
    add_vlan ns0 other 30 192.0.3.10 veth01
    ip -n ns0 address add 203.0.113.10/24 dev veth01
    ip -n ns3 address add 198.51.100.13/24 dev veth32
    add_vlan ns3 other 30 192.0.3.13 veth32
    at_once check_ping "$cell.tagged" ns0 198.51.100.13 56 , check_ping "$cell.untagged" ns0 203.0.113.13 56 , \
        check_silence "$cell.other" ns0 192.0.3.13 ,
    ip -n ns0 address delete 203.0.113.10/24 dev veth01
    ip -n ns3 address delete 198.51.100.13/24 dev veth32
    remove_vlans
}

# Usage: stripped_cell   both ends ours, each with a tag of its own that the other one does not see
stripped_cell() {
    local ports=()
    [[ $encapsulation == ip ]] || ports=(--local-port 1701 --peer-port 1701)
    {
        ip -n ns2 link set veth23 nomaster &&
            build_our_end --vlan 10 --vlan-tag strip &&
            "$pwctl" create pw0 --netns ns2 --encap "$encapsulation" --access veth23 --local "${outer2[$family]}" \
                --peer "${outer1[$family]}" --session-id "$kernel_session" --peer-session-id "$our_session" \
                --vlan 20 --vlan-tag strip "${ports[@]}"
    } >"$scratch/build" 2>&1 || result "$cell.create" fail "$(tr '\n' ' ' <"$scratch/build")"
    add_vlan ns0 near 10 198.51.100.10 veth01
    add_vlan ns3 far 20 198.51.100.13 veth32
    check_tagged
    remove_vlans
    "$pwctl" teardown --netns ns2 >"$scratch/remove" 2>&1 || result "$cell.remove" fail "$(<"$scratch/remove")"
    ip -n ns2 link set veth23 master br0
}
