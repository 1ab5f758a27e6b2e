# shellcheck shell=bash
# A corner of the machine for one script: mounts, processes, namespace names and BPF pins of its own. To be sourced.
#
# When the script ends, however it ends, the kernel takes the corner away with everything in it: processes, network
# namespaces, pins and temporary files. So a killed run leaves nothing behind, and two runs do not see each other.

# Usage: run_privately "$@"   returns inside the corner; outside it waits for the end and exits with that status
run_privately() {
    if [[ ${PWI_PRIVATE:-} == yes ]]; then
        unset PWI_PRIVATE
        mount -t tmpfs tmpfs /run
        mount -t bpf bpf /sys/fs/bpf
        mkdir /run/netns /run/lock
        return
    fi
    local corner status=0
    # The first process in the corner dies with `unshare`, and all others with the first. `unshare` itself is deaf to
    # everything but SIGKILL.
    PWI_PRIVATE=yes setpriv --pdeathsig KILL \
        unshare --mount --pid --fork --kill-child --mount-proc "$BASH" "$(realpath "$0")" "$@" &
    corner=$!
    trap 'kill -KILL "$corner" 2>/dev/null || true' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    wait "$corner" || status=$?
    trap - EXIT
    exit "$status"
}
