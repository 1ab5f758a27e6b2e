# shellcheck shell=bash
# The network that every cell uses, the two ends of a cell's pseudowire, and what both have counted. To be sourced.
#
#   ns0 veth01 ── veth10 ns1 veth12 ══ veth21 ns2 br0 veth23 ── veth32 ns3
#   host          ours                        the kernel's           host
#
# The network is built once, its underlay with addresses of both families; a cell makes and removes the pseudowire.
# Hosts know each other's hardware addresses and say nothing unasked, so that every frame is one that a check has sent,
# and counters can be compared to the last frame.

readonly namespaces=(ns0 ns1 ns2 ns3)
readonly host0=192.0.1.100 host3=192.0.1.103 host0_v6=2001:db8::100 host3_v6=2001:db8::103
readonly host0_mac=02:00:00:00:00:10 host3_mac=02:00:00:00:00:13
declare -Ar outer1=([v4]=192.0.2.21 [v6]=2001:db8:1::21)
declare -Ar outer2=([v4]=192.0.2.22 [v6]=2001:db8:1::22)
# On the kernel's end, but not the peer.
declare -Ar stranger=([v4]=192.0.2.99 [v6]=2001:db8:1::99)
readonly our_session=1012 kernel_session=1021
# By length in octets: what our end sends, and what it expects.
declare -Ar cookie_out=([4]=01234567 [8]=0123456789abcdef)
declare -Ar cookie_in=([4]=89abcdef [8]=fedcba9876543210)
# What an underlay MTU of 1500 leaves for the inner IP packet: with a sublayer and no cookie.
declare -Ar inner_mtu=([v4-udp]=1446 [v4-ip]=1458 [v6-udp]=1426 [v6-ip]=1438)

build_network() {
    local namespace
    for namespace in "${namespaces[@]}"; do
        ip netns add "$namespace"
        ip netns exec "$namespace" sysctl -qw net.ipv6.conf.default.accept_dad=0
    done
    ip -n ns1 -batch - <<END
link set lo up
link add veth12 type veth peer name veth21 netns ns2
link set veth12 addrgenmode none up
address add ${outer1[v4]}/24 dev veth12
address add ${outer1[v6]}/64 dev veth12
END
    ip -n ns2 -batch - <<END
link set lo up
link set veth21 addrgenmode none up
address add ${outer2[v4]}/24 dev veth21
address add ${outer2[v6]}/64 dev veth21
address add ${stranger[v4]}/24 dev veth21
address add ${stranger[v6]}/64 dev veth21
END
    for namespace in ns1 ns2; do
        ip netns exec "$namespace" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    done
    ip -n ns1 link add veth10 up type veth peer name veth01 netns ns0
    ip -n ns2 -batch - <<END
link add veth23 type veth peer name veth32 netns ns3
link add br0 type bridge
link set veth23 master br0 up
link set br0 up
END
    # One more pseudowire, so that the programs need not be loaded anew for each cell.
    ip -n ns1 link add keep0 type veth peer name keep1
    "$pwctl" create keep --netns ns1 --access keep0 --local "${outer1[v4]}" --peer "${outer2[v4]}" --session-id 1 \
        --peer-session-id 1
    build_host ns0 veth01 "$host0_mac" "$host0" "$host0_v6" "$host3_mac" "$host3" "$host3_v6"
    build_host ns3 veth32 "$host3_mac" "$host3" "$host3_v6" "$host0_mac" "$host0" "$host0_v6"
}

build_host() {
    local netns=$1 link=$2 mac=$3 v4=$4 v6=$5 other_mac=$6 other_v4=$7 other_v6=$8
    ip -n "$netns" -batch - <<END
link set lo up
link set $link address $mac addrgenmode none up
address add $v4/24 dev $link
address add $v6/64 dev $link
neighbour add $other_v4 lladdr $other_mac dev $link nud permanent
neighbour add $other_v6 lladdr $other_mac dev $link nud permanent
END
}

# Usage: build_kernel_end [SESSION_OPTION]...   with the tunnel's options in `tunnel_options`
# The cookies are named from the kernel's point of view: `cookie` is what it sends.
build_kernel_end() {
    local addresses="local ${outer2[$family]} remote ${outer1[$family]}" ports=
    [[ $encapsulation == ip ]] || ports="udp_sport 1701 udp_dport 1701"
    ip -n ns2 -batch - <<END || return
l2tp add tunnel tunnel_id 21 peer_tunnel_id 12 encap $encapsulation $addresses $ports $tunnel_options
l2tp add session name l2tpeth0 tunnel_id 21 session_id $kernel_session peer_session_id $our_session $*
link set l2tpeth0 master br0 up
END
    # What the kernel has made of the underlay's MTU. A host behind it must not send more: the bridge would drop it.
    [[ $(ip -n ns2 link show dev l2tpeth0) =~ mtu\ ([0-9]+) ]] || return
    kernel_mtu=${BASH_REMATCH[1]}
}

# Usage: build_our_end [OPTION]...
build_our_end() { build_pseudowire pw0 "$our_session" "$kernel_session" "$@"; }

# Usage: build_pseudowire NAME SESSION PEER_SESSION [OPTION]...   `made` names those that a cell has made
build_pseudowire() {
    local ports=()
    [[ $encapsulation == ip ]] || ports=(--local-port 1701 --peer-port 1701)
    "$pwctl" create "$1" --netns ns1 --encap "$encapsulation" --access veth10 --local "${outer1[$family]}" \
        --peer "${outer2[$family]}" --session-id "$2" --peer-session-id "$3" "${ports[@]}" "${@:4}" || return
    made+=("$1")
}
made=()

# Usage: build_ends "KERNEL SESSION OPTIONS" [OUR_OPTION]...
build_ends() {
    local session_options=$1
    shift
    # Ours first: what the kernel's end has to say when it comes up shall be heard.
    {
        # shellcheck disable=SC2086
        build_our_end "$@" && build_kernel_end $session_options &&
            ip -n ns3 link set veth32 mtu "$kernel_mtu"
    } >"$scratch/build" 2>&1 || { result "$cell.create" fail "$(tr '\n' ' ' <"$scratch/build")"; return 1; }
}

# For cells in which no host shall know already how much fits.
forget_paths() {
    local namespace
    for namespace in ns0 ns3; do
        ip -n "$namespace" route flush cache
        ip -n "$namespace" -6 route flush cache
    done
}

remove_ends() {
    local rest=""
    if ((${#made[@]} > 0)); then
        "$pwctl" delete "${made[@]}" --netns ns1 >"$scratch/remove" 2>&1 || rest=$(tr '\n' ' ' <"$scratch/remove")
        made=()
    fi
    ip -n ns2 l2tp del tunnel tunnel_id 21 2>/dev/null || true
    # The kernel closes a tunnel's socket a moment after the tunnel has gone, and only then the port is free.
    for _ in {1..20}; do
        [[ $(ip netns exec ns2 cat /proc/net/udp /proc/net/udp6 /proc/net/l2tp 2>/dev/null) == *:06A5* ]] || break
        sleep 0.1
    done
    [[ ! $rest ]] || result "$cell.remove" fail "$rest"
}

# Sets `ours`: counters by their names in JSON, drops with `drop.` before their names, mtu, state, sentence.
read_ours() {
    local key value name=${1:-pw0}
    ours=() drop_reasons=()
    while read -r key value; do
        ours[$key]=$value
        [[ $key != drop.* ]] || drop_reasons+=("${key#drop.}")
    done < <("$pwctl" show "$name" --json --netns ns1 | jq -r '
        .statistics.drops as $drops | .statistics + {mtu} + .health | del(.drops)
        + ($drops | with_entries(.key |= "drop." + .))
        | to_entries[] | "\(.key) \(.value)"')
}

# Usage: read_link NETNS LINK   sets `link`: rx-octets rx-frames tx-octets tx-frames
read_link() {
    local lines line index
    link=()
    mapfile -t lines < <(ip -n "$1" -s link show dev "$2")
    for index in "${!lines[@]}"; do
        read -r -a line <<<"${lines[index + 1]:-}"
        case ${lines[index]} in
            *RX:*) link[rx-octets]=${line[0]} link[rx-frames]=${line[1]} ;;
            *TX:*) link[tx-octets]=${line[0]} link[tx-frames]=${line[1]} ;;
        esac
    done
}
declare -A ours=() link=()
drop_reasons=()

# What our end has noticed, as text: `reason count, reason count`, in the alphabet's order. Without `unreachable`, which
# is said of frames that a host sent before the other end was there: whoever counts frames has to count those.
our_drops() {
    local key text=""
    for key in "${drop_reasons[@]}"; do
        [[ $key != unreachable ]] || continue
        text+="$key ${ours[drop.$key]}, "
    done
    echo "${text%, }"
}
