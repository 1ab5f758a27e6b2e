#!/bin/bash
# Usage: lifetime.sh PWCTL [SESSIONS]
#
# Pseudowires come and go by the hundred, made and removed by several PWCTLs at the same time, some of which are killed;
# one pseudowire carries traffic all the while and must not lose a frame. In the end nothing is left. Runs on any kernel
# with veth; both ends are ours.
#
#   pwi-near-host ── access pwi-near outer ══ outer pwi-far access ── pwi-far-host

set -euo pipefail

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
readonly here
# shellcheck source=../lib/private.sh
source "$here/../lib/private.sh"
# shellcheck source=../lib/checks.sh
source "$here/../lib/checks.sh"

readonly pwctl=${1:?usage: lifetime.sh PWCTL [SESSIONS]}
readonly sessions=${2:-150}
run_privately "$@"
readonly scratch=/run/pwi
mkdir "$scratch"

readonly near=192.0.2.21 far=192.0.2.22 near_host=192.0.1.100 far_host=192.0.1.103
readonly namespaces=(pwi-near-host pwi-near pwi-far pwi-far-host)

near_pwctl() { "$pwctl" "$@" --netns pwi-near; }

# Usage: create NAME VLAN SESSION   at the near end; there are as many on one port as there are VLANs
create() {
    near_pwctl create "$1" --access access --vlan "$2" --local "$near" --peer "$far" --session-id "$3" \
        --peer-session-id "$3"
}

build_network() {
    local namespace
    for namespace in "${namespaces[@]}"; do
        ip netns add "$namespace"
        ip -n "$namespace" link set lo up
    done
    ip -n pwi-near link add outer up type veth peer name outer netns pwi-far
    ip -n pwi-near link add access up type veth peer name host netns pwi-near-host
    ip -n pwi-near link add spare up type veth peer name spare-peer
    ip -n pwi-near link set spare-peer up
    ip -n pwi-far link add access up type veth peer name host netns pwi-far-host
    ip -n pwi-near address add "$near/24" dev outer
    ip -n pwi-far address add "$far/24" dev outer
    ip -n pwi-far link set outer up
    ip -n pwi-near-host link set host mtu 1400 up
    ip -n pwi-near-host address add "$near_host/24" dev host
    ip -n pwi-far-host link set host mtu 1400 up
    ip -n pwi-far-host address add "$far_host/24" dev host
}

# How many pseudowires there are; more than one answer while they change.
count_pseudowires() { near_pwctl list --json | jq length; }

# Usage: make_some FIRST STEP LAST   one after the other; so many as have failed is what it prints
make_some() {
    local number failed=0
    for ((number = $1; number <= $3; number += $2)); do
        create "pw$number" "$number" $((1000 + number)) 2>>"$scratch/errors" || failed=$((failed + 1))
    done
    echo "$failed"
}

# Usage: remove_some FIRST STEP LAST   every other one by itself, the rest with one command
remove_some() {
    local number failed=0 rest=()
    for ((number = $1; number <= $3; number += $2)); do
        if ((number / $2 % 2)); then
            near_pwctl delete "pw$number" 2>>"$scratch/errors" || failed=$((failed + 1))
        else
            rest+=("pw$number")
        fi
    done
    near_pwctl delete "${rest[@]}" 2>>"$scratch/errors" || failed=$((failed + 1))
    echo "$failed"
}

# Usage: watch_list   until the file `done` appears: a list can be had at any moment; prints how often it could not
watch_list() {
    local failed=0
    while [[ ! -e $scratch/done ]]; do
        count_pseudowires >/dev/null 2>>"$scratch/errors" || failed=$((failed + 1))
        sleep 0.05
    done
    echo "$failed"
}

# Usage: check_churn ID COMMAND   two at once, one with the odd and one with the even numbers
check_churn() {
    local id=$1 command=$2 wanted=$3 failures processes
    : >"$scratch/errors"
    rm -f "$scratch/done"
    watch_list >"$scratch/failed.list" &
    local watcher=$!
    "$command" 1 2 "$sessions" >"$scratch/failed.odd" &
    processes=$!
    "$command" 2 2 "$sessions" >"$scratch/failed.even"
    wait "$processes"
    : >"$scratch/done"
    wait "$watcher"
    failures="$(<"$scratch/failed.odd") $(<"$scratch/failed.even") $(<"$scratch/failed.list")"
    local count
    count=$(count_pseudowires)
    if [[ $failures == "0 0 0" && $count == "$wanted" ]]; then
        result "$id" pass "$count there"
    else
        result "$id" fail "commands failed (odd even list): $failures; $count there, where it should be $wanted: $(
            sort "$scratch/errors" | uniq -c | head -n 5 | tr '\n' ' ')"
    fi
}

# Usage: kill_after SECONDS COMMAND...   SIGKILL, unless it has ended by itself
kill_after() {
    local process
    "${@:2}" >/dev/null 2>&1 &
    process=$!
    sleep "$1"
    kill -KILL "$process" 2>/dev/null || true
    # bash would remark upon it.
    wait "$process" 2>/dev/null || true
}

is_there() { near_pwctl list --json | jq -e --arg name "$1" 'any(.name == $name)' >/dev/null; }

# Usage: moments COMMAND...   24 moments in the life of a command that takes as long as this one, in seconds
moments() {
    local started=$EPOCHREALTIME microseconds step
    ("$@") >/dev/null 2>&1
    microseconds=$((${EPOCHREALTIME/[.,]/} - ${started/[.,]/}))
    for step in {3..26}; do
        printf '%d.%06d\n' 0 $((microseconds * step / 26))
    done
}

# Usage: check_killed ID   among others: what dies at one moment or another can be seen, removed, and made again
check_killed() {
    local delay text="" halves=0 delays before state
    before=$(attachments)
    mapfile -t delays < <(moments create_victim)
    near_pwctl delete victim
    for delay in "${delays[@]}"; do
        kill_after "$delay" create_victim
        [[ $(near_pwctl list 2>&1) != *"died in the middle"* ]] || halves=$((halves + 1))
        if is_there victim; then
            kill_after "$delay" delete_victim
        fi
        ! is_there victim || near_pwctl delete victim >"$scratch/kill" 2>&1 || text+="delete: $(<"$scratch/kill"); "
        state=$(new_lines "$before" "$(attachments)")
        [[ ! $state ]] || text+="left after $delay s: ${state//$'\n'/ }; "
        (create_victim) >"$scratch/kill" 2>&1 || text+="create: $(<"$scratch/kill"); "
        near_pwctl delete victim >"$scratch/kill" 2>&1 || text+="delete: $(<"$scratch/kill"); "
    done
    if [[ ! $text ]]; then
        result "$1" pass "${#delays[@]} killed, $halves of them half-way"
    else
        result "$1" fail "$text"
    fi
}

# Processes that the shell can kill: to be run in a subshell. The victim has a port of its own, to put filters on.
create_victim() {
    exec "$pwctl" create victim --access spare --local "$near" --peer "$far" --session-id 4000 --peer-session-id 4000 \
        --netns pwi-near
}

delete_victim() { exec "$pwctl" delete victim --netns pwi-near; }

# Usage: check_first_killed ID   where there is nothing yet: the one that dies has programs to load and links to make
check_first_killed() {
    local delay text="" state halves=0 delays before
    before=$(attachments)
    mapfile -t delays < <(moments create_victim)
    near_pwctl teardown
    for delay in "${delays[@]}"; do
        kill_after "$delay" create_victim
        state=$(new_lines "$pins_before" "$(pins)")$(new_lines "$before" "$(attachments)")
        if [[ $state ]]; then halves=$((halves + 1)); fi
        near_pwctl list >"$scratch/kill" 2>&1 || text+="list after $delay s: $(<"$scratch/kill"); "
        near_pwctl teardown >"$scratch/kill" 2>&1 || text+="teardown after $delay s: $(<"$scratch/kill"); "
        state=$(new_lines "$pins_before" "$(pins)")$(new_lines "$before" "$(attachments)")
        [[ ! $state ]] || text+="left after $delay s: ${state//$'\n'/ }; "
    done
    if [[ ! $text ]]; then
        result "$1" pass "${#delays[@]} killed, $halves of them had left something"
    else
        result "$1" fail "$text"
    fi
}

# Usage: check_refused ID WORD COMMAND...   exit status 1, one sentence with WORD in it, and everything is as before
check_refused() {
    local id=$1 word=$2 status=0 before after
    before=$(near_pwctl list)
    "${@:3}" >"$scratch/refused" 2>&1 || status=$?
    after=$(near_pwctl list)
    if ((status == 1)) && [[ $(<"$scratch/refused") == *"$word"* && $before == "$after" ]]; then
        result "$id" pass "$(<"$scratch/refused")"
    else
        result "$id" fail "exit status $status: $(tr '\n' ' ' <"$scratch/refused")"
    fi
}

# The numbers of what is pinned: `prog 7`, `map 12`.
pinned_objects() {
    local pin kind line
    while read -r pin; do
        [[ -f $pin ]] || continue
        for kind in prog map; do
            line=$(bpftool "$kind" show pinned "$pin" 2>/dev/null) || continue
            [[ ! $line =~ ^([0-9]+): ]] || echo "$kind ${BASH_REMATCH[1]}"
        done
    done < <(pins)
}

surviving_objects() {
    local kind number
    while read -r kind number; do
        ! bpftool "$kind" show id "$number" >/dev/null 2>&1 || echo "$kind $number"
    done <<<"$1"
}

# Links, their flags, and what hangs on them; without counters and other namespaces' numbers.
attachments() {
    ip -n pwi-near -o link show | sed 's/ mtu .*//; s/@if[0-9]*//; s/^[0-9]*: //'
    tc -n pwi-near qdisc show | sed -nE '/clsact|ingress/s/ *$//p'
}

# Usage: check_teardown ID   in a flood, with pseudowires of all kinds about, one of them perhaps half made
check_teardown() {
    local objects still="" flood
    kill_after 0.02 create_victim
    make_some 1 1 10 >/dev/null
    objects=$(pinned_objects)
    ip netns exec pwi-near-host ping -n -q -f -w 3 "$far_host" >/dev/null 2>&1 &
    flood=$!
    sleep 1
    near_pwctl teardown >"$scratch/teardown" 2>&1 || still="teardown: $(<"$scratch/teardown")"
    # Another namespace's pseudowires are none of its business.
    [[ $("$pwctl" show steady --netns pwi-far --json | jq -r .health.state) == up ]] ||
        still+="the far end is gone too "
    "$pwctl" teardown --netns pwi-far >"$scratch/teardown" 2>&1 || still+="teardown: $(<"$scratch/teardown")"
    if [[ $still ]]; then
        result "$1" fail "${still//$'\n'/; }"
        return
    fi
    for _ in {1..20}; do
        still="$(new_lines "$pins_before" "$(pins)")$(new_lines "$attachments_before" "$(attachments)")"
        still+=$(surviving_objects "$objects")
        [[ $still ]] || break
        sleep 0.1
    done
    wait "$flood" || true
    if [[ ! $still && $objects ]]; then
        result "$1" pass "$(wc -l <<<"$objects") programs and maps are gone, and everything else"
    else
        result "$1" fail "of $(wc -l <<<"$objects") programs and maps and what else there was: ${still//$'\n'/; }"
    fi
}

build_network
pins_before=$(pins)
attachments_before=$(attachments)
check_first_killed L1.first-killed
create steady none 999 || result steady.create fail "see above"
"$pwctl" create steady --netns pwi-far --access access --vlan none --local "$far" --peer "$near" --session-id 999 \
    --peer-session-id 999
check_ping steady.before pwi-near-host "$far_host" 56
ip netns exec pwi-near-host ping -n -q -i 0.02 "$far_host" >"$scratch/steady" 2>&1 &
steady=$!

check_churn L1.create make_some $((sessions + 1))
check_refused U2.session-id "session-id" create another 4001 $((1000 + sessions))
check_refused U2.name pw1 create pw1 4001 4001
check_refused U2.vlan "pw$sessions" create another "$sessions" 4001
check_churn L1.delete remove_some 1
check_killed L1.killed
check_churn L1.create-again make_some $((sessions + 1))
check_churn L1.delete-again remove_some 1

kill -INT "$steady"
wait "$steady" || true
if [[ $(<"$scratch/steady") =~ ([0-9]+)" packets transmitted, "([0-9]+)" received" ]] &&
    ((BASH_REMATCH[1] > 50 && BASH_REMATCH[1] - BASH_REMATCH[2] <= 1)); then
    # The last answer may still have been under way.
    result L1.steady pass "${BASH_REMATCH[0]} meanwhile"
else
    result L1.steady fail "$(tr '\n' ' ' <"$scratch/steady")"
fi
check_teardown L1.teardown
summary
