#!/bin/bash
# Usage: privileges.sh PWCTL
#
# PWCTL as a user who is not root and has the capabilities that it says it needs, and no other; then with each of them
# missing. Runs on any kernel; also in the guest of ../guest/run.sh.
#
#   A1   three capabilities are enough   A2   each one that is missing is named   A3   pins are their owner's alone
#   A4   another namespace takes one more   A5   what doctor says   A6   upgrades
#   A7   what root makes in a user's state is the user's   A8   a directory that somebody has put there for root
#   A9   a BPF file system of mode 0700, as systemd mounts it   A10   interfaces of the datapath's own that were removed

set -euo pipefail

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
readonly here
# shellcheck source=../lib/private.sh
source "$here/../lib/private.sh"
# shellcheck source=../lib/checks.sh
source "$here/../lib/checks.sh"

readonly pwctl=${1:?usage: privileges.sh PWCTL}
run_privately "$@"
readonly scratch=/run/pwi namespaces=(pwi-here pwi-there)
mkdir "$scratch"
readonly needed=(net_admin bpf perfmon) user=65534

# Usage: as USER NETNS CAPABILITY... -- WORD...   sets `status` and `answer`
as() {
    local uid=$1 netns=$2 capabilities=-all
    shift 2
    while [[ $1 != -- ]]; do
        capabilities+=,+$1
        shift
    done
    shift
    status=0
    answer=$(nsenter --net="/run/netns/$netns" setpriv --reuid="$uid" --regid="$uid" --clear-groups \
        --inh-caps="$capabilities" --ambient-caps="$capabilities" --bounding-set="$capabilities" "$pwctl" "$@" 2>&1) ||
        status=$?
}

# Usage: as_root WORD...   with every capability, in pwi-here; sets `status` and `answer`
as_root() {
    status=0
    answer=$(nsenter --net=/run/netns/pwi-here "$pwctl" "$@" 2>&1) || status=$?
}

# Usage: expect ID STATUS WORDS   of what `as` has found
expect() {
    if [[ $status == "$2" && $answer == *"$3"* ]]; then
        result "$1" pass "status $status"
    else
        result "$1" fail "status $status: ${answer//$'\n'/; }"
    fi
}

# Usage: expect_unchanged ID BEFORE
expect_unchanged() {
    if [[ $(there_is) == "$2" ]]; then
        result "$1" pass "as before"
    else
        result "$1" fail "$(diff <(echo "$2") <(there_is) | tr '\n' ' ')"
    fi
}

there_is() {
    pins | sort
    ip -n pwi-here -brief link show
    tc -n pwi-here qdisc show | grep clsact || true
}

build() {
    local netns
    for netns in "${namespaces[@]}"; do
        ip netns add "$netns"
        ip -n "$netns" link add access up type veth peer name host
        ip -n "$netns" link add second up type veth peer name second-host
        ip -n "$netns" link add outer up type veth peer name far
        ip -n "$netns" link set host up
        ip -n "$netns" link set second-host up
        ip -n "$netns" link set far up
        ip -n "$netns" address add 192.0.2.21/24 dev outer
    done
    # Link-local addresses are no business of anybody's here, and come when they like.
    sleep 0.5
}

build
readonly create=(create pw0 --access access --local 192.0.2.21 --peer 192.0.2.22 --session-id 1012
    --peer-session-id 1021)
before=$(there_is)

for missing in "${needed[@]}"; do
    others=()
    for capability in "${needed[@]}"; do
        [[ $capability == "$missing" ]] || others+=("$capability")
    done
    as $user pwi-here "${others[@]}" -- "${create[@]}"
    expect "A2.create-without-$missing" 1 "this needs CAP_${missing^^} (for "
    as $user pwi-here "${others[@]}" -- doctor
    expect "A2.doctor-without-$missing" 1 "[PROBLEM] CAP_${missing^^}: missing, for "
done
expect_unchanged A2.nothing-made "$before"

as $user pwi-here "${needed[@]}" -- "${create[@]}"
expect A1.create 0 ""
as $user pwi-here "${needed[@]}" -- show pw0
expect A1.show 0 "up: carrying frames of access"
as $user pwi-here "${needed[@]}" -- set pw0 --ttl 9
expect A1.set 0 ""
as $user pwi-here "${needed[@]}" -- stats --json
expect A1.stats 0 '"pw0"'
as $user pwi-here "${needed[@]}" -- export
expect A1.export 0 "ttl"
as $user pwi-here "${needed[@]}" -- doctor access outer
expect A5.fit 0 "[ ok ]    CAP_PERFMON: there"
expect A5.only-for-others 0 "[ ok ]    CAP_SYS_ADMIN: missing, but only for"

mode=$(stat -c '%a %u' /sys/fs/bpf/pseudowire /sys/fs/bpf/pseudowire/* | sort -u)
if [[ $mode == "700 $user" ]]; then
    result A3.mode pass "$mode"
else
    result A3.mode fail "$mode"
fi
as 65533 pwi-here "${needed[@]}" -- list
expect A3.list-as-another 1 "belongs to user $user"
as 65533 pwi-here "${needed[@]}" -- delete pw0
expect A3.delete-as-another 1 "belongs to user $user"

as $user pwi-here "${needed[@]}" -- "${create[@]}" --netns pwi-there
expect A4.without 1 "it needs CAP_SYS_ADMIN (for network namespaces other than one's own)"
as $user pwi-here "${needed[@]}" -- doctor --netns pwi-there
expect A4.doctor 1 "[PROBLEM] CAP_SYS_ADMIN: missing"
as $user pwi-here "${needed[@]}" sys_admin -- "${create[@]}" --netns pwi-there
expect A4.with 0 ""
as $user pwi-here "${needed[@]}" sys_admin -- teardown --netns pwi-there
expect A4.teardown 0 ""

as $user pwi-here "${needed[@]}" -- upgrade
expect A6.nothing-to-do 0 "nothing to upgrade: ABI "
as $user pwi-here "${needed[@]}" -- upgrade --force --dry-run
expect A6.dry-run 0 "exchange decap of outer"
as $user pwi-here "${needed[@]}" -- upgrade --force
expect A6.forced 0 "generation 1"
as $user pwi-here "${needed[@]}" -- show pw0
expect A6.up 0 "up: carrying frames of access"
# Pairs that somebody has removed are made anew, and watched over as before.
ip -n pwi-here link del pw-split0
ip -n pwi-here link del pw-join0
as $user pwi-here "${needed[@]}" -- set pw0 --ttl 10
expect A10.pairs-made 0 ""
as $user pwi-here "${needed[@]}" -- show pw0
expect A10.pairs-whole 0 "up: carrying frames of access"
programs=$(ip -n pwi-here -json -details link show | jq -r '[.[] | select(.xdp) | .ifname] | sort | join(" ")')
if [[ $programs == "pw-join0 pw-split0" ]]; then
    result A10.pairs-watched pass "$programs"
else
    result A10.pairs-watched fail "$programs"
fi
# The number of the ABI is the second word of what `meta` says.
meta=(/sys/fs/bpf/pseudowire/*/meta)
words=$(bpftool map lookup pinned "${meta[0]}" key 0 0 0 0 -j | jq -r '[.value[]?] | map(ltrimstr("0x")) | join(" ")')
read -ra octets <<<"$words"
abi=${octets[4]}
octets[4]=$(printf %02x $((16#$abi - 1)))
bpftool map update pinned "${meta[0]}" key hex 0 0 0 0 value hex "${octets[@]}"
as $user pwi-here "${needed[@]}" -- upgrade
expect A6.another-release 1 "takes CAP_SYS_ADMIN, to read how its maps are laid out"
as $user pwi-here "${needed[@]}" -- doctor
expect A6.doctor 0 "pwctl upgrade as root, for it takes CAP_SYS_ADMIN"
octets[4]=$abi
bpftool map update pinned "${meta[0]}" key hex 0 0 0 0 value hex "${octets[@]}"

as $user pwi-here "${needed[@]}" -- delete pw0
expect A1.delete 0 ""
expect_unchanged A1.nothing-left "$before"

as $user pwi-here "${needed[@]}" -- "${create[@]}"
second=("${create[@]/pw0/pw1}")
second=("${second[@]/1012/1013}")
as_root "${second[@]/#access/second}"
expect A7.root-creates 0 ""
as_root upgrade --force
expect A7.root-upgrades 0 "generation 1"
mode=$(stat -c '%a %u %g' /sys/fs/bpf/pseudowire /sys/fs/bpf/pseudowire/* | sort -u)
owners=$(find /sys/fs/bpf/pseudowire -printf '%u %g\n' | sort -u)
if [[ $mode == "700 $user $user" && $(wc -l <<<"$owners") == 1 ]]; then
    result A7.owners pass "$mode"
else
    result A7.owners fail "$mode; $owners"
fi
as $user pwi-here "${needed[@]}" -- list
expect A7.list 0 "pw1"
as $user pwi-here "${needed[@]}" -- set pw1 --ttl 9
expect A7.set 0 ""
as $user pwi-here "${needed[@]}" -- delete pw0
expect A7.delete 0 ""
as $user pwi-here "${needed[@]}" -- teardown
expect A7.teardown 0 ""
expect_unchanged A7.nothing-left "$before"

# Directories, also one that is called as a pin is, and links: all that a user without capabilities can make.
someone() { setpriv --reuid=65533 --regid=65533 --clear-groups --inh-caps=-all "$@"; }
someone mkdir /sys/fs/bpf/pseudowire
as_root "${create[@]}"
expect A8.empty 1 "belongs to user 65533, who has no pseudowires: remove it ('rmdir /sys/fs/bpf/pseudowire')"
someone mkdir -p /sys/fs/bpf/pseudowire/1/meta
as_root "${create[@]}"
expect A8.directories 1 "belongs to user 65533, who has no pseudowires"
as_root list
expect A8.list 0 ""
someone rmdir -p /sys/fs/bpf/pseudowire/1/meta 2>/dev/null || true
someone mkdir /sys/fs/bpf/mine
someone ln -s mine /sys/fs/bpf/pseudowire
as_root "${create[@]}"
expect A8.link 1 "/sys/fs/bpf/pseudowire is no directory but a link"
as_root list
expect A8.list-of-link 1 "/sys/fs/bpf/pseudowire is no directory but a link"
someone rm /sys/fs/bpf/pseudowire
someone rmdir /sys/fs/bpf/mine
expect_unchanged A8.nothing-left "$before"

# Usage: check_way PREFIX   with the file system's mode as it has been made by then
check_way() {
    as $user pwi-here "${needed[@]}" -- doctor
    expect "$1.doctor" 0 "[ ok ]    BPF file system: mounted at /sys/fs/bpf"
    as $user pwi-here "${needed[@]}" -- "${create[@]}"
    expect "$1.create" 0 ""
    as $user pwi-here "${needed[@]}" -- delete pw0
    expect "$1.delete" 0 ""
    rmdir /sys/fs/bpf/pseudowire
    chmod 700 /sys/fs/bpf
}

mode=$(stat -c %a /sys/fs/bpf)
chmod 700 /sys/fs/bpf
cure="have root do 'chmod a+x /sys/fs/bpf' and 'install -d -o $user -m 700 /sys/fs/bpf/pseudowire'"
as $user pwi-here "${needed[@]}" -- "${create[@]}"
expect A9.create-refused 1 "make directory /sys/fs/bpf/pseudowire: Permission denied; run it as root, or $cure"
as $user pwi-here "${needed[@]}" -- list
expect A9.list-refused 1 "$cure"
as $user pwi-here "${needed[@]}" -- doctor
expect A9.doctor-refuses 1 "[PROBLEM] BPF file system: mounted at /sys/fs/bpf, but user $user may not make anything there"
expect A9.doctor-cures 1 "$cure"
chmod a+x /sys/fs/bpf
as $user pwi-here "${needed[@]}" -- "${create[@]}"
expect A9.no-directory 1 "$cure"
install -d -o $user -m 700 /sys/fs/bpf/pseudowire
check_way A9.cured
# What the unit has done as root before the agent starts.
while read -r line; do
    eval "${line//pwctl/$user}"
done < <(sed -n 's/^ExecStartPre=+//p' "$here/../../../Packaging/systemd/pwctl-agent.service")
check_way A9.unit
chmod "$mode" /sys/fs/bpf
expect_unchanged A9.nothing-left "$before"
delete_namespaces
summary
