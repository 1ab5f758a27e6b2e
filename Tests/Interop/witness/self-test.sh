#!/bin/bash
# Usage: self-test.sh
#
# Is the witness to be believed? Shows tshark-check.sh captures without a flaw, then captures with one flaw each, and
# wants silence for the first and the right complaint for the others. Needs no privilege. Prints RESULT lines.

set -euo pipefail

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
readonly here
# shellcheck source=frames.sh
source "$here/frames.sh"
# shellcheck source=../lib/checks.sh
source "$here/../lib/checks.sh"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/pwi-witness.XXXXXX")
readonly scratch
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Usage: expect_good NAME [OPTION...] -- FRAME...
expect_good() {
    examine "$@"
    if ((status == 0)); then
        result "W.good.$name" pass "${answer##*$'\n'}"
    else
        result "W.good.$name" fail "${answer//$'\n'/; }"
    fi
}

# Usage: expect_bad NAME COMPLAINT [OPTION...] -- FRAME...
expect_bad() {
    local complaint=$2
    examine "$1" "${@:3}"
    if ((status == 1)) && [[ $answer =~ $complaint ]]; then
        result "W.bad.$name" pass "${answer%%$'\n'*}"
    else
        result "W.bad.$name" fail "no complaint like \"$complaint\": ${answer//$'\n'/; }"
    fi
}

# Sets `name`, `answer` and `status`.
examine() {
    local options=()
    name=$1
    shift
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    shift
    write_capture "$scratch/capture" "$@"
    if [[ ${snapshot:-} ]]; then
        editcap -s "$snapshot" "$scratch/capture" "$scratch/cut"
        mv "$scratch/cut" "$scratch/capture"
    fi
    status=0
    answer=$("$here/tshark-check.sh" "${options[@]}" "$scratch/capture" 2>&1) || status=$?
}

# The frames of a customer, one of each kind.
zeros 100 && readonly payload=$packet
tcp "$inner4_a" "$inner4_b" "$payload" && ipv4 6 "$inner4_a" "$inner4_b" "$packet" && ethernet 0800 "$packet"
readonly inner_tcp4=$packet
udp "$inner6_a" "$inner6_b" "" && ipv6 17 "$inner6_a" "$inner6_b" "$packet" && ethernet 86dd "$packet"
readonly inner_udp6=$packet
echo6 "$inner6_a" "$inner6_b" "$payload" && ipv6 58 "$inner6_a" "$inner6_b" "$packet" && ethernet 86dd "$packet"
readonly inner_echo6=$packet
arp && ethernet 0806 "$packet"
readonly inner_arp=$packet
patch "$inner_tcp4" 12 810000070800 && tagged=${inner_tcp4:0:24}81000007${inner_tcp4:24}
readonly inner_tagged=$tagged

# Usage: tunnel KIND SHIM   puts all of them into that tunnel: sets `frames`
tunnel() {
    local frame
    frames=()
    for frame in "$inner_tcp4" "$inner_udp6" "$inner_echo6" "$inner_arp" "$inner_tagged"; do
        outer "$1" "$2" "$frame"
        frames+=("$packet")
    done
}

for kind in v4-udp v6-udp v4-ip v6-ip; do
    tunnel "$kind" 00000000
    expect_good "$kind" -- "${frames[@]}"
done
tunnel v4-udp "" && expect_good no-sublayer --sublayer none -- "${frames[@]}"
tunnel v4-udp 0123456700000000 && expect_good cookie-4 --cookie 4 -- "${frames[@]}"
tunnel v6-ip 0123456789abcdef && expect_good cookie-8-no-sublayer --cookie 8 --sublayer none -- "${frames[@]}"

outer v4-udp 00000000 "$inner_tcp4" && readonly over_udp4=$packet
outer v6-udp 00000000 "$inner_tcp4" && readonly over_udp6=$packet
outer v4-ip 00000000 "$inner_tcp4" && readonly over_ip4=$packet
outer v6-ip 00000000 "$inner_echo6" && readonly over_ip6=$packet

# An ARP request padded to Ethernet's least length, and an ICMP error that quotes a packet of ours, cut off.
zeros 18 && padded_arp=$inner_arp$packet
unreachable4 "${over_ip4:28:120}" && ipv4 1 "$outer4_b" "$outer4_a" "$packet" && ethernet 0800 "$packet"
readonly quotation=$packet
expect_good padding-and-quotation -- "$padded_arp" "$quotation" "$over_ip4"

# A payload that begins with what the checksum would be without it makes the checksum zero, for which Linux writes ffff.
tcp "$inner4_a" "$inner4_b" "" && hex complement 4 $((16#$sum - 2))
tcp "$inner4_a" "$inner4_b" "$complement" && ipv4 6 "$inner4_a" "$inner4_b" "$packet" && ethernet 0800 "$packet"
patch "$packet" 50 ffff && outer v4-udp 00000000 "$packet"
expect_good checksum-ffff-for-zero -- "$packet"

# A patch at byte 24 hits the checksum of an IPv4 header that begins at 14; the others are reckoned in the same way.
patch "$over_udp4" 24 beef && expect_bad outer-ip-checksum "Bad checksum" -- "$packet"
patch "$over_udp4" 40 beef && expect_bad outer-udp4-checksum "Bad checksum" -- "$packet"
patch "$over_udp6" 60 beef && expect_bad outer-udp6-checksum "Bad checksum" -- "$packet"
patch "$over_udp6" 60 0000
expect_bad outer-udp6-no-checksum "[Ii]llegal [Cc]hecksum" -- "$packet"
expect_good outer-udp6-no-checksum-allowed --allow-zero-udp6-checksum -- "$packet"
patch "$over_udp4" 38 0200 && expect_bad outer-udp-length-beyond "length" -- "$packet"

ipv4 115 "$outer4_a" "$outer4_b" "${over_ip4:68}" 300 && ethernet 0800 "$packet"
expect_bad outer-ip4-length-beyond "frame of|length" -- "$packet"
ipv4 115 "$outer4_a" "$outer4_b" "${over_ip4:68}" 100 && ethernet 0800 "$packet"
expect_bad outer-ip4-length-short "frame of" -- "$packet"
patch "$over_ip6" 18 0100 && expect_bad outer-ip6-length-beyond "frame of|length" -- "$packet"
expect_bad trailing-bytes "frame of" -- "${over_ip4}00000000"
patch "$quotation" 36 beef && expect_bad outer-icmp-checksum "ICMP error with a bad checksum" -- "$packet" "$over_ip4"

# The inner packets' flaws are in the frame before it is wrapped, so that the outer UDP checksum is right.
patch "$inner_tcp4" 24 beef && outer v4-udp 00000000 "$packet"
expect_bad inner-ip-checksum "Bad checksum" -- "$packet"
patch "$inner_tcp4" 50 beef && outer v4-ip 00000000 "$packet"
expect_bad inner-tcp-checksum "Bad checksum" -- "$packet"
patch "$inner_udp6" 60 beef && outer v6-udp 00000000 "$packet"
expect_bad inner-udp-checksum "Bad checksum" -- "$packet"
patch "$inner_echo6" 56 beef && outer v6-ip 00000000 "$packet"
expect_bad inner-icmp6-checksum "Bad checksum" -- "$packet"
outer v4-udp 00000000 "${inner_tcp4}0000" && expect_bad inner-trailing-bytes "inner frame of" -- "$packet"
outer v4-udp 00000000 "${inner_tcp4:0:240}" && expect_bad inner-cut-off "inner frame of" -- "$packet"

# An unsegmented packet as a veth shows it: every header is right, but no cable carries it.
zeros 3000 && tcp "$inner4_a" "$inner4_b" "$packet" && ipv4 6 "$inner4_a" "$inner4_b" "$packet"
ethernet 0800 "$packet" && outer v4-udp 00000000 "$packet"
expect_bad too-long "more than an Ethernet frame" -- "$packet"

expect_bad missing-sublayer . -- "$(outer v4-udp "" "$inner_tcp4" && echo "$packet")"
expect_bad unexpected-sublayer "no Ethernet frame" --sublayer none -- "$over_udp4"
expect_bad unexpected-cookie "no Ethernet frame" -- "$(outer v4-udp 0123456700000000 "$inner_tcp4" && echo "$packet")"
expect_bad nothing-to-see "no L2TPv3 data" -- "$inner_arp"
snapshot=100 expect_bad cut-by-snapshot "bytes were captured" -- "$over_udp4"

summary
