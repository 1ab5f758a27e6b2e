# shellcheck shell=bash
# The checks that every interop script makes, and the lines it prints about them. To be sourced.
#
# Each check prints one line, `RESULT <id> pass|fail <detail>`, in one write, so that checks may run at the same time.
# The sourcing script sets `scratch`, an empty directory of its own, and `namespaces`, the names of those that it makes;
# it may set `ping_interval`, in seconds.
#
# In an emulated guest it takes a fifth of a second to start a program, hence bash's own means wherever they will do.

readonly pings=5
readonly connect_seconds=10 tcp_seconds=30

delete_namespaces() {
    local namespace
    for namespace in "${namespaces[@]}"; do
        [[ ! -e /run/netns/$namespace ]] || ip netns delete "$namespace"
    done
}

# Usage: leave   for a trap on EXIT: ends what the script has started, and removes what it has made
leave() {
    local running
    for running in $(jobs -p); do
        kill "$running" 2>/dev/null || true
    done
    delete_namespaces
    rm -rf "$scratch"
}

# The results of checks that run in background processes come together in a file.
result() {
    local line="RESULT $1 $2 ${*:3}"
    echo "$line"
    echo "$line" >>"$scratch/results"
}

# Usage: count_results pass|fail [ID_PREFIX]   sets `count`
count_results() {
    local id verdict
    count=0
    [[ -f $scratch/results ]] || return 0
    while read -r _ id verdict _; do
        [[ $verdict != "$1" || $id != "${2:-}"* ]] || count=$((count + 1))
    done <"$scratch/results"
}

# Prints the sum; succeeds when there was something to check and all of it passed.
summary() {
    local passed failed
    count_results pass
    passed=$count
    count_results fail
    failed=$count
    echo "SUM $passed passed, $failed failed, $SECONDS s"
    ((passed > 0 && failed == 0))
}

# Usage: check_ping ID NETNS ADDRESS SIZE [LOSS_ALLOWED]
check_ping() {
    local id=$1 netns=$2 address=$3 size=$4 allowed=${5:-0} answer received=0 rest="" verdict=fail
    local options=(-n -q -c "$pings" -i "${ping_interval:-0.2}" -W 5 -s "$size")
    answer=$(ip netns exec "$netns" ping "${options[@]}" "$address" 2>&1 || true)
    [[ ! $answer =~ ([0-9]+)" received"(.*) ]] || { received=${BASH_REMATCH[1]} rest=${BASH_REMATCH[2]}; }
    # A duplicate is as wrong as a loss: somewhere a frame takes two ways.
    if ((received >= pings - allowed)) && [[ $answer != *duplicates* ]]; then
        verdict=pass
    fi
    result "$id" "$verdict" "$received of $pings${rest//$'\n'/ }"
}

# Usage: at_once CHECK ARGUMENT... , CHECK ARGUMENT... ,   runs the checks at the same time and waits for them alone
at_once() {
    local check=() word processes=()
    for word in "$@"; do
        if [[ $word != , ]]; then
            check+=("$word")
            continue
        fi
        "${check[@]}" &
        processes+=($!)
        check=()
    done
    wait "${processes[@]}"
}

make_payload() {
    head -c "$1" /dev/urandom >"$scratch/payload"
    payload_bytes=$1
    payload_sha256=$(sha256sum <"$scratch/payload")
    nothing_sha256=$(sha256sum </dev/null)
}

# Usage: check_tcp ID FROM_NETNS TO_NETNS TO_ADDRESS PORT
# Sends the payload over one connection; what arrives must be that and nothing else.
check_tcp() {
    local id=$1 from=$2 to=$3 address=$4 port=$5 protocol=TCP4 got sender started=$EPOCHREALTIME
    [[ $address != *:* ]] || { protocol=TCP6 address="[$4]"; }
    ip netns exec "$from" timeout "$tcp_seconds" \
        socat -u "OPEN:$scratch/payload" "$protocol:$address:$port,retry=100,interval=0.1" 2>"$scratch/sender.$id" &
    sender=$!
    got=$(ip netns exec "$to" timeout "$tcp_seconds" \
        socat -u "$protocol-LISTEN:$port,bind=$address,reuseaddr,accept-timeout=$connect_seconds" STDOUT \
        2>"$scratch/receiver.$id" | sha256sum || true)
    if [[ $got == "$payload_sha256" ]]; then
        wait "$sender" || true
        result "$id" pass "$payload_bytes bytes in $(milliseconds_since "$started") ms"
        return
    fi
    # A sender whose receiver has given up would go on trying.
    kill "$sender" 2>/dev/null || true
    wait "$sender" || true
    [[ $got == "$nothing_sha256" ]] && got="nothing arrived" || got="something else or a part arrived"
    result "$id" fail "$payload_bytes bytes sent, $got: $(cat "$scratch"/{sender,receiver}."$id" | tr '\n' ' ')"
}

milliseconds_since() {
    local now=$EPOCHREALTIME
    echo $(((${now/[.,]/} - ${1/[.,]/}) / 1000))
}

# Usage: new_lines BEFORE AFTER   prints the lines of AFTER that BEFORE does not have
new_lines() {
    local line
    while read -r line; do
        [[ -z $line || $'\n'$1$'\n' == *$'\n'"$line"$'\n'* ]] || echo "$line"
    done <<<"$2"
}

# Some kernels put pins of their own into a file system that has just been mounted (CONFIG_BPF_PRELOAD).
pins() { find /sys/fs/bpf -mindepth 1 -depth; }

# Usage: remove_pins PIN...   deepest first, as `pins` lists them
remove_pins() {
    local pin
    for pin in "$@"; do
        if [[ -d $pin ]]; then rmdir "$pin"; else rm -f "$pin"; fi
    done
}

# Prints a command's output as detail to the last result.
detail() {
    echo "# \$ $*"
    timeout 20 "$@" 2>&1 | sed 's/^/#   /' || true
}
