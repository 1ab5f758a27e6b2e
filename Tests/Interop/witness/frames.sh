# shellcheck shell=bash
# Builds Ethernet frames with right lengths and checksums, header by header, as strings of hexadecimal digits. To be
# sourced. Each function sets `packet`: they nest too deep for a process each.

readonly mac_a=02000000000a mac_b=02000000000b
readonly outer4_a=c0000215 outer4_b=c0000216 # 192.0.2.21, 192.0.2.22
readonly inner4_a=c0000164 inner4_b=c0000167 # 192.0.1.100, 192.0.1.103
readonly outer6_a=20010db8000100000000000000000021 outer6_b=20010db8000100000000000000000022
readonly inner6_a=20010db8000000000000000000000100 inner6_b=20010db8000000000000000000000103

hex() { printf -v "$1" "%0$2x" "$3"; }

# Usage: ones_complement HEX   sets `sum` to the Internet checksum (RFC 1071)
ones_complement() {
    local data=$1 total=0 at
    ((${#data} % 4 == 0)) || data+=00
    for ((at = 0; at < ${#data}; at += 4)); do
        ((total += 16#${data:at:4}))
    done
    while ((total > 0xffff)); do
        ((total = (total & 0xffff) + (total >> 16)))
    done
    hex sum 4 $((~total & 0xffff))
}

# Usage: zeros BYTES   sets `packet`
zeros() { printf -v packet "%0$((2 * $1))d" 0; }

ethernet() { packet=$mac_b$mac_a$1$2; }

# Usage: ipv4 PROTOCOL SOURCE DESTINATION PAYLOAD [TOTAL_LENGTH]
ipv4() {
    local length protocol head
    hex length 4 "${5:-$((20 + ${#4} / 2))}"
    hex protocol 2 "$1"
    head=4500${length}0001000040$protocol
    ones_complement "$head$2$3"
    packet=$head$sum$2$3$4
}

# Usage: ipv6 NEXT_HEADER SOURCE DESTINATION PAYLOAD [PAYLOAD_LENGTH]
ipv6() {
    local length protocol
    hex length 4 "${5:-$((${#4} / 2))}"
    hex protocol 2 "$1"
    packet=60000000$length${protocol}40$2$3$4
}

# Usage: pseudo_header PROTOCOL SOURCE DESTINATION PAYLOAD   sets `pseudo`; 32-bit length and protocol do for IPv4 too
pseudo_header() {
    local length protocol
    hex length 8 $((${#4} / 2))
    hex protocol 8 "$1"
    pseudo=$2$3$length$protocol
}

# Usage: udp SOURCE DESTINATION PAYLOAD [LENGTH]   port 1701 at both ends
udp() {
    local length
    hex length 4 "${4:-$((8 + ${#3} / 2))}"
    pseudo_header 17 "$1" "$2" "06a506a5${length}0000$3"
    ones_complement "${pseudo}06a506a5${length}0000$3"
    packet=06a506a5$length$sum$3
}

# Usage: tcp SOURCE DESTINATION PAYLOAD
tcp() {
    local head=13891388000000010000000150181000
    pseudo_header 6 "$1" "$2" "${head}00000000$3"
    ones_complement "$pseudo${head}00000000$3"
    packet=$head${sum}0000$3
}

# Usage: echo6 SOURCE DESTINATION PAYLOAD
echo6() {
    pseudo_header 58 "$1" "$2" "8000000000010001$3"
    ones_complement "${pseudo}8000000000010001$3"
    packet=8000${sum}00010001$3
}

arp() { packet=0001080006040001$mac_a${inner4_a}000000000000$inner4_b; }

# Usage: unreachable4 QUOTATION
unreachable4() {
    ones_complement "0302000000000000$1"
    packet=0302${sum}00000000$1
}

# Usage: outer v4-udp|v6-udp|v4-ip|v6-ip SHIM FRAME   wraps a frame; the shim is cookie and sublayer
outer() {
    local kind=$1 body=000003f4$2$3 local=$outer4_a peer=$outer4_b protocol=115
    [[ $kind == v4* ]] || local=$outer6_a peer=$outer6_b
    if [[ $kind == *udp ]]; then
        protocol=17
        udp "$local" "$peer" "00030000$body"
        body=$packet
    fi
    if [[ $kind == v4* ]]; then
        ipv4 "$protocol" "$local" "$peer" "$body"
        ethernet 0800 "$packet"
    else
        ipv6 "$protocol" "$local" "$peer" "$body"
        ethernet 86dd "$packet"
    fi
}

# Usage: write_capture FILE FRAME...
write_capture() {
    local file=$1 frame
    shift
    for frame in "$@"; do
        printf '%b' "$(sed 's/../\\x&/g' <<<"$frame")" | od -A x -t x1 -v
    done | text2pcap -q -F pcap - "$file" 2>/dev/null
}

# Usage: patch FRAME BYTE_OFFSET HEX   sets `packet`
patch() { packet=${1:0:2*$2}$3${1:2*$2+${#3}}; }
