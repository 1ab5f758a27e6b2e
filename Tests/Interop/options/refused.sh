# shellcheck shell=bash
# Cells whose ends disagree: what the kernel's end sends is refused, to the last frame, and the reason is named. To be
# sourced.

# Usage: refusal_cell "KERNEL SESSION OPTIONS" REASON [OUR_OPTION]...
# Not one frame comes out of our end; each one that the kernel's end has sent is counted under REASON.
refusal_cell() {
    local session=$1 reason=$2 sent text
    build_ends "$session" "${@:3}" || return 0
    read_link ns0 veth01
    local host_before=${link[rx-frames]}
    at_once check_silence "$cell.ping4-out" ns0 "$host3" , \
        check_silence "$cell.ping4-in" ns3 "$host0" , \
        check_silence "$cell.ping6-in" ns3 "$host0_v6" ,
    read_ours
    read_link ns2 l2tpeth0
    sent=${link[tx-frames]}
    text="$sent sent by the kernel, $(our_drops)"
    if ((sent >= 2 * pings && ours[drop.$reason] == sent && ours[rx-dropped] == sent)); then
        result "$cell.counted" pass "$text"
    else
        result "$cell.counted" fail "$text, ${ours[rx-dropped]:-?} dropped"
    fi
    read_link ns0 veth01
    if ((ours[rx-frames] == 0 && link[rx-frames] == host_before)); then
        result "$cell.delivered" pass nothing
    else
        result "$cell.delivered" fail \
            "${ours[rx-frames]:-?} by its counter, $((link[rx-frames] - host_before)) to the host"
    fi
}

# Usage: mismatch_cell WORD ARGUMENT_OF_REFUSAL_CELL...   WORD must occur in the health's sentence
mismatch_cell() {
    refusal_cell "${@:2}"
    if [[ ${ours[sentence]:-} == *"$1"* ]]; then
        result "$cell.health" pass "${ours[state]}: ${ours[sentence]}"
    else
        result "$cell.health" fail "${ours[state]:-?}: ${ours[sentence]:-?}"
    fi
}

# Usage: check_silence ID NETNS ADDRESS
check_silence() {
    local answer
    answer=$(ip netns exec "$2" ping -n -q -c "$pings" -i 0.02 -W 1 -s 56 "$3" 2>&1 || true)
    if [[ $answer == *"$pings packets transmitted, 0 received"* ]]; then
        result "$1" pass "no answer, as it should be"
    else
        result "$1" fail "${answer//$'\n'/; }"
    fi
}

# Usage: wrong_cookie_cell OCTETS   of the length expected, but not the value
wrong_cookie_cell() {
    local cookie=$1
    mismatch_cell cookie "cookie ${cookie_out[$cookie]} peer_cookie ${cookie_out[$cookie]}" cookie \
        --send-cookie "${cookie_out[$cookie]}" --expect-cookie "${cookie_in[$cookie]}"
}

# Usage: other_length_cell SENT EXPECTED   in octets; 0: none
other_length_cell() {
    local session="" options=()
    (($1 == 0)) || session="cookie ${cookie_in[$1]}"
    (($2 == 0)) || options=(--expect-cookie "${cookie_in[$2]}")
    mismatch_cell cookie "$session" cookie_length "${options[@]}"
}

# Usage: unheard_cell   the kernel's end numbers and wants numbers, ours does neither
# Nothing of what the kernel sends makes our end begin to number: the kernel refuses all of it. What the kernel sends
# arrives nevertheless, and the numbers are noticed.
unheard_cell() {
    local sent
    build_ends "seq both" || return 0
    at_once check_silence "$cell.ping4-in" ns3 "$host0" , check_silence "$cell.ping4-out" ns0 "$host3" ,
    read_ours
    read_link ns2 l2tpeth0
    sent=${link[tx-frames]}
    local text="the kernel has sent $sent and taken ${link[rx-frames]}; ours has sent ${ours[tx-frames]:-?}"
    text+=", delivered ${ours[rx-frames]:-?}, noticed $(our_drops)"
    if ((sent >= pings && link[rx-frames] == 0 && ours[tx-frames] >= pings)) &&
        ((ours[rx-frames] == sent && ours[drop.sequence_unexpected] == sent && ours[rx-dropped] == 0)); then
        result "$cell.counted" pass "$text"
    else
        result "$cell.counted" fail "$text"
    fi
}

# Usage: stranger_cell   no kernel's end: the packets are made by hand
# The kernel itself delivers what comes from anywhere, if it is directly in IP.
stranger_cell() {
    # An ARP request for host0, from nobody.
    local frame=ffffffffffff0200000000010806 word=00030000 encapsulated
    frame+=0001080006040001020000000001c0000163000000000000c0000164
    build_our_end >"$scratch/build" 2>&1 ||
        { result "$cell.create" fail "$(tr '\n' ' ' <"$scratch/build")"; return 0; }
    [[ $encapsulation == udp ]] || word=
    encapsulated=$(printf '%s%08x%08x%s' "$word" "$our_session" 0 "$frame")
    read_link ns0 veth01
    local host_before=${link[rx-frames]} expected
    for _ in 1 2 3; do
        send_packet "${stranger[$family]}" 1701 "$encapsulated"
    done
    expected="source_address 3"
    if [[ $encapsulation == udp ]]; then
        send_packet "${outer2[$family]}" 1702 "$encapsulated"
        send_packet "${outer2[$family]}" 1702 "$encapsulated"
        expected+=", source_port 2"
    fi
    read_ours
    expect_count "$cell.refused" "$(our_drops)" "$expected"
    read_link ns0 veth01
    expect_count "$cell.delivered" \
        "${ours[rx-frames]:-?} by its counter, $((link[rx-frames] - host_before)) to the host" \
        "0 by its counter, 0 to the host"
    # The same from the peer is welcome: it was the sender, and nothing else, that was refused.
    send_packet "${outer2[$family]}" 1701 "$encapsulated"
    read_ours
    read_link ns0 veth01
    expect_count "$cell.peer" \
        "${ours[rx-frames]:-?} by its counter, $((link[rx-frames] - host_before)) to the host" \
        "1 by its counter, 1 to the host"
}

# Usage: expect_count ID GOT WANTED
expect_count() {
    if [[ $2 == "$3" ]]; then
        result "$1" pass "${2:-nothing}"
    else
        result "$1" fail "${2:-nothing}, where it should be ${3:-nothing}"
    fi
}

# Usage: send_packet SOURCE SOURCE_PORT HEX
send_packet() {
    local to=${outer1[$family]} from=$1
    [[ $family == v4 ]] || { to="[$to]" from="[$from]"; }
    if [[ $encapsulation == udp ]]; then
        to="UDP${family#v}-SENDTO:$to:1701,bind=$from:$2"
    else
        to="IP${family#v}-SENDTO:$to:115,bind=$from"
    fi
    xxd -r -p <<<"$3" | ip netns exec ns2 socat -u STDIN "$to"
}
