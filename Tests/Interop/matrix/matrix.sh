#!/bin/bash
# Usage: matrix.sh PWCTL [CELL_FILTER]
#
# Both ends of a pseudowire, each once by the kernel's own l2tp_eth and once by PWCTL, over IPv4 and IPv6, in UDP and
# directly in IP: 16 cells. Needs a kernel that has l2tp_eth: to be run in the guest of ../guest/run.sh. CELL_FILTER is
# an extended regular expression; the cells whose name it matches are run, e.g. `kernel-kernel` or `^S5\.|v6-ip.ours`.
#
#   ns0 veth01 ── veth10 ns1 veth12 ══ veth21 ns2 veth23 ── veth32 ns3
#   host          end of the pseudowire              end          host
#
# Nothing is primed: no forwarding sysctl, no earlier ping that fills a neighbour cache, default offloads everywhere.

set -euo pipefail

readonly pwctl=${1:?usage: matrix.sh PWCTL [CELL_FILTER]}
readonly filter=${2:-.}
scratch=$(mktemp -d /run/pwi-matrix.XXXXXX)
readonly scratch
# shellcheck source=../lib/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib/checks.sh"
# shellcheck source=../lib/kernel.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib/kernel.sh"

readonly host0=192.0.1.100 host3=192.0.1.103 host0_v6=2001:db8::100 host3_v6=2001:db8::103
readonly namespaces=(ns0 ns1 ns2 ns3)
# What an underlay MTU of 1500 leaves for the inner IP packet.
declare -Ar inner_mtu=([v4-udp]=1446 [v4-ip]=1458 [v6-udp]=1426 [v6-ip]=1438)
declare -Ar outer1=([v4]=192.0.2.21 [v6]=2001:db8:1::21)
declare -Ar outer2=([v4]=192.0.2.22 [v6]=2001:db8:1::22)

trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Every step is followed by `|| return`: the caller asks for the status, and bash then no longer stops at a failure.
build_network() {
    local family=$1 mtu=$2 prefix=24 namespace
    [[ $family == v4 ]] || prefix="64 nodad"
    for namespace in "${namespaces[@]}"; do
        ip netns add "$namespace" || return
    done
    ip -n ns1 -batch - <<END || return
link set lo up
link add veth10 up type veth peer name veth01 netns ns0
link add veth12 up type veth peer name veth21 netns ns2
address add ${outer1[$family]}/$prefix dev veth12
END
    ip -n ns2 -batch - <<END || return
link set lo up
link add veth23 up type veth peer name veth32 netns ns3
link set veth21 up
address add ${outer2[$family]}/$prefix dev veth21
END
    ip -n ns0 -batch - <<END || return
link set lo up
link set veth01 mtu $mtu up
address add $host0/24 dev veth01
address add $host0_v6/64 nodad dev veth01
END
    ip -n ns3 -batch - <<END || return
link set lo up
link set veth32 mtu $mtu up
address add $host3/24 dev veth32
address add $host3_v6/64 nodad dev veth32
END
}

# Usage: build_end kernel|ours NETNS ACCESS LOCAL PEER ENCAPSULATION MTU TUNNEL PEER_TUNNEL SESSION PEER_SESSION
build_end() {
    local kind=$1
    shift
    "build_${kind}_end" "$@"
}

build_kernel_end() {
    local netns=$1 access=$2 local=$3 peer=$4 encapsulation=$5 mtu=$6
    local tunnel=$7 peer_tunnel=$8 session=$9 peer_session=${10} ports=
    [[ $encapsulation == ip ]] || ports="udp_sport 1701 udp_dport 1701"
    ip -n "$netns" -batch - <<END
l2tp add tunnel tunnel_id $tunnel peer_tunnel_id $peer_tunnel encap $encapsulation local $local remote $peer $ports
l2tp add session name l2tpeth0 tunnel_id $tunnel session_id $session peer_session_id $peer_session
link add br0 type bridge
link set l2tpeth0 mtu $mtu master br0 up
link set $access master br0
link set br0 up
END
}

build_ours_end() {
    local netns=$1 access=$2 local=$3 peer=$4 encapsulation=$5 session=$9 peer_session=${10}
    local ports=()
    [[ $encapsulation == ip ]] || ports=(--local-port 1701 --peer-port 1701)
    "$pwctl" create pw0 --netns "$netns" --encap "$encapsulation" --access "$access" --local "$local" --peer "$peer" \
        --session-id "$session" --peer-session-id "$peer_session" "${ports[@]}"
}

build_cell() {
    local family=$1 encapsulation=$2 first=$3 second=$4
    local mtu=${inner_mtu[$family-$encapsulation]} near=${outer1[$family]} far=${outer2[$family]}
    build_network "$family" "$mtu" || return
    build_end "$first" ns1 veth10 "$near" "$far" "$encapsulation" "$mtu" 12 21 1012 1021 || return
    build_end "$second" ns2 veth23 "$far" "$near" "$encapsulation" "$mtu" 21 12 1021 1012
}

check_cell() {
    local cell=$1 first=$2 second=$3 allowed=0
    # The kernel's own end may lose the frame that made it ask for the neighbour's address. Ours may not.
    [[ $first-$second != kernel-kernel ]] || allowed=1
    check_ping "$cell.ping4-56" ns0 "$host3" 56 "$allowed"
    at_once check_ping "$cell.ping6-56" ns0 "$host3_v6" 56 , \
        check_ping "$cell.ping4-1400" ns0 "$host3" 1400 , \
        check_ping "$cell.ping6-1400" ns0 "$host3_v6" 1400 ,
    count_results fail "$cell.ping"
    if ((count == 4)); then
        result "$cell.tcp" fail "not tried: not one ping came back"
        return
    fi
    at_once check_tcp "$cell.tcp4-forward" ns0 ns3 "$host3" 5001 , \
        check_tcp "$cell.tcp6-backward" ns3 ns0 "$host0_v6" 5002 ,
    count_results fail "$cell.tcp"
    if ((count == 2)); then
        result "$cell.tcp" fail "the other two directions not tried"
        return
    fi
    at_once check_tcp "$cell.tcp4-backward" ns3 ns0 "$host0" 5003 , \
        check_tcp "$cell.tcp6-forward" ns0 ns3 "$host3_v6" 5004 ,
}

# Usage: for_each_of_ours FIRST SECOND COMMAND...   runs COMMAND NETNS for each end that is ours
for_each_of_ours() {
    local first=$1 second=$2
    shift 2
    [[ $first != ours ]] || "$@" ns1
    [[ $second != ours ]] || "$@" ns2
}

diagnose() {
    local netns=$1
    detail "$pwctl" show pw0 --netns "$netns"
    detail ip -n "$netns" -s link show
    ip netns exec ns0 timeout 4 ping -c 3 -i 0.5 "$host3" >/dev/null 2>&1 &
    detail ip netns exec "$netns" timeout 4 tcpdump -nn -e -v -x -s 160 -c 8 -i any
    wait $! || true
}

teardown_ours() {
    local netns=$1 rest
    "$pwctl" teardown --netns "$netns" >"$scratch/teardown" 2>&1 ||
        echo "teardown in $netns: exit status $?: $(tr '\n' ' ' <"$scratch/teardown")"
    rest=$(tc -n "$netns" qdisc show | grep -E 'clsact|ingress' || true)
    [[ ! $rest ]] || echo "still in $netns: $rest"
}

# Prints whatever is left of a cell; nothing when all is as before.
leftovers() {
    ip netns list
    new_lines "$pins_before" "$(pins)"
    new_lines "$bpf_before" "$(bpf_objects)"
}

clean_cell() {
    local cell=$1 first=$2 second=$3 rest still left
    rest=$(for_each_of_ours "$first" "$second" teardown_ours)
    delete_namespaces
    # The kernel frees programs and maps a moment after their last user has gone.
    for _ in {1..10}; do
        still=$(leftovers)
        [[ $still ]] || break
        sleep 0.2
    done
    if [[ $rest$still ]]; then
        rest+=${rest:+$'\n'}$still
        result "$cell.cleanup" fail "${rest//$'\n'/; }"
        # Not to be blamed on the next cell.
        mapfile -t left < <(new_lines "$pins_before" "$(pins)")
        remove_pins "${left[@]}"
        bpf_before=$(bpf_objects)
    else
        result "$cell.cleanup" pass "nothing left, after $((SECONDS - started)) s"
    fi
}

run_cell() {
    local number=$1 family=$2 encapsulation=$3 first=$4 second=$5
    local cell=S$number.$family-$encapsulation.$first-$second
    [[ $cell =~ $filter ]] || return 0
    local started=$SECONDS
    if build_cell "$family" "$encapsulation" "$first" "$second" >"$scratch/build" 2>&1; then
        result "$cell.create" pass "both ends"
        check_cell "$cell" "$first" "$second"
        count_results fail "$cell."
        ((count == 0)) || for_each_of_ours "$first" "$second" diagnose
    else
        result "$cell.create" fail "$(tr '\n' ' ' <"$scratch/build")"
    fi
    clean_cell "$cell" "$first" "$second"
}

modprobe -a l2tp_eth l2tp_ip l2tp_ip6 veth bridge
delete_namespaces
make_payload $((1 << 20))
bpf_before=$(bpf_objects)
pins_before=$(pins)

run_cell 1 v4 udp kernel kernel
run_cell 2 v6 udp kernel kernel
run_cell 3 v4 ip kernel kernel
run_cell 4 v6 ip kernel kernel
number=5
for family_encapsulation in "v4 udp" "v6 udp" "v4 ip" "v6 ip"; do
    read -r family encapsulation <<<"$family_encapsulation"
    run_cell $((number++)) "$family" "$encapsulation" ours kernel
    run_cell $((number++)) "$family" "$encapsulation" kernel ours
    run_cell $((number++)) "$family" "$encapsulation" ours ours
done
check_kernel_log
summary
