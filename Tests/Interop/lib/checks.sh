# The checks that every interop script makes, and the lines it prints about them. To be sourced.
#
# Each check prints one line, `RESULT <id> pass|fail <detail>`, in one write, so that checks may run at the same time.
# The sourcing script sets `scratch`, an empty directory of its own.

readonly pings=5

# The results of checks that run in background processes come together in a file.
result() {
    local id=$1 verdict=$2
    shift 2
    printf 'RESULT %s %s %s\n' "$id" "$verdict" "$*" | tee -a "$scratch/results"
}

failures() {
    grep -c "^RESULT $1.* fail " "$scratch/results" 2>/dev/null || true
}

# Prints the sum; succeeds when there was something to check and all of it passed.
summary() {
    local passed failed
    passed=$(grep -cE '^RESULT [^ ]+ pass' "$scratch/results" 2>/dev/null || true)
    failed=$(grep -cE '^RESULT [^ ]+ fail' "$scratch/results" 2>/dev/null || true)
    echo "SUM ${passed:-0} passed, ${failed:-0} failed, $SECONDS s"
    ((${passed:-0} > 0 && ${failed:-0} == 0))
}

# Usage: check_ping ID NETNS ADDRESS SIZE [LOSS_ALLOWED]
check_ping() {
    local id=$1 netns=$2 address=$3 size=$4 allowed=${5:-0} answer received verdict=fail
    answer=$(ip netns exec "$netns" ping -n -q -c "$pings" -i 0.2 -W 5 -s "$size" "$address" 2>&1 || true)
    received=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' <<<"$answer")
    # A duplicate is as wrong as a loss: somewhere a frame takes two ways.
    if [[ $received && $answer != *duplicates* ]] && ((received >= pings - allowed)); then
        verdict=pass
    fi
    result "$id" "$verdict" "${received:-0} of $pings," "$(grep -E 'rtt|error|duplicate|unreach' <<<"$answer" | tr '\n' ' ')"
}

make_payload() {
    head -c "$1" /dev/urandom >"$scratch/payload"
    sha256sum <"$scratch/payload" | cut -d' ' -f1 >"$scratch/payload.sha256"
}

# Usage: check_tcp ID FROM_NETNS TO_NETNS TO_ADDRESS PORT
# Sends the payload over one connection; what arrives must be that and nothing else.
check_tcp() {
    local id=$1 from=$2 to=$3 address=$4 port=$5 protocol=TCP4 host=$4 got sender started=$EPOCHREALTIME bytes
    [[ $address != *:* ]] || { protocol=TCP6 host="[$address]"; }
    bytes=$(stat -c %s "$scratch/payload")
    ip netns exec "$from" timeout "$tcp_seconds" \
        socat -u "OPEN:$scratch/payload" "$protocol:$host:$port,retry=100,interval=0.1" 2>"$scratch/socat.$id" &
    sender=$!
    got=$(ip netns exec "$to" timeout "$tcp_seconds" \
        socat -u "$protocol-LISTEN:$port,bind=$host,reuseaddr" STDOUT 2>>"$scratch/socat.$id" | sha256sum | cut -d' ' -f1 || true)
    wait "$sender" || true
    if [[ $got == "$(cat "$scratch/payload.sha256")" ]]; then
        result "$id" pass "$bytes bytes in $(milliseconds_since "$started") ms"
    else
        result "$id" fail "$bytes bytes sent, other bytes or none arrived:" \
            "$(sed 's/.*socat[^ ]* //' "$scratch/socat.$id" | tr '\n' ' ')"
    fi
}
readonly tcp_seconds=30

milliseconds_since() {
    local now=$EPOCHREALTIME
    echo $(((${now/[.,]/} - ${1/[.,]/}) / 1000))
}

# Prints a command's output as detail to the last result.
detail() {
    echo "# \$ $*"
    timeout 20 "$@" 2>&1 | sed 's/^/#   /' || true
}
