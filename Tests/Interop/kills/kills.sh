#!/bin/bash
# Usage: kills.sh PWCTL [ROUNDS [SEED]]
#
# Commands that change pseudowires are killed at random instants, while another pseudowire carries traffic. The next
# command must find everything as it was before or as it was to be, and nothing else: pseudowires, links, promiscuity,
# qdiscs, filters. Runs on any kernel with veth; both ends are ours.
#
#   pwi-near-host ── access pwi-near outer ══ outer pwi-far access ── pwi-far-host       pwi-lone: first and last

set -euo pipefail

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
readonly here
# shellcheck source=../lib/private.sh
source "$here/../lib/private.sh"
# shellcheck source=../lib/checks.sh
source "$here/../lib/checks.sh"

readonly pwctl=${1:?usage: kills.sh PWCTL [ROUNDS [SEED]]}
readonly rounds=${2:-4}
readonly seed=${3:-$RANDOM}
run_privately "$@"
RANDOM=$seed
readonly scratch=/run/pwi
mkdir "$scratch"

readonly near=192.0.2.21 far=192.0.2.22 near_host=192.0.1.100 far_host=192.0.1.103

# Starting `sleep` takes an emulated machine longer than most of these waits.
exec {never}<> <(:)
pause() { read -rt "$1" -u "$never" || true; }

build_network() {
    local namespace
    for namespace in pwi-near-host pwi-near pwi-far pwi-far-host pwi-lone; do
        ip netns add "$namespace"
        ip -n "$namespace" link set lo up
    done
    ip -n pwi-near link add outer up type veth peer name outer netns pwi-far
    ip -n pwi-near link add access up type veth peer name host netns pwi-near-host
    ip -n pwi-far link add access up type veth peer name host netns pwi-far-host
    for namespace in pwi-near pwi-lone; do
        ip -n "$namespace" link add spare up type veth peer name spare-peer
        ip -n "$namespace" link set spare-peer up
    done
    ip -n pwi-lone link add outer up type veth peer name outer-peer
    ip -n pwi-lone link set outer-peer up
    ip -n pwi-near address add "$near/24" dev outer
    ip -n pwi-lone address add "$near/24" dev outer
    ip -n pwi-far address add "$far/24" dev outer
    ip -n pwi-far link set outer up
    ip -n pwi-near-host link set host mtu 1400 up
    ip -n pwi-near-host address add "$near_host/24" dev host
    ip -n pwi-far-host link set host mtu 1400 up
    ip -n pwi-far-host address add "$far_host/24" dev host
}

# Usage: wire NAME SESSION OPTION...   the words of a `create`
wire() {
    words=("$1" --local "$near" --peer "$far" --session-id "$2" --peer-session-id "$2" "${@:3}")
}

# Usage: document FILE OBJECT...   pseudowires for `apply`, and the one that carries traffic
document() {
    local file=$1 object text=""
    shift
    for object in "$@"; do
        text+="{ local: \"$near\", peer: \"$far\", $object },"
    done
    echo "{ pseudowires: [ $text ] }" >"$file"
}

readonly steady='name: "steady", access: "access", vlan: "none", "session-id": 999, "peer-session-id": 999'
readonly with_interface='name: "i0", interface: "lan0", "session-id": 11, "peer-session-id": 11'
readonly other_interface='name: "i1", interface: "lan1", "session-id": 12, "peer-session-id": 12'
readonly on_port='name: "a0", access: "spare", vlan: 7, "session-id": 13, "peer-session-id": 13'

# What pseudowires there are, and everything on the interfaces that comes with them.
census() {
    "$pwctl" export --netns "$1"
    ip -n "$1" -o link show | sed -E 's/ mtu .*//; s/@[^:]*//; s/^[0-9]+: //' | sort
    tc -n "$1" qdisc show | sed -nE '/clsact|ingress/s/ *$//p' | sort
    local link
    for link in spare outer access; do
        tc -n "$1" filter show dev "$link" ingress 2>/dev/null | sed -E 's/ (id|tag|jited) .*//' || true
    done
    find /sys/fs/bpf -name 'new:*' -o -name journal
}

# Usage: change NETNS STEP   the steps lead in a circle
change() {
    local netns=$1
    case $2 in
    create)
        wire a0 10 --access spare
        exec "$pwctl" create "${words[@]}" --netns "$netns"
        ;;
    set) exec "$pwctl" set a0 --ttl 9 --vlan 7 --netns "$netns" ;;
    apply) exec "$pwctl" apply "$scratch/$netns.first" --netns "$netns" ;;
    apply-again) exec "$pwctl" apply "$scratch/$netns.second" --netns "$netns" ;;
    delete) exec "$pwctl" delete a0 i1 --netns "$netns" ;;
    teardown) exec "$pwctl" teardown --netns "$netns" ;;
    esac
}

# Usage: learn NETNS STEP...   what each step comes to when it lives, and how long it takes, in microseconds
declare -A before after duration
learn() {
    local netns=$1 step started
    shift
    for step in "$@"; do
        before[$netns.$step]=$(census "$netns")
        started=$EPOCHREALTIME
        (change "$netns" "$step") >/dev/null 2>"$scratch/errors" || result "$netns.$step" fail "$(<"$scratch/errors")"
        duration[$netns.$step]=$((${EPOCHREALTIME/[.,]/} - ${started/[.,]/}))
        after[$netns.$step]=$(census "$netns")
    done
}

# Until a command has begun to change something, or SECONDS whole have passed.
wait_for_change() {
    local end=$((SECONDS + $1 + 1))
    while ((SECONDS < end)); do
        compgen -G '/sys/fs/bpf/pseudowire/*/journal' >/dev/null && return
        compgen -G '/sys/fs/bpf/pseudowire/new:*' >/dev/null && return
        kill -0 "$2" 2>/dev/null || return 0
    done
}

# Usage: check_kills NETNS STEP...   each step is killed `rounds` times on its way round the circle
check_kills() {
    local netns=$1 step round process delay found text="" mended=0 kept=0 done=0
    shift
    for ((round = 0; round < rounds; round++)); do
        for step in "$@"; do
            # Every other time at any instant of its life, else while it changes something, the fifth part of it.
            delay=$((duration[$netns.$step] * (RANDOM % 1000) / (round % 2 ? 5000 : 1000)))
            printf -v delay '%d.%06d' $((delay / 1000000)) $((delay % 1000000))
            (change "$netns" "$step") >/dev/null 2>&1 &
            process=$!
            ((round % 2 == 0)) || wait_for_change "$((duration[$netns.$step] / 1000000))" "$process"
            pause "$delay"
            kill -KILL "$process" 2>/dev/null || true
            wait "$process" 2>/dev/null || true
            "$pwctl" list --netns "$netns" >/dev/null 2>"$scratch/errors" ||
                text+="list after $step at $delay s: $(<"$scratch/errors"); "
            # It has nothing to do, and mends.
            "$pwctl" delete nobody --netns "$netns" 2>"$scratch/errors" || true
            [[ $(<"$scratch/errors") != *"what a command that died had begun"* ]] || mended=$((mended + 1))
            found=$(census "$netns")
            if [[ $found == "${after[$netns.$step]}" ]]; then
                done=$((done + 1))
                continue
            fi
            kept=$((kept + 1))
            [[ $found == "${before[$netns.$step]}" ]] ||
                text+="$step at $delay s: $(diff <(echo "${before[$netns.$step]}") <(echo "$found") | tr '\n' ' '); "
            (change "$netns" "$step") >/dev/null 2>"$scratch/errors" ||
                text+="$step again after $delay s: $(<"$scratch/errors"); "
        done
    done
    if [[ ! $text ]]; then
        result "K.$netns" pass "seed $seed: as before $kept times, as wanted $done times, $mended mended"
    else
        result "K.$netns" fail "seed $seed: $text"
    fi
}

build_network
pins_before=$(pins)
document "$scratch/pwi-near.first" "$steady" "$with_interface" "$on_port"
document "$scratch/pwi-near.second" "$steady" "$other_interface" "${on_port/vlan: 7/vlan: 8}"
document "$scratch/pwi-lone.first" "$with_interface" "$on_port"
document "$scratch/pwi-lone.second" "$other_interface" "${on_port/vlan: 7/vlan: 8}"
wire steady 999 --access access --vlan none
"$pwctl" create "${words[@]}" --netns pwi-near
"$pwctl" create steady --netns pwi-far --access access --vlan none --local "$far" --peer "$near" --session-id 999 \
    --peer-session-id 999
check_ping steady.before pwi-near-host "$far_host" 56
ip netns exec pwi-near-host ping -n -q -i 0.05 "$far_host" >"$scratch/steady" 2>&1 &
stream=$!

learn pwi-near create set apply apply-again delete
check_kills pwi-near create set apply apply-again delete
learn pwi-lone create set apply teardown
check_kills pwi-lone create set apply teardown

kill -INT "$stream"
wait "$stream" || true
if [[ $(<"$scratch/steady") =~ ([0-9]+)" packets transmitted, "([0-9]+)" received" ]] &&
    ((BASH_REMATCH[1] > 50 && BASH_REMATCH[1] - BASH_REMATCH[2] <= 1)); then
    # The last answer may still have been under way.
    result K.steady pass "${BASH_REMATCH[0]} meanwhile"
else
    result K.steady fail "$(tr '\n' ' ' <"$scratch/steady")"
fi
for namespace in pwi-near pwi-far pwi-lone; do
    "$pwctl" teardown --netns "$namespace" || result K.teardown fail "$namespace"
done
left=$(new_lines "$pins_before" "$(pins)")
if [[ ! $left ]]; then result K.teardown pass "nothing is left"; else result K.teardown fail "${left//$'\n'/ }"; fi
summary
