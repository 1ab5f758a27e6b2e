# shellcheck shell=bash
# Cells whose ends agree: everything crosses, nothing is dropped, and both ends have counted the same. To be sourced.

# Usage: data_cell COOKIE_OCTETS default|none
# The host behind our end sends IP packets of 1500 octets, more than the path takes: our end cuts them, or says how much
# it would take. The host behind the kernel's end cannot rely on that, and sends what fits.
data_cell() {
    local cookie=$1 sublayer=$2 session="" options=() mtu=${inner_mtu[$family-$encapsulation]}
    if ((cookie > 0)); then
        session="cookie ${cookie_in[$cookie]} peer_cookie ${cookie_out[$cookie]}"
        options=(--send-cookie "${cookie_out[$cookie]}" --expect-cookie "${cookie_in[$cookie]}")
        mtu=$((mtu - cookie))
    fi
    if [[ $sublayer == none ]]; then
        session+=" l2spec_type none"
        options+=(--sublayer none)
        mtu=$((mtu + 4))
    fi
    build_ends "$session" "${options[@]}" || return 0
    forget_paths
    # What one family learns of the path, the other one does not know.
    at_once check_ping "$cell.ping4-56-out" ns0 "$host3" 56 , \
        check_ping "$cell.ping4-56-in" ns3 "$host0" 56 , \
        check_ping "$cell.ping4-1600-out" ns0 "$host3" 1600 , \
        check_ping "$cell.ping4-1600-in" ns3 "$host0" 1600 , \
        check_too_big "$cell.too-big6" ns0 "$host3_v6" $((1500 - 48)) "$mtu" ,
    at_once check_ping "$cell.ping6-1600-out" ns0 "$host3_v6" 1600 , \
        check_ping "$cell.ping6-1600-in" ns3 "$host0_v6" 1600 , \
        check_too_big "$cell.too-big4" ns0 "$host3" $((1500 - 28)) "$mtu" ,
    # Of each echo and each answer of 1600 octets our end sends three parts, having cut one of the host's two.
    check_counters "$cell.counters" "$cookie" $((pings * (1 + 1 + 3 + 3) + pings * (2 + 2)))
    check_mtu "$cell.mtu" "$mtu"
}

# Usage: check_too_big ID NETNS ADDRESS SIZE MTU   a ping that must not be cut is answered by how much may be sent
check_too_big() {
    local answer
    answer=$(ip netns exec "$2" ping -n -c 1 -W 2 -M do -s "$4" "$3" 2>&1 || true)
    if [[ $answer == *" 0 received"* && $answer =~ [\ \(]mtu\ ?=\ ?$5[^0-9] ]]; then
        result "$1" pass "the host has been told that $5 fit"
    else
        result "$1" fail "${answer//$'\n'/; }"
    fi
}

# Usage: check_counters ID COOKIE_OCTETS AT_LEAST_SENT   nothing was lost, nothing was counted twice, nothing was
# dropped but what did not fit
check_counters() {
    local id=$1 cookie=$2 at_least=$3 header sent received link_sent link_received text drops
    read_ours
    read_link ns2 l2tpeth0
    # The kernel counts the L2TP header with what it receives, but not with what it sends.
    header=$((4 + cookie))
    [[ $encapsulation == ip ]] || ((header += 4))
    [[ $sublayer == none ]] || ((header += 4))
    sent="${ours[tx-frames]:-0} frames ($((${ours[tx-octets]:-0} + header * ${ours[tx-frames]:-0})) octets)"
    received="${ours[rx-frames]:-0} frames (${ours[rx-octets]:-0} octets)"
    link_sent="${link[tx-frames]} frames (${link[tx-octets]} octets)"
    link_received="${link[rx-frames]} frames (${link[rx-octets]} octets)"
    drops=$(our_drops)
    text="out $sent, and $link_received; in $link_sent, and $received"
    # Frames that came before the kernel's end was there, each one answered: how long they were is not known.
    local early=${ours[drop.unreachable]:-0}
    if ((early)); then
        text+="; $early unreachable"
        sent=$((ours[tx-frames] - early)) link_received=${link[rx-frames]}
    fi
    if [[ $sent == "$link_received" && $received == "$link_sent" && $drops =~ ^(too_big [12])?$ ]] &&
        ((ours[tx-frames] >= at_least)); then
        result "$id" pass "$text"
    else
        result "$id" fail "$text; at least $at_least out; ours dropped ${drops:-nothing}"
    fi
}

# Usage: check_mtu ID MTU   after check_counters
check_mtu() {
    if [[ ${ours[mtu]:-?} == "$2" && $kernel_mtu == "$2" ]]; then
        result "$1" pass "$2, as the kernel's own"
    else
        result "$1" fail "expected $2, the kernel's is $kernel_mtu, ours ${ours[mtu]:-?}"
    fi
}

# Usage: pair_cell "KERNEL SESSION OPTIONS" SEEN [OUR_OPTION]...
# Pings cross, from whichever host they are sent. SEEN is what our end shall have noticed, a regular expression.
pair_cell() {
    local session=$1 seen=$2 drops
    build_ends "$session" "${@:3}" || return 0
    # The kernel's end speaks first: it is the one that adapts itself to what it hears.
    check_ping "$cell.ping4-in" ns3 "$host0" 56
    # One after another. Two processors that send at once may swap two numbered frames, and the kernel's end, which does
    # not reorder, then refuses the five that follow.
    check_ping "$cell.ping4-out" ns0 "$host3" 56
    check_ping "$cell.ping6-1300-in" ns3 "$host0_v6" 1300
    check_ping "$cell.ping6-1300-out" ns0 "$host3_v6" 1300
    read_ours
    drops=$(our_drops)
    if [[ $drops =~ ^($seen)$ ]] && ((ours[rx-dropped] == 0 && ours[tx-dropped] == 0)); then
        result "$cell.noticed" pass "${drops:-nothing}"
    else
        result "$cell.noticed" fail "${drops:-nothing}, where it should be ${seen:-nothing}"
    fi
}

# Usage: checksum_cell OUR_CHECKSUM WANTED   with `tunnel_options`; WANTED is in tcpdump's words
# The kernel's end takes what ours sends, and tcpdump says what there is for a checksum.
checksum_cell() {
    local checksum=$1 wanted=$2 witness seen
    build_ends "" --udp-checksum "$checksum" || return 0
    : >"$scratch/tcpdump"
    ip netns exec ns2 timeout 20 tcpdump -nn -vv -c 4 -Q in -i veth21 "src ${outer1[$family]} and udp port 1701" \
        >"$scratch/capture" 2>"$scratch/tcpdump" &
    witness=$!
    for _ in {1..50}; do
        [[ $(<"$scratch/tcpdump") != *"listening on"* ]] || break
        sleep 0.1
    done
    at_once check_ping "$cell.ping4-out" ns0 "$host3" 56 , \
        check_ping "$cell.ping4-in" ns3 "$host0" 56 , \
        check_ping "$cell.ping6-out" ns0 "$host3_v6" 1300 ,
    wait "$witness" || true
    seen=$(grep -cF "$wanted" "$scratch/capture" || true)
    if ((seen == 4)); then
        result "$cell.wire" pass "$seen packets with '$wanted'"
    else
        result "$cell.wire" fail "$seen of 4 packets with '$wanted'"
        head -n 20 "$scratch/capture" | sed 's/^/# /'
    fi
}
