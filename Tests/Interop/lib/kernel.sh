# shellcheck shell=bash
# What is asked of a whole kernel, and hence only of a guest's. To be sourced after checks.sh.

# What there is of BPF in the whole kernel, by number; other people's stays as it was.
bpf_objects() {
    local kind line
    for kind in prog map; do
        while read -r line; do
            [[ ! $line =~ ^[0-9]+: ]] || echo "$kind ${BASH_REMATCH[0]}"
        done < <(bpftool "$kind" show)
    done
}

# A splat is nobody's success, even if every frame arrived.
check_kernel_log() {
    local splats
    splats=$(dmesg | grep -E 'BUG:|WARNING:|Oops' || true)
    if [[ $splats ]]; then
        result kernel-log fail "${splats//$'\n'/; }"
    else
        result kernel-log pass "no warning"
    fi
}
