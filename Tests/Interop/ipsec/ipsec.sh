#!/bin/bash
# Usage: ipsec.sh PWCTL
#
# A pseudowire between PWCTL and the kernel's l2tp_eth inside IPsec: both ends reach each other through an xfrm
# interface, whose policies encrypt all that leaves through it (ESP in tunnel mode, AES-GCM). Needs a kernel that has
# l2tp_eth and xfrm_interface: to be run in the guest of ../guest/run.sh.
#
#   K1   over IPv4/UDP   K2   over IPv6, protocol 115   K3   what is left in the end
#   K4   policies that are bound to no interface, which no pseudowire's packets pass: refused, or warned of
#
#   k0 host ── access k1 ipsec0 ══ outer ══ outer ipsec0 k2 bridge ── k3 host

set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
readonly here
readonly pwctl=${1:?usage: ipsec.sh PWCTL}
scratch=$(mktemp -d /run/pwi-ipsec.XXXXXX)
readonly scratch ping_interval=0.05 namespaces=(k0 k1 k2 k3)
# shellcheck source=../lib/checks.sh
source "$here/../lib/checks.sh"
# shellcheck source=../lib/kernel.sh
source "$here/../lib/kernel.sh"

trap leave EXIT

readonly key=0x1111111111111111111111111111111111111111 algorithm='rfc4106(gcm(aes))'

# Usage: secure NETNS LOCAL PEER SPI_OUT SPI_IN ANY
secure() {
    local state=(proto esp reqid 1 mode tunnel flag af-unspec aead "$algorithm" "$key" 128 if_id 42)
    ip -n "$1" xfrm state add src "$2" dst "$3" spi "$4" "${state[@]}"
    ip -n "$1" xfrm state add src "$3" dst "$2" spi "$5" "${state[@]}"
    ip -n "$1" xfrm policy add src "$6" dst "$6" dir out if_id 42 tmpl src "$2" dst "$3" proto esp reqid 1 mode tunnel
    ip -n "$1" xfrm policy add src "$6" dst "$6" dir in if_id 42 tmpl src "$3" dst "$2" proto esp reqid 1 mode tunnel
    ip -n "$1" link add ipsec0 type xfrm dev outer if_id 42
    ip -n "$1" link set ipsec0 up
}

# Usage: secure_plainly NETNS LOCAL PEER SPI_OUT SPI_IN   transport mode, between the two and for nobody else
secure_plainly() {
    local state=(proto esp reqid 1 mode transport aead "$algorithm" "$key" 128) tmpl=(tmpl proto esp reqid 1 mode transport)
    ip -n "$1" xfrm state add src "$2" dst "$3" spi "$4" "${state[@]}"
    ip -n "$1" xfrm state add src "$3" dst "$2" spi "$5" "${state[@]}"
    ip -n "$1" xfrm policy add src "$2/32" dst "$3/32" dir out priority 100 "${tmpl[@]}"
    ip -n "$1" xfrm policy add src "$3/32" dst "$2/32" dir in priority 100 "${tmpl[@]}"
}

# Usage: build_network   without IPsec
build_network() {
    local namespace
    for namespace in "${namespaces[@]}"; do
        ip netns add "$namespace"
        ip netns exec "$namespace" sysctl -qw net.ipv6.conf.default.accept_dad=0
        ip -n "$namespace" link set lo up
    done
    ip -n k1 link add outer up type veth peer name outer netns k2
    ip -n k2 link set outer up
    ip -n k1 link add access up type veth peer name host netns k0
    ip -n k2 link add access up type veth peer name host netns k3
    ip -n k2 link add bridge up type bridge
    ip -n k2 link set access master bridge
    local number
    for number in 0 3; do
        ip -n "k$number" link set host up
        ip -n "k$number" address add "192.0.1.10$number/24" dev host
    done
    ip -n k1 address add 192.0.2.21/24 dev outer
    ip -n k2 address add 192.0.2.22/24 dev outer
}

# Usage: check_cell ID ENCAPSULATION NEAR FAR ANY PREFIX
check_cell() {
    local id=$1 encapsulation=$2 near=$3 far=$4 session=1021
    build_network
    secure k1 192.0.2.21 192.0.2.22 0x101 0x102 "$5"
    secure k2 192.0.2.22 192.0.2.21 0x102 0x101 "$5"
    ip -n k1 address add "$near/$6" dev ipsec0
    ip -n k2 address add "$far/$6" dev ipsec0
    "$pwctl" create pw0 --netns k1 --encap "$encapsulation" --access access --local "$near" --peer "$far" \
        --session-id 1012 --peer-session-id "$session"
    local ports=()
    [[ $encapsulation != udp ]] || ports=(udp_sport 1701 udp_dport 1701)
    ip -n k2 l2tp add tunnel tunnel_id 21 peer_tunnel_id 12 encap "$encapsulation" local "$far" remote "$near" "${ports[@]}"
    ip -n k2 l2tp add session name l2tpeth0 tunnel_id 21 session_id "$session" peer_session_id 1012
    ip -n k2 link set l2tpeth0 master bridge up
    ip netns exec k2 timeout 120 tcpdump -nn -l -i outer 'ip or ip6' >"$scratch/wire.$id" 2>"$scratch/tcpdump.$id" &
    local capture=$!
    until grep -q listening "$scratch/tcpdump.$id"; do sleep 0.1; done
    check_ping "$id.ping-56-out" k0 192.0.1.103 56
    check_ping "$id.ping-56-in" k3 192.0.1.100 56
    check_ping "$id.ping-1200-out" k0 192.0.1.103 1200
    check_ping "$id.ping-1200-in" k3 192.0.1.100 1200
    # An end that goes down takes the traffic with it, and brings it back.
    ip -n k1 link set ipsec0 down
    ip -n k1 link set ipsec0 up
    ip -n k1 address replace "$near/$6" dev ipsec0
    check_ping "$id.ping-again" k0 192.0.1.103 56 1
    sleep 0.3
    kill "$capture"
    wait "$capture" || true
    local others encrypted
    encrypted=$(grep -c ESP "$scratch/wire.$id" || true)
    # Neighbour and multicast group messages are the link's own.
    others=$(grep -vE 'ESP|ICMP6, (neighbor|router|multicast)|HBH ICMP6' "$scratch/wire.$id" || true)
    if [[ ! $others ]] && ((encrypted >= 2 * pings)); then
        result "$id.wire" pass "$encrypted packets, all ESP"
    else
        result "$id.wire" fail "$encrypted of ESP, and others: ${others:0:600}"
    fi
    local health
    health=$("$pwctl" show pw0 --netns k1 --json | jq -r '.health.state // .health')
    if [[ $health == up ]]; then
        result "$id.health" pass "$health"
    else
        result "$id.health" fail "$health: $("$pwctl" show pw0 --netns k1 | tr '\n' ' ')"
    fi
    "$pwctl" delete pw0 --netns k1
    ip -n k2 l2tp del tunnel tunnel_id 21
    delete_namespaces
}

# Usage: check_says ID WORDS TEXT
check_says() {
    if [[ $3 == *"$2"* ]]; then
        result "$1" pass "$2"
    else
        result "$1" fail "$3"
    fi
}

check_plain_policies() {
    local create=("$pwctl" create pw0 --netns k1 --access access --local 192.0.2.21 --peer 192.0.2.22
        --session-id 1012 --peer-session-id 1021)
    local answer status=0 pins_then
    build_network
    secure_plainly k1 192.0.2.21 192.0.2.22 0x201 0x202
    secure_plainly k2 192.0.2.22 192.0.2.21 0x202 0x201
    # What the policies mean: the stack's own packets leave encrypted.
    ip netns exec k2 timeout 60 tcpdump -nn -l -c 1 -i outer esp >"$scratch/wire.K4" 2>"$scratch/tcpdump.K4" &
    local capture=$!
    until grep -q listening "$scratch/tcpdump.K4"; do sleep 0.1; done
    check_ping K4.stack k1 192.0.2.22 56 1
    wait "$capture" || true
    check_says K4.stack-encrypts ESP "$(cat "$scratch/wire.K4")"
    pins_then=$(pins)
    answer=$("${create[@]}" 2>&1) || status=$?
    check_says K4.refused "1 pwctl: --peer: the stack would not let packets to 192.0.2.22 leave as they are" "$status $answer"
    check_says K4.cure "type xfrm" "$answer"
    answer=$(new_lines "$pins_then" "$(pins)")
    check_says K4.nothing-made "[]" "[$answer]"
    # Without them it is made, and said to be in the wrong once they are there again.
    ip -n k1 xfrm policy flush
    "${create[@]}"
    check_says K4.fine "up: carrying frames of access" "$("$pwctl" show pw0 --netns k1)"
    ip -n k1 xfrm policy add src 192.0.2.22/32 dst 192.0.2.21/32 dir in priority 100 tmpl proto esp reqid 1 mode transport
    check_says K4.warned "would take unencrypted ones" "$("$pwctl" show pw0 --netns k1)"
    check_says K4.doctor "[PROBLEM] IPsec policies: pw0" "$("$pwctl" doctor --netns k1 || true)"
    "$pwctl" delete pw0 --netns k1
    delete_namespaces
}

modprobe -a l2tp_eth l2tp_ip l2tp_ip6 veth bridge xfrm_user xfrm_interface esp4 esp6 gcm
before=$(bpf_objects)
pins_before=$(pins)
check_cell K1 udp 198.51.100.21 198.51.100.22 0.0.0.0/0 24
check_cell K2 ip 2001:db8::21 2001:db8::22 ::/0 64
check_plain_policies
left=$(new_lines "$before" "$(bpf_objects)")$(new_lines "$pins_before" "$(pins)")
if [[ $left ]]; then
    result K3.cleanup fail "${left//$'\n'/; }"
else
    result K3.cleanup pass "nothing left"
fi
check_kernel_log
summary
