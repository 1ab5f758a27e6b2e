#!/bin/bash
# Usage: options.sh PWCTL [CELL_FILTER]
#
# A pseudowire between PWCTL and the kernel's own l2tp_eth with each option that both have, and with options that do not
# go together. Needs a kernel that has l2tp_eth and 8021q: to be run in the guest of ../guest/run.sh. CELL_FILTER is an
# extended regular expression; the cells whose name it matches are run, e.g. `^D` or `v6-ip`.
#
#   D1-D12   {no cookie, 4 octets, 8 octets} in each encapsulation
#   C1-C12   cookies that are not as expected
#   G1-G3    UDP checksums, sequence numbers, the L2-specific sublayer
#   R1-R4    packets of a sender that is not the peer
#   M1-M3    hosts that send more than fits: TCP's segment size
#   P1-P2    an underlay whose MTU changes
#   V1-V6    VLANs

set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
readonly here
readonly pwctl=${1:?usage: options.sh PWCTL [CELL_FILTER]}
readonly filter=${2:-.}
scratch=$(mktemp -d /run/pwi-options.XXXXXX)
readonly scratch ping_interval=0.05
# shellcheck source=../lib/checks.sh
source "$here/../lib/checks.sh"
# shellcheck source=../lib/kernel.sh
source "$here/../lib/kernel.sh"
# shellcheck source=ends.sh
source "$here/ends.sh"
# shellcheck source=carried.sh
source "$here/carried.sh"
# shellcheck source=refused.sh
source "$here/refused.sh"
# shellcheck source=frames.sh
source "$here/frames.sh"

trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Usage: run_cell NAME FAMILY ENCAPSULATION COMMAND...   its checks' names begin with NAME.FAMILY-ENCAPSULATION
run_cell() {
    local family=$2 encapsulation=$3 cell=$1.$2-$3
    [[ $cell =~ $filter ]] || return 0
    local started=$EPOCHREALTIME
    "${@:4}"
    count_results fail "$cell."
    ((count == 0)) || diagnose
    remove_ends
    echo "# $cell took $(milliseconds_since "$started") ms"
}

diagnose() {
    detail "$pwctl" show pw0 --netns ns1
    detail ip -n ns2 -s link show
    ip netns exec ns3 timeout 4 ping -c 3 -i 0.5 "$host0" >/dev/null 2>&1 &
    detail ip netns exec ns1 timeout 4 tcpdump -nn -e -v -x -s 160 -c 6 -i veth12
    wait $! || true
}

# Outer packets that had been cut would have been put together again by the stack at the kernel's end.
check_whole() {
    local line
    line=$(ip netns exec ns2 nstat -asz IpReasmReqds Ip6ReasmReqds | awk '/Reasm/ { sum += $2 } END { print sum + 0 }')
    expect_count underlay-fragments "$line" 0
}

check_cleanup() {
    local still
    "$pwctl" teardown --netns ns1 >"$scratch/remove" 2>&1 || result teardown fail "$(tr '\n' ' ' <"$scratch/remove")"
    expect_count filters "$(tc -n ns1 qdisc show | grep -E 'clsact|ingress' || true)" ""
    delete_namespaces
    # The kernel frees programs and maps a moment after their last user has gone.
    for _ in {1..10}; do
        still=$(ip netns list; new_lines "$pins_before" "$(pins)"; new_lines "$bpf_before" "$(bpf_objects)")
        [[ $still ]] || break
        sleep 0.2
    done
    expect_count cleanup "${still//$'\n'/; }" ""
}

modprobe -a l2tp_eth l2tp_ip l2tp_ip6 veth bridge 8021q
delete_namespaces
make_payload $((1 << 20))
bpf_before=$(bpf_objects)
pins_before=$(pins)
build_network

readonly encapsulations=("v4 udp" "v6 udp" "v4 ip" "v6 ip")
# What the kernel's tunnel is to be given; the checksums' own cells change it.
tunnel_options=
number=1
for cookie in 0 4 8; do
    for family_encapsulation in "${encapsulations[@]}"; do
        read -r family encapsulation <<<"$family_encapsulation"
        run_cell "D$((number++)).cookie$cookie" "$family" "$encapsulation" data_cell "$cookie" default
    done
done
number=1
for family_encapsulation in "${encapsulations[@]}"; do
    read -r family encapsulation <<<"$family_encapsulation"
    run_cell "C$((number++)).wrong4" "$family" "$encapsulation" wrong_cookie_cell 4
done
for family_encapsulation in "${encapsulations[@]}"; do
    read -r family encapsulation <<<"$family_encapsulation"
    run_cell "C$((number++)).wrong8" "$family" "$encapsulation" wrong_cookie_cell 8
done
run_cell "C$((number++)).sent0-expected4" v4 udp other_length_cell 0 4
run_cell "C$((number++)).sent8-expected0" v6 udp other_length_cell 8 0
run_cell "C$((number++)).sent4-expected0" v4 ip other_length_cell 4 0
run_cell "C$((number++)).sent0-expected8" v6 ip other_length_cell 0 8

tunnel_options="udp_csum on" run_cell G1.full-full v4 udp checksum_cell full "[udp sum ok]"
tunnel_options="udp_csum on" run_cell G1.full-zero v4 udp checksum_cell zero "[no cksum]"
tunnel_options="udp6_csum_tx off udp6_csum_rx off" \
    run_cell G1.zero-zero v6 udp checksum_cell zero "[bad udp cksum 0x0000 "
tunnel_options="udp6_csum_tx off udp6_csum_rx on" run_cell G1.zero-full v6 udp checksum_cell full "[udp sum ok]"

run_cell G2.both-both v4 udp pair_cell "seq both" "" --sequence both
run_cell G2.both-both v6 ip pair_cell "seq both" "" --sequence both
run_cell G2.send-none v4 udp pair_cell "seq send" "sequence_unexpected [1-9]" --sequence none
run_cell G2.receive-send v6 udp pair_cell "seq recv" "sequence_unexpected [0-9]+" --sequence send
run_cell G2.both-none v4 ip unheard_cell
run_cell G2.none-receive v4 udp mismatch_cell sequence "" sequence_missing --sequence receive

for family_encapsulation in "${encapsulations[@]}"; do
    read -r family encapsulation <<<"$family_encapsulation"
    run_cell G3.none-none "$family" "$encapsulation" data_cell 0 none
done
run_cell G3.default-none v4 udp mismatch_cell sublayer "" sublayer_mismatch --sublayer none
run_cell G3.default-none-cookie8 v6 ip mismatch_cell sublayer \
    "cookie ${cookie_in[8]} peer_cookie ${cookie_out[8]}" sublayer_mismatch \
    --sublayer none --send-cookie "${cookie_out[8]}" --expect-cookie "${cookie_in[8]}"
run_cell G3.none-default v4 ip mismatch_cell sublayer "l2spec_type none" sublayer_mismatch
run_cell G3.none-default-cookie4 v6 udp mismatch_cell sublayer \
    "l2spec_type none cookie ${cookie_in[4]} peer_cookie ${cookie_out[4]}" sublayer_mismatch \
    --send-cookie "${cookie_out[4]}" --expect-cookie "${cookie_in[4]}"

number=1
for family_encapsulation in "${encapsulations[@]}"; do
    read -r family encapsulation <<<"$family_encapsulation"
    run_cell "R$((number++)).stranger" "$family" "$encapsulation" stranger_cell
done

run_cell M1.clamp v4 udp clamp_cell
run_cell M2.clamp v6 ip clamp_cell
run_cell M3.no-clamp v4 udp stall_cell
run_cell P1.path v4 udp path_cell
run_cell P2.path v6 ip path_cell

run_cell V1.port v4 udp tagged_cell 10 10
run_cell V2.service v6 ip service_cell
run_cell V3.strip v4 udp tagged_cell 10 0 --vlan 10 --vlan-tag strip
run_cell V4.translate v6 udp tagged_cell 10 20 --vlan 10 --vlan-tag 20
run_cell V5.selected v4 ip selected_cell
run_cell V6.stripped-by-both v4 udp stripped_cell

check_whole
check_cleanup
check_kernel_log
summary
