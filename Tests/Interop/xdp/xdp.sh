#!/bin/bash
# Usage: xdp.sh PWCTL
#
# XDP programs on a driver of hardware's kind: our end has two virtio network cards, one to the host and one to the
# kernel's l2tp_eth, and frames cross it by XDP both ways. Needs a kernel that has l2tp_eth, and the two cables that
# ../guest/run.sh puts into its machine; to be run in that guest.
#
#   ns0 card ══ card ns1 card ══ card ns2 br0 veth23 ── veth32 ns3
#   host             ours             the kernel's           host

set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
readonly here
readonly pwctl=${1:?usage: xdp.sh PWCTL}
scratch=$(mktemp -d /run/pwi-xdp.XXXXXX)
readonly scratch ping_interval=0.05 namespaces=(ns0 ns1 ns2 ns3)
# shellcheck source=../lib/checks.sh
source "$here/../lib/checks.sh"
# shellcheck source=../lib/kernel.sh
source "$here/../lib/kernel.sh"

trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

readonly host0=192.0.1.100 host3=192.0.1.103
declare -Ar outer1=([v4]=192.0.2.21 [v6]=2001:db8:1::21)
declare -Ar outer2=([v4]=192.0.2.22 [v6]=2001:db8:1::22)
readonly cookie_out=0123456789abcdef cookie_in=fedcba9876543210

# Usage: take_card NETNS NAME CABLE END   as ../guest/run.sh numbers them
take_card() {
    local card
    card=$(grep -lix "52:54:00:00:0$3:0$4" /sys/class/net/*/address) || { echo "there is no cable $3" >&2; exit 1; }
    card=${card%/address}
    ip link set "${card##*/}" netns "$1" name "$2"
    ip -n "$1" link set "$2" addrgenmode none up
}

build_network() {
    local namespace
    for namespace in "${namespaces[@]}"; do
        ip netns add "$namespace"
        ip netns exec "$namespace" sysctl -qw net.ipv6.conf.default.accept_dad=0
        ip -n "$namespace" link set lo up
    done
    take_card ns0 host 1 1
    take_card ns1 access 1 2
    take_card ns1 underlay 2 1
    take_card ns2 underlay 2 2
    ip -n ns2 -batch - <<END
link add veth23 up type veth peer name host netns ns3
link add br0 up type bridge
link set veth23 master br0
END
    ip -n ns3 link set host mtu 1400 up
    ip -n ns0 link set host mtu 1400
    ip -n ns0 address add "$host0/24" dev host
    ip -n ns3 address add "$host3/24" dev host
    for namespace in 1 2; do
        local -n outer=outer$namespace
        ip -n "ns$namespace" address add "${outer[v4]}/24" dev underlay
        ip -n "ns$namespace" address add "${outer[v6]}/64" dev underlay
    done
}

# Usage: build_ends FAMILY ENCAPSULATION COOKIE_THAT_WE_EXPECT [OPTION]...
build_ends() {
    local ports=()
    "$pwctl" create pw0 --netns ns1 --encap "$2" --access access --local "${outer1[$1]}" \
        --peer "${outer2[$1]}" --session-id 1012 --peer-session-id 1021 --send-cookie "$cookie_out" --expect-cookie "$3" \
        "${@:4}"
    [[ $2 == ip ]] || ports=(udp_sport 1701 udp_dport 1701)
    ip -n ns2 l2tp add tunnel tunnel_id 21 peer_tunnel_id 12 encap "$2" local "${outer2[$1]}" remote "${outer1[$1]}" \
        "${ports[@]}"
    ip -n ns2 l2tp add session name l2tpeth0 tunnel_id 21 session_id 1021 peer_session_id 1012 cookie "$cookie_in" \
        peer_cookie "$cookie_out"
    ip -n ns2 link set l2tpeth0 master br0 up
}

remove_ends() {
    "$pwctl" delete pw0 --netns ns1
    ip -n ns2 l2tp del tunnel tunnel_id 21
}

# Usage: runs PROGRAM   how often it has run, since the kernel counts that
runs() { bpftool prog show name "$1" -j | jq '[if type == "array" then .[] else . end | .run_cnt // 0] | add // 0'; }

statistic() { "$pwctl" show pw0 --netns ns1 --json | jq ".statistics$1 // 0"; }

# Usage: check_hooks ID   both programs are in the drivers, and neither in the kernel's slower path
check_hooks() {
    local modes
    modes=$(ip -n ns1 -d -j link show | jq -r '.[] | select(.xdp and .linkinfo.info_kind == null) | "\(.ifname) \(.xdp.mode)"' | sort | tr '\n' ';')
    if [[ $modes == "access 1;underlay 1;" ]]; then
        result "$1" pass "in the drivers of both"
    else
        result "$1" fail "${modes:-nowhere}"
    fi
}

# Usage: check_share ID FRAMES FILTER BEFORE   nine frames in ten have not come as far as the filter
check_share() {
    local filter
    filter=$(($(runs "$3") - $4))
    if (($2 > 300 && filter * 10 < $2)); then
        result "$1" pass "of $2 frames the filter has seen $filter"
    else
        result "$1" fail "of $2 frames the filter has seen $filter"
    fi
}

# Usage: check_carried FAMILY ENCAPSULATION [OPTION]...
check_carried() {
    local cell=X.$1-$2
    build_ends "$1" "$2" "$cookie_in" "${@:3}" >"$scratch/build" 2>&1 || { result "$cell.create" fail "$(<"$scratch/build")"; return; }
    local encap_before decap_before
    encap_before=$(runs pw_encap) decap_before=$(runs pw_decap)
    check_hooks "$cell.hooks"
    check_ping "$cell.ping-56-out" ns0 "$host3" 56
    check_ping "$cell.ping-56-in" ns3 "$host0" 56
    check_ping "$cell.ping-1300-out" ns0 "$host3" 1300
    check_ping "$cell.ping-1300-in" ns3 "$host0" 1300
    check_tcp "$cell.tcp-out" ns0 ns3 "$host3" 5001
    check_tcp "$cell.tcp-in" ns3 ns0 "$host0" 5002
    check_share "$cell.encap" "$(statistic '."tx-frames"')" pw_encap "$encap_before"
    check_share "$cell.decap" "$(statistic '."rx-frames"')" pw_decap "$decap_before"
    remove_ends
}

# A peer whose cookie is wrong gets nothing in, and costs no more than the driver's program.
check_refused() {
    local before answer
    build_ends v4 udp 0011223344556677
    before=$(runs pw_decap)
    answer=$(ip netns exec ns3 ping -n -q -f -c 200 -W 1 "$host0" 2>&1 || true)
    local refused filter
    refused=$(statistic .drops.cookie)
    filter=$(($(runs pw_decap) - before))
    # Where the host is, is asked by ARP first, which the cookie stops as well.
    if [[ $answer == *" 0 received"* ]] && ((refused > 0 && filter < refused)); then
        result X.cookie pass "$refused refused, the filter has seen $filter frames"
    else
        result X.cookie fail "$refused refused, the filter has seen $filter frames; ${answer//$'\n'/; }"
    fi
    remove_ends
}

check_cleanup() {
    local still
    "$pwctl" teardown --netns ns1
    still=$(ip -n ns1 -j link show | jq -r '.[] | select(.xdp) | .ifname'; new_lines "$pins_before" "$(pins)")
    if [[ $still ]]; then result X.cleanup fail "$still"; else result X.cleanup pass "no program, no pin"; fi
}

modprobe -a virtio_net l2tp_eth l2tp_ip l2tp_ip6 veth bridge
pins_before=$(pins)
make_payload $((1 << 20))
build_network
sysctl -qw kernel.bpf_stats_enabled=1
# Asked for; and by itself, for nothing speaks against it on these cards.
check_carried v4 udp --attach xdp
check_carried v6 ip
check_refused
check_cleanup
check_kernel_log
summary
