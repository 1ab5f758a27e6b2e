#!/bin/bash
# Usage: qemu-peer.sh PWCTL [CELL_FILTER]
#
# A pseudowire between PWCTL and QEMU's own L2TPv3 (`-netdev l2tpv3`, here joined to a tap; no guest runs), an
# implementation that shares no line with the kernel's or with ours. Runs on any kernel with veth and tun.
# CELL_FILTER is an extended regular expression; the cells whose name it matches are run, e.g. `v6-ip` or `qemu-qemu`.
#
#   pwi-host host0 ── access pwi-near outer1 ══ outer2 pwi-far tap (the far host's address, and QEMU)
#
# In the cells named `qemu-qemu` QEMU is at the near end too: they prove this script and need no PWCTL.
#
# The underlay is a veth pair or, in the cells named `wire`, a pair of taps with a program between them: what a veth
# hands over unfinished (segments still to be cut, checksums still to be filled in), a tap must finish, so that there
# the capture shows what a cable would carry. It is given to ../witness/tshark-check.sh, and kept in the directory that
# the variable PWI_CAPTURES names, if it is set.

set -euo pipefail

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
readonly here
# shellcheck source=../lib/private.sh
source "$here/../lib/private.sh"
# shellcheck source=../lib/checks.sh
source "$here/../lib/checks.sh"

readonly pwctl=${1:?usage: qemu-peer.sh PWCTL [CELL_FILTER]}
readonly filter=${2:-.}
run_privately "$@"
readonly scratch=/run/pwi
mkdir "$scratch"

readonly namespaces=(pwi-host pwi-near pwi-far)
readonly near_host=192.0.1.100 far_host=192.0.1.103 near_host_v6=2001:db8::100 far_host_v6=2001:db8::103
declare -Ar near=([v4]=192.0.2.21 [v6]=2001:db8:1::21)
declare -Ar far=([v4]=192.0.2.22 [v6]=2001:db8:1::22)
declare -Ar ip_header=([v4]=20 [v6]=40)
readonly near_session=1012 far_session=1021
# By length in bytes: the cookie that the near end sends, and the one that it expects.
declare -Ar cookie_out=([4]=01234567 [8]=0123456789abcdef)
declare -Ar cookie_in=([4]=89abcdef [8]=fedcba9876543210)

# Usage: start_qemu NETNS OPTION...   a QEMU that only joins network back ends; `qemus` collects the process ids
start_qemu() {
    local netns=$1
    shift
    ip netns exec "$netns" qemu-system-x86_64 -M none -nodefaults -no-user-config -display none -monitor none \
        -serial none "$@" </dev/null >>"$scratch/qemu" 2>&1 &
    qemus+=($!)
}

stop_qemus() {
    local process
    for process in "${qemus[@]}"; do
        kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    qemus=()
}
qemus=()

tap_option() { echo "tap,id=$1,ifname=$1,script=no,downscript=no,vnet_hdr=off"; }

# Usage: start_l2tpv3 NETNS TAP LOCAL PEER LOCAL_SESSION PEER_SESSION COOKIE_OUT COOKIE_IN
start_l2tpv3() {
    local netns=$1 tap=$2 local=$3 peer=$4 session=$5 peer_session=$6 out=$7 in=$8
    local options="l2tpv3,id=wire,src=$local,dst=$peer,rxsession=$session,txsession=$peer_session"
    [[ $family == v4 ]] || options+=,ipv6=on
    if [[ $encapsulation == udp ]]; then
        options+=,udp=on,srcport=1701,dstport=1701
    else
        options+=,udp=off
    fi
    # A counter that stays zero is bit for bit the kernel's default sublayer without sequencing. One that counts fills
    # the whole sublayer and does not say that it is a number.
    [[ $sublayer == none ]] || options+=,counter=on
    [[ $sublayer == none || $counter == yes ]] || options+=,pincounter=on
    [[ $cookie == 0 ]] || options+=,txcookie=0x$out,rxcookie=0x$in
    # Must not be given for four bytes, not even as `off`: QEMU takes its presence for a yes.
    [[ $cookie != 8 ]] || options+=,cookie64=on
    start_qemu "$netns" -netdev "$(tap_option "$tap")" -netdev "$options" \
        -netdev "hubport,id=port1,hubid=0,netdev=$tap" -netdev hubport,id=port2,hubid=0,netdev=wire
}

build_underlay() {
    local prefix=24
    [[ $family == v4 ]] || prefix="64 nodad"
    if [[ $underlay == veth ]]; then
        ip -n pwi-near link add outer1 type veth peer name outer2 netns pwi-far || return
    else
        ip -n pwi-near tuntap add outer1 mode tap || return
        # The program between the two needs a tap in either namespace, and gets the far one by moving it.
        ip -n pwi-near tuntap add outer2 mode tap || return
        start_qemu pwi-near -netdev "$(tap_option outer1)" -netdev "$(tap_option outer2)" \
            -netdev hubport,id=port1,hubid=0,netdev=outer1 -netdev hubport,id=port2,hubid=0,netdev=outer2
        wait_for carrier pwi-near outer1 || return
        wait_for carrier pwi-near outer2 || return
        ip -n pwi-near link set outer2 netns pwi-far || return
    fi
    ip -n pwi-near -batch - <<END || return
link set outer1 mtu 1500 up
address add ${near[$family]}/$prefix dev outer1
END
    ip -n pwi-far -batch - <<END
link set outer2 mtu 1500 up
address add ${far[$family]}/$prefix dev outer2
END
}

# A tap has a carrier from the moment that a program holds its other side.
carrier() {
    ip -n "$1" link set "$2" up
    [[ $(ip -n "$1" link show dev "$2") == *LOWER_UP* ]]
}

# Usage: wait_for COMMAND...   at most five seconds
wait_for() {
    for _ in {1..50}; do
        ! "$@" || return 0
        sleep 0.1
    done
    echo "still not: $*" >&2
    return 1
}

inner_mtu() {
    local overhead=$((14 + 4 + cookie))
    ((overhead += ${ip_header[$family]}))
    [[ $encapsulation == ip ]] || ((overhead += 12))
    [[ $sublayer == none ]] || ((overhead += 4))
    echo $((1500 - overhead))
}

build_hosts() {
    local mtu
    mtu=$(inner_mtu)
    ip -n pwi-near link add access up type veth peer name host0 netns pwi-host || return
    ip -n pwi-host -batch - <<END || return
link set lo up
link set host0 mtu $mtu up
address add $near_host/24 dev host0
address add $near_host_v6/64 nodad dev host0
END
    ip -n pwi-far -batch - <<END
tuntap add tap mode tap
link set tap mtu $mtu up
address add $far_host/24 dev tap
address add $far_host_v6/64 nodad dev tap
END
}

build_qemu_end() {
    ip -n pwi-near -batch - <<END || return
tuntap add tap mode tap
link add bridge0 up type bridge
link set tap master bridge0 up
link set access master bridge0
END
    start_l2tpv3 pwi-near tap "${near[$family]}" "${far[$family]}" "$near_session" "$far_session" \
        "${cookie_out[$cookie]:-}" "${cookie_in[$cookie]:-}"
    wait_for carrier pwi-near tap
}

build_ours_end() {
    local options=()
    [[ $encapsulation == ip ]] || options+=(--local-port 1701 --peer-port 1701)
    [[ $sublayer == default ]] || options+=(--sublayer "$sublayer")
    [[ $cookie == 0 ]] || options+=(--send-cookie "${cookie_out[$cookie]}" --expect-cookie "${cookie_in[$cookie]}")
    "$pwctl" create pw0 --netns pwi-near --encap "$encapsulation" --access access --local "${near[$family]}" \
        --peer "${far[$family]}" --session-id "$near_session" --peer-session-id "$far_session" "${options[@]}"
}

build_cell() {
    local netns
    for netns in "${namespaces[@]}"; do
        ip netns add "$netns" || return
        ip -n "$netns" link set lo up || return
    done
    build_underlay || return
    build_hosts || return
    start_l2tpv3 pwi-far tap "${far[$family]}" "${near[$family]}" "$far_session" "$near_session" \
        "${cookie_in[$cookie]:-}" "${cookie_out[$cookie]:-}"
    wait_for carrier pwi-far tap || return
    "build_${near_end}_end"
}

check_cell() {
    check_ping "$cell.ping4-56-out" pwi-host "$far_host" 56
    at_once check_ping "$cell.ping6-56-out" pwi-host "$far_host_v6" 56 , \
        check_ping "$cell.ping4-56-in" pwi-far "$near_host" 56 , \
        check_ping "$cell.ping6-56-in" pwi-far "$near_host_v6" 56 , \
        check_ping "$cell.ping4-1400-out" pwi-host "$far_host" 1400 , \
        check_ping "$cell.ping6-1400-out" pwi-host "$far_host_v6" 1400 , \
        check_ping "$cell.ping4-1400-in" pwi-far "$near_host" 1400 , \
        check_ping "$cell.ping6-1400-in" pwi-far "$near_host_v6" 1400 ,
    count_results fail "$cell.ping"
    if ((count == 8)); then
        result "$cell.tcp" fail "not tried: not one ping came back"
        return
    fi
    at_once check_tcp "$cell.tcp4-out" pwi-host pwi-far "$far_host" 5001 , \
        check_tcp "$cell.tcp6-in" pwi-far pwi-host "$near_host_v6" 5002 ,
    count_results fail "$cell.tcp"
    if ((count == 2)); then
        result "$cell.tcp" fail "the other two directions not tried"
        return
    fi
    at_once check_tcp "$cell.tcp4-in" pwi-far pwi-host "$near_host" 5003 , \
        check_tcp "$cell.tcp6-out" pwi-host pwi-far "$far_host_v6" 5004 ,
}

start_capture() {
    rm -f "$scratch/capture"
    ip netns exec pwi-near tcpdump -i outer1 -U -w "$scratch/capture" -Z root -B 16384 2>"$scratch/tcpdump" &
    capture=$!
    wait_for test -s "$scratch/capture"
}

stop_capture() {
    # tcpdump writes what it has and ends; it must have had the time to see the last frames.
    sleep 0.2
    kill -TERM "$capture"
    wait "$capture" || true
    capture=
}

check_capture() {
    local findings shape=(--cookie "$cookie" --sublayer "$sublayer")
    [[ ! ${PWI_CAPTURES:-} ]] || cp "$scratch/capture" "$PWI_CAPTURES/$cell.pcap"
    if findings=$("$here/../witness/tshark-check.sh" "${shape[@]}" "$scratch/capture" 2>&1); then
        result "$cell.witness" pass "${findings##*$'\n'}"
    else
        result "$cell.witness" fail "${findings##*$'\n'}"
        head -n 20 <<<"$findings" | sed 's/^/# /'
    fi
}

# What does not claim to be a sequence number is not taken for one. What ICMP says of the frames that our end sent is
# another matter.
check_unnoticed() {
    local drops
    drops=$("$pwctl" show pw0 --json --netns pwi-near | jq -c '.statistics.drops | del(.unreachable)')
    if [[ $drops == "{}" ]]; then
        result "$cell.unnoticed" pass "nothing dropped, nothing noticed"
    else
        result "$cell.unnoticed" fail "$drops"
    fi
}

# While frames come, nobody says that the peer cannot be reached: Linux tells so by ICMP of each packet for which QEMU's
# raw socket has no room just then.
check_health() {
    local health
    health=$("$pwctl" show pw0 --json --netns pwi-near | jq -r '"\(.health.state): \(.health.sentence)"')
    if [[ $health == "up: carrying frames of access" ]]; then
        result "$cell.health" pass "$health"
    else
        result "$cell.health" fail "$health"
    fi
}

diagnose() {
    [[ $near_end != ours ]] || detail "$pwctl" show pw0 --netns pwi-near
    detail ip -n pwi-near -s link show
    local ping
    ip netns exec pwi-host timeout 4 ping -c 3 -i 0.5 "$far_host" >/dev/null 2>&1 &
    ping=$!
    detail ip netns exec pwi-near timeout 4 tcpdump -nn -e -v -x -s 160 -c 8 -i any
    wait "$ping" || true
    detail cat "$scratch/qemu"
}

clean_cell() {
    local rest="" left
    if [[ $near_end == ours ]]; then
        "$pwctl" teardown --netns pwi-near >"$scratch/teardown" 2>&1 ||
            rest+="teardown: exit status $?: $(tr '\n' ' ' <"$scratch/teardown"); "
        rest+=$(tc -n pwi-near qdisc show | grep -E 'clsact|ingress' || true)
        # This file system is this script's own: what is new on it has been left there by the end under test.
        mapfile -t left < <(new_lines "$pins_before" "$(pins)")
        rest+=${left[*]}
        remove_pins "${left[@]}"
    fi
    stop_qemus
    delete_namespaces
    if [[ $rest ]]; then
        result "$cell.cleanup" fail "${rest//$'\n'/; }"
    else
        result "$cell.cleanup" pass "nothing left"
    fi
}

# Usage: run_cell NUMBER FAMILY ENCAPSULATION VARIANT NEAR_END
run_cell() {
    local number=$1 family=$2 encapsulation=$3 variant=$4 near_end=$5
    local cell=Q$number.$family-$encapsulation.$variant.$near_end-qemu underlay=veth sublayer=default cookie=0 capture=
    local counter=no
    [[ $cell =~ $filter ]] || return 0
    case $variant in
        none) sublayer=none ;;
        cookie4) cookie=4 ;;
        cookie8) cookie=8 ;;
        wire) underlay=wire ;;
        counter) counter=yes ;;
    esac
    : >"$scratch/qemu"
    if build_cell >"$scratch/build" 2>&1; then
        result "$cell.create" pass "both ends"
        [[ $underlay != wire ]] || start_capture
        check_cell
        if [[ $underlay == wire ]]; then
            stop_capture
            check_capture
        fi
        [[ $counter-$near_end != yes-ours ]] || check_unnoticed
        [[ $near_end != ours ]] || check_health
        count_results fail "$cell."
        ((count == 0)) || diagnose
    else
        result "$cell.create" fail "$(cat "$scratch/build" "$scratch/qemu" | tr '\n' ' ')"
    fi
    clean_cell
}

make_payload $((1 << 20))
pins_before=$(pins)
readonly pins_before
for near_end in qemu ours; do
    number=1
    for variant in default wire none cookie4 cookie8 counter; do
        for family_encapsulation in "v4 udp" "v6 udp" "v4 ip" "v6 ip"; do
            read -r family encapsulation <<<"$family_encapsulation"
            run_cell $((number++)) "$family" "$encapsulation" "$variant" "$near_end"
        done
    done
done
summary
