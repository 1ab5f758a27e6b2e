#!/bin/bash
# Usage: tshark-check.sh [--cookie 0|4|8] [--sublayer default|none] [--allow-zero-udp6-checksum] PCAP
#
# Asks Wireshark's dissector, which knows nothing of us, about a capture of an underlay: an Ethernet link that carries
# L2TPv3 pseudowires, all with a cookie of that length (default: 0) and that sublayer (default: `default`). Prints a
# line for each frame that
#   - a dissector calls malformed, or complains about, as to lengths and checksums, in the outer and the inner headers,
#   - is longer than Ethernet allows with an MTU of 1500, or was not captured whole,
#   - disagrees with its own IP header's length, outside or inside (padding up to Ethernet's least length is allowed),
#   - carries something in L2TPv3 that is no Ethernet frame of a known type;
# then one that says what was looked at. Exits with 1 if there was any such frame, or nothing to look at.
#
# To be made where frames are finished: what a veth or a card with offloads shows is not what the cable sees.

set -euo pipefail

usage() {
    sed -n '2s/^# //p' "${BASH_SOURCE[0]}" >&2
    exit 64
}

cookie=0 sublayer=default options=()
while (($# > 1)); do
    case $1 in
        --cookie) cookie=$2 && shift 2 ;;
        --sublayer) sublayer=$2 && shift 2 ;;
        --allow-zero-udp6-checksum) options+=(-o udp.ignore_ipv6_zero_checksum:TRUE) && shift ;;
        *) usage ;;
    esac
done
(($# == 1)) || usage
readonly capture=$1

# The dissector cannot see either from the packets; both are agreed upon beforehand.
case $cookie in
    0) options+=(-o "l2tp.cookie_size:None") ;;
    4) options+=(-o "l2tp.cookie_size:4 Byte Cookie") ;;
    8) options+=(-o "l2tp.cookie_size:8 Byte Cookie") ;;
    *) usage ;;
esac
case $sublayer in
    default) options+=(-o "l2tp.l2_specific:Default L2-Specific") shim=$((cookie + 4)) ;;
    none) options+=(-o "l2tp.l2_specific:None") shim=$cookie ;;
    *) usage ;;
esac

# Without a control connection the dissector sees the pseudowire's type as 0; here it is Ethernet, without checksum.
options+=(-d "l2tp.pw_type==0,eth" -o "eth.fcs:Never")
options+=(-o "ip.check_checksum:TRUE" -o "udp.check_checksum:TRUE" -o "tcp.check_checksum:TRUE")
# What the customer's applications say to each other is random here, and must not be mistaken for a broken protocol.
options+=(-d "tcp.port==0-65535,data" -d "udp.port==0-1700,data" -d "udp.port==1702-65535,data")
# Where TCP misses a segment, that is the network's affair, not the frame's.
options+=(-o "tcp.analyze_sequence_numbers:FALSE")

fields=()
for field in frame.number frame.len frame.cap_len frame.protocols ip.hdr_len ip.len ipv6.plen l2tp.type \
    _ws.expert.severity _ws.expert.group _ws.expert.message _ws.malformed \
    ip.checksum.status icmp.checksum.status icmpv6.checksum.status; do
    fields+=(-e "$field")
done

read -r -d '' program <<'EOF_AWK' || true
function find(text) { print "frame " $1 ": " text; bad++ }

# How many bytes the Ethernet frame has whose dissected layers begin so: `tags` with 4 bytes each, then IP.
function framed(protocols, version4, version6,    tags) {
    while (sub(/^(eth:)?ethertype:vlan:/, "", protocols)) tags++
    if (protocols ~ /^(eth:)?ethertype:ip(:|$)/) return 14 + 4 * tags + version4
    if (protocols ~ /^(eth:)?ethertype:ipv6(:|$)/) return 14 + 4 * tags + 40 + version6
    return 0
}

function check_length(where, length_, expected) {
    if (expected == 0 || length_ == expected || (length_ == 60 && expected < 60)) return
    find(where " of " length_ " bytes, but " expected " by its IP header")
}

BEGIN { FS = "\t"; checksum = 16777216; malformed = 117440512; protocol = 150994944; warning = 6291456 }

{
    if ($2 > 1514) find($2 " bytes, more than an Ethernet frame of 1514")
    if ($3 < $2) find("only " $3 " of its " $2 " bytes were captured")

    # An ICMP error quotes the beginning of a packet, cut off anywhere: no complaint about the quotation counts.
    quotes = ($4 ~ /:icmp:ip:|:icmpv6:ipv6:/)
    if (quotes && ($13 ~ /^0/ || $14 ~ /^0/ || $15 ~ /^0/)) find("ICMP error with a bad checksum")
    if (!quotes && $12 != "") find("malformed")
    count = quotes ? 0 : split($9, severity, "|"); split($10, group, "|"); split($11, message, "|")
    for (i = 1; i <= count; i++) {
        # The two are the same number to a receiver. Linux writes the former when it fills in a TCP checksum late.
        if (message[i] ~ /0xffff instead of 0x0000/) continue
        if (group[i] == checksum || group[i] == malformed || (group[i] == protocol && severity[i] >= warning))
            find(message[i])
    }

    # In the order of the headers; an ICMP error's quotation comes after those that are of interest.
    split($5, header, "|"); split($6, version4, "|"); split($7, version6, "|")
    check_length("frame", $2, framed($4, version4[1], version6[1]))

    if ($4 !~ /^eth:ethertype:(ip|ipv6)(:udp)?:l2tp/ || $8 == 1) next
    tunnelled++
    inside = substr($4, index($4, ":l2tp") + 6)
    if (inside !~ /^(eth:)?(ethertype|llc):/ || inside ~ /ethertype:data$/) {
        find("what L2TPv3 carries is no Ethernet frame that the dissector knows")
        next
    }
    outer4 = ($4 ~ /^eth:ethertype:ip:/)
    inner_length = outer4 ? version4[1] - header[1] : version6[1]
    inner_length -= ($4 ~ /:udp:l2tp:/ ? 16 : 4) + shim
    inner4 += (inside ~ /ethertype:ip(:|$)/)
    inner6 += (inside ~ /ethertype:ipv6(:|$)/)
    check_length("inner frame", inner_length, framed(inside, version4[1 + outer4], version6[2 - outer4]))
}

END {
    if (!tunnelled) { print "there is no L2TPv3 data message in it"; bad++ }
    printf "%d frames, %d of them L2TPv3 data; inside %d IPv4, %d IPv6; ", NR, tunnelled, inner4, inner6
    print bad + 0 " complaints"
    exit bad != 0
}
EOF_AWK

# tshark warns of being root, and says why when it cannot read the capture.
errors=$(mktemp "${TMPDIR:-/tmp}/pwi-witness.XXXXXX")
trap 'rm -f "$errors"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
status=0
tshark -n -r "$capture" "${options[@]}" -T fields -E "aggregator=|" "${fields[@]}" 2>"$errors" |
    awk -v shim="$shim" "$program" || status=$?
grep -v "^Running as user" "$errors" && status=1
exit "$status"
