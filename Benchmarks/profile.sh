#!/bin/bash
# Usage: profile.sh BENCH [CONTENDER [WORK]]
#
# Where the time goes in the rows of the bench that are about frames: the whole machine is sampled, kernel included, while one
# contender carries one kind of work for long. What setting up costs is left out. Prints for each what share of the samples each
# function has, by itself and with what it calls. What runs with interrupts off is sampled where they are on again. Needs
# root, perf (linux-perf), jq, and for l2tp_eth a kernel that has it: `make profile` runs this here and in the guest of
# Tests/Interop.

set -euo pipefail

readonly bench=${1:?usage: profile.sh BENCH [CONTENDER [WORK]]}
readonly seconds=${SECONDS_EACH:-4}
contenders=('redirect, no tunnel' 'VXLAN, kernel' 'ours, UDP over IPv4')
if [[ -d /sys/module/l2tp_eth ]]; then
    contenders+=('l2tp_eth, kernel')
else
    contenders+=('redirect by XDP, no tunnel' 'ours, UDP over IPv4, XDP')
fi
works=('TCP, 1 flow' '64-octet frames from' '64-octet frames injected')
[[ -z ${2:-} ]] || contenders=("$2")
[[ -z ${3:-} ]] || works=("$3")
readonly contenders works
scratch=$(mktemp -d)
readonly scratch
trap 'rm -rf "$scratch"' EXIT

# Usage: profile CONTENDER WORK
profile() {
    if ! perf record -q -a -g -e cpu-clock -F 499 -o "$scratch/data" -- \
        "$bench" --only "^$1/(offloads as|frames injected).*/$2" --rounds 1 --seconds "$seconds" \
        --output "$scratch" >"$scratch/said" 2>&1; then
        echo "== $1, $2: could not be run: $(tail -n 1 "$scratch/said")"
        return
    fi
    echo "== $1, $2: $(jq -r '[.chain.samples[] | "\(.value * 100 | round / 100) \(.work | split(", ")[-1])"] | join("; ")' \
        "$scratch/datapath.json")"
    perf script -i "$scratch/data" --comms "datapath-bench$(printf ',ksoftirqd/%s' $(seq 0 $(($(nproc) - 1))))" -F comm,ip,sym 2>/dev/null | awk '
        function name_of(line) { sub(/^[ \t]*[0-9a-f]+ /, "", line); sub(/ \(.*$/, "", line); return line }
        function finish(    i, symbol) {
            if (depth && !is_setup) {
                total++
                own[stack[0]]++
                split("", seen)
                for (i = 0; i < depth; i++) {
                    symbol = stack[i]
                    if (symbol in seen) continue
                    seen[symbol] = 1
                    all[symbol]++
                }
                if (stack[0] ~ /^bpf_prog_[0-9a-f]+_/) programs++
                if (stack[0] ~ /copy|memcpy|memmove|memset|csum_partial|clear_page/) octets++
            }
            depth = is_setup = 0
        }
        /^$/ { finish(); next }
        /^[ \t]/ {
            symbol = name_of($0)
            if (symbol ~ /^(bpf_prog_load|bpf_check|map_create|bpf_map_do_batch|bpf_map_free|rtnetlink_rcv|copy_net_ns|.*exec.*|cleanup_net|do_exit|exc_page_fault|asm_exc_page_fault|bpf_obj|generic_map|__do_sys_perf.*|vfs_.*|do_sys_open.*|link_create|tcx_link_attach)$/)
                is_setup = 1
            stack[depth++] = symbol
        }
        END {
            finish()
            if (!total) { print "nothing was sampled"; exit }
            printf "%d samples; BPF programs themselves %.1f %%, copying, clearing and summing octets %.1f %%\n", total, \
                100 * programs / total, 100 * octets / total
            for (symbol in own) printf "own %6.1f %%  %s\n", 100 * own[symbol] / total, symbol | "sort -k2,2nr | head -n 12"
            close("sort -k2,2nr | head -n 12")
            for (symbol in all) if (symbol !~ /^(\$s|__libc|datapath_bench)/) printf "all %6.1f %%  %s\n", 100 * all[symbol] / total, symbol | "sort -k2,2nr | head -n 45"
        }'
}

for contender in "${contenders[@]}"; do
    for work in "${works[@]}"; do
        # XDP programs are measured where frames are injected.
        [[ $contender == *XDP* && $work != *injected ]] || profile "$contender" "$work"
    done
done
