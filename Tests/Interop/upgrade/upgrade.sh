#!/bin/bash
# Usage: upgrade.sh PWCTL
#
# Where this kernel lets filters be, that the datapath is replaced under traffic without losing a frame, and that what
# somebody has removed is put back. Runs on any kernel with veth; both ends are ours.
#
#   pwi-near-host ── access pwi-near outer ══ outer pwi-far access ── pwi-far-host

set -euo pipefail

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
readonly here
# shellcheck source=../lib/private.sh
source "$here/../lib/private.sh"
# shellcheck source=../lib/checks.sh
source "$here/../lib/checks.sh"
# shellcheck source=../lib/kernel.sh
source "$here/../lib/kernel.sh"

readonly pwctl=${1:?usage: upgrade.sh PWCTL}
run_privately "$@"
readonly scratch=/run/pwi
mkdir "$scratch"
readonly near=192.0.2.21 far=192.0.2.22
readonly namespaces=(pwi-near-host pwi-near pwi-far pwi-far-host)

# Usage: expect ID "WHAT IS SAID" REGULAR_EXPRESSION
expect() {
    if [[ $2 =~ $3 ]]; then result "$1" pass "${BASH_REMATCH[0]//$'\n'/ }"; else result "$1" fail "${2//$'\n'/; }"; fi
}

build_network() {
    local namespace
    for namespace in "${namespaces[@]}"; do
        ip netns add "$namespace"
        ip -n "$namespace" link set lo up
    done
    ip -n pwi-near link add outer up type veth peer name outer netns pwi-far
    ip -n pwi-near link add access up type veth peer name host netns pwi-near-host
    ip -n pwi-far link add access up type veth peer name host netns pwi-far-host
    ip -n pwi-near address add "$near/24" dev outer
    ip -n pwi-far address add "$far/24" dev outer
    ip -n pwi-far link set outer up
    # What a host says on its own (IPv6's discoveries, ARP's probes) it says on any CPU, and veth keeps a queue for each:
    # there it can overtake an echo under way, which is then late by its sequence number and rightly refused.
    ip -n pwi-near-host link set host address 02:00:00:00:00:64 addrgenmode none mtu 1400 up
    ip -n pwi-near-host address add 192.0.1.100/24 dev host
    ip -n pwi-near-host neighbor add 192.0.1.103 lladdr 02:00:00:00:00:67 dev host nud permanent
    ip -n pwi-far-host link set host address 02:00:00:00:00:67 addrgenmode none mtu 1400 up
    ip -n pwi-far-host address add 192.0.1.103/24 dev host
    ip -n pwi-far-host neighbor add 192.0.1.100 lladdr 02:00:00:00:00:64 dev host nud permanent
}

# Usage: create NAMESPACE LOCAL PEER OPTION...
create() {
    "$pwctl" create pw0 --netns "$1" --access access --local "$2" --peer "$3" --session-id 7 --peer-session-id 7 \
        --sequence both "${@:4}"
}

# Usage: check_upgrades ID COUNT   so many under a ping every hundredth of a second, at both ends in turn
# The ping stays on one CPU, for the reason given above.
check_upgrades() {
    local id=$1 count=$2 number pinging answer first
    first=$(taskset -cp $$)
    first=${first##*: }
    ip netns exec pwi-near-host taskset -c "${first%%[,-]*}" ping -n -q -i 0.01 -W 5 -w 600 192.0.1.103 >"$scratch/flood" 2>&1 &
    pinging=$!
    for ((number = 0; number < count; number++)); do
        "$pwctl" upgrade --force --netns pwi-near >"$scratch/plan"
        "$pwctl" upgrade --force --netns pwi-far >"$scratch/plan"
    done
    kill -INT "$pinging"
    wait "$pinging" || true
    answer=$(<"$scratch/flood")
    if [[ $answer =~ ([0-9]+)" packets transmitted, "([0-9]+)" received" ]] &&
        ((BASH_REMATCH[1] > 20 && BASH_REMATCH[1] - BASH_REMATCH[2] <= 1)) && [[ $answer != *duplicates* ]]; then
        # The last one may have been under way.
        result "$id" pass "${BASH_REMATCH[0]}"
    else
        result "$id" fail "${answer//$'\n'/; }"
    fi
}

build_network
before=$(pins)
doctor=$("$pwctl" doctor || true)
hook=clsact
[[ $doctor != *"attachment: tcx"* ]] || hook=tcx
expect doctor "$doctor" 'attachment: [^'$'\n'']*'
create pwi-near "$near" "$far"
create pwi-far "$far" "$near"
expect auto "$("$pwctl" list --json --netns pwi-near | jq -c '.[0].hooks')" "\"access\":\"$hook\",\"outer\":\"$hook\""
if [[ $hook == clsact ]]; then
    # Refused with what to do, and nothing changed.
    expect refused "$("$pwctl" set pw0 --attach tcx --netns pwi-near 2>&1 || true)" 'no tcx, which came with Linux 6.6'
    expect health "$("$pwctl" show pw0 --netns pwi-near)" 'up: [^'$'\n'']*'
else
    "$pwctl" set pw0 --attach clsact --netns pwi-near
    expect moved "$("$pwctl" list --json --netns pwi-near | jq -c '.[0].hooks')" '"access":"clsact","outer":"clsact"'
fi
check_ping ping pwi-near-host 192.0.1.103 1000
check_upgrades upgrade 3
expect generation "$("$pwctl" doctor --netns pwi-near || true)" 'generation 3'
# Frames that were sent before the far end was made are 'unreachable'.
expect drops "$("$pwctl" show pw0 --json --netns pwi-near | jq -c '.statistics | [."rx-dropped", ."tx-dropped", (.drops | del(.unreachable))]')" \
    '\[0,0,\{\}\]'

# Somebody removes our filter; that is said, and the next command puts it back.
ip netns exec pwi-near tc filter delete dev access ingress
expect missing "$("$pwctl" show pw0 --netns pwi-near)" 'broken: [^'$'\n'']*filter on access is gone[^'$'\n'']*'
"$pwctl" set pw0 --netns pwi-near
expect mended "$("$pwctl" show pw0 --netns pwi-near)" 'up: [^'$'\n'']*'
check_ping again pwi-near-host 192.0.1.103 56

"$pwctl" teardown --netns pwi-near
"$pwctl" teardown --netns pwi-far
left=$(new_lines "$before" "$(pins)")
[[ -z $left ]] && result cleanup pass "no pin" || result cleanup fail "${left//$'\n'/; }"
[[ $(</proc/cmdline) != *guest.job=* ]] || check_kernel_log
summary
