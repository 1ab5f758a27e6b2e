#!/bin/bash
# Usage: run.sh CACHE_DIR TIMEOUT_SECONDS JOB...
#
# Boots the kernel that prepare.sh put into CACHE_DIR and runs JOB, a bash command line, in it as root and in the
# current directory. The guest sees the host's files (its writes stay in its memory): what is built on the host runs;
# /run is empty, /sys/fs/bpf is mounted, modprobe finds the guest kernel's modules. Prints what the job prints on both
# its outputs; exits as the job does, with 124 on timeout and with 125 when the guest did not get as far as an answer.
# Needs no KVM: every instruction is emulated.

set -euo pipefail

if (($# < 3)); then
    echo "usage: run.sh CACHE_DIR TIMEOUT_SECONDS JOB..." >&2
    exit 64
fi
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
guest=$(realpath -m "$1")/guest
readonly here guest seconds=$2
shift 2
[[ -f $guest/fingerprint ]] || { echo "run.sh: nothing to boot in $guest; run prepare.sh first" >&2; exit 125; }

# A killed run cannot tidy up behind itself; the next one does it. The name carries the owner's process id.
temporary=$(realpath "${TMPDIR:-/tmp}")
readonly temporary
for leftover in "$temporary"/pwi-guest.*.*; do
    owner=${leftover#"$temporary"/pwi-guest.}
    [[ -d /proc/${owner%.*} ]] || rm -rf "$leftover"
done
job=$(mktemp -d "$temporary/pwi-guest.$$.XXXXXX")
readonly job
machine=
cleanup() {
    [[ -z $machine ]] || kill -TERM "$machine" 2>/dev/null || true
    wait
    rm -rf "$job"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cp "$here/main" "$job/main"
printf '%s\n' "$*" >"$job/command"
printf '%s\n' "$guest/lib/modules" >"$job/modules"
pwd >"$job/directory"
mkfifo "$job/output"

kernel_options=(
    console=ttyS0 quiet loglevel=5 panic=-1 no_timer_check mitigations=off random.trust_cpu=on nowatchdog "guest.job=$job"
)
machine_options=(
    -accel tcg,thread=multi -cpu max -smp 2 -m 2048 -nodefaults -no-user-config -no-reboot -display none
    -kernel "$guest/kernel" -initrd "$guest/initramfs" -append "${kernel_options[*]}"
    -fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap
    -device virtio-9p-pci,fsdev=host,mount_tag=host
    -serial "file:$job/console" -serial "file:$job/output"
)
# Two cables, each with a card at both ends: 52:54:00:00:0CABLE:0END. Who wants them loads virtio_net. Without what a card
# may do for a guest's benefit: XDP programs want frames as they are.
for cable in 1 2; do
    for end in 1 2; do
        machine_options+=(
            -netdev "hubport,id=cable$cable-$end,hubid=$cable"
            -device "virtio-net-pci,netdev=cable$cable-$end,mac=52:54:00:00:0$cable:0$end,romfile=,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off"
        )
    done
done

cat "$job/output" &
# A killed script runs no trap: the kernel then ends `timeout`, and `timeout` the machine.
setpriv --pdeathsig TERM timeout --kill-after=5 "$seconds" \
    setpriv --pdeathsig KILL qemu-system-x86_64 "${machine_options[@]}" </dev/null >"$job/machine" 2>&1 &
machine=$!

# `cat` comes to its end when the machine is gone, unless the machine never got to open the pipe.
status=0
wait "$machine" || status=$?
machine=
: <>"$job/output"
wait

answer=$(sed -n 's/.*guest\.main: exit status \([0-9]*\).*/\1/p' "$job/console" 2>/dev/null | tail -n 1 || true)
grep -sE -A 25 'BUG:|WARNING:|Oops' "$job/console" | head -n 80 | tr -d '\r' | sed 's/^/guest kernel: /' >&2 || true
if [[ $answer ]]; then
    exit "$answer"
elif ((status == 124)); then
    echo "run.sh: the job did not end within $seconds s" >&2
    exit 124
fi
{
    echo "run.sh: the guest ended without an answer (qemu: exit status $status); its last words:"
    cat "$job/machine"
    head -n 60 "$job/console" | tr -d '\r'
} >&2
exit 125
