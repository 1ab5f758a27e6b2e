#!/bin/bash
# Usage: prepare.sh CACHE_DIR
#
# Puts a bootable Debian 6.1 kernel into CACHE_DIR/guest: `kernel`, `initramfs`, `release` (the kernel's version) and
# `lib/modules`. The package is unpacked, not installed: the host keeps its own kernel, boot loader and modules.
# Does nothing when that is already there. Whatever an interrupted run left behind is thrown away by the next one.

set -euo pipefail

mkdir -p "${1:?usage: prepare.sh CACHE_DIR}"
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
cache=$(realpath "$1")
guest=$cache/guest
readonly here cache guest

# A name such as linux-image-6.1.0-49-amd64. Only 6.1 will do: it is the oldest kernel we promise to run on.
concrete_kernel_package() {
    apt-cache depends --important linux-image-amd64 2>/dev/null |
        awk '$1 == "Depends:" && $2 ~ /^linux-image-6\.1\./ && !found++ { print $2 }'
}

# The package lists of a fresh machine are empty, those of an old one name packages that have been superseded.
download_kernel_package() {
    local directory=$1 attempt package
    for attempt in first second; do
        package=$(concrete_kernel_package)
        if [[ $package ]] && (cd "$directory" && apt-get -qq -o APT::Sandbox::User=root download "$package"); then
            return
        fi
        [[ $attempt == second ]] || apt-get -qq update
    done
    echo "prepare.sh: cannot download a linux-image-6.1.*-amd64 package; this needs Debian 12's package sources" >&2
    return 1
}

# A kernel that unpacks itself spends seconds on it when every instruction is emulated; QEMU boots the bare one as well.
unpack_kernel() {
    local packed=$1 kernel=$2 offset
    offset=$(LC_ALL=C grep --only-matching --byte-offset --text $'\xfd7zXZ' "$packed" | awk -F: 'NR == 1 { print $1 }')
    # What follows the compressed part makes xz complain at the end; whether it worked is seen from the result.
    tail -c "+$((${offset:-0} + 1))" "$packed" 2>/dev/null | xz -dc >"$kernel" 2>/dev/null || true
    [[ $(head -c 4 "$kernel" | tail -c 3) == ELF ]] || mv "$packed" "$kernel"
}

# Copies what the kernel needs before it can see the host's files, and lists it in the order of loading.
copy_boot_modules() {
    local modules=$1 release=$2 root=$3 line
    modprobe --dirname "$modules" --set-version "$release" --show-depends --all virtio_pci 9pnet_virtio 9p overlay |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
        while read -r line; do
            cp "$line" "$root/modules/"
            basename "$line" >>"$root/modules/order"
        done
}

build_initramfs() {
    local modules=$1 release=$2 image=$3 root=$3.root
    mkdir -p "$root"/{bin,modules,dev,proc,sys,host,writable,root}
    cp "$(command -v busybox)" "$root/bin/busybox"
    ln -s busybox "$root/bin/sh"
    install -m 755 "$here/init" "$root/init"
    copy_boot_modules "$modules" "$release" "$root"
    (cd "$root" && find . -print0 | cpio --quiet --null --create --format=newc) | gzip -1 >"$image"
    rm -rf "$root"
}

# Changes with everything the result is made from, so that an edited init reaches the guest without cleaning by hand.
fingerprint() {
    cat "$here/prepare.sh" "$here/init" | sha256sum | cut -d' ' -f1
}

exec {lock}>"$cache/.guest.lock"
flock "$lock"
[[ -f $guest/fingerprint && $(cat "$guest/fingerprint") == "$(fingerprint)" ]] && exit 0

rm -rf "$cache"/.guest.new.*
new=$(mktemp -d "$cache/.guest.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [[ -f $guest/kernel ]]; then
    # Only the scripts changed: the downloaded kernel is still good.
    cp -al "$guest/." "$new/"
    rm -f "$new/initramfs" "$new/fingerprint"
else
    download_kernel_package "$new"
    dpkg-deb -x "$new"/*.deb "$new/package"
    unpack_kernel "$new"/package/boot/vmlinuz-* "$new/kernel"
    mv "$new/package/lib" "$new/lib"
    basename "$new"/lib/modules/* >"$new/release"
    rm -rf "$new"/*.deb "$new/package"
    depmod --basedir "$new" "$(cat "$new/release")"
fi
build_initramfs "$new" "$(cat "$new/release")" "$new/initramfs"
fingerprint >"$new/fingerprint"

chmod 755 "$new"
# Moved away before it is deleted: a half-deleted directory must never look like a finished one.
[[ ! -d $guest ]] || mv -T "$guest" "$cache/.guest.new.old"
mv -T "$new" "$guest"
rm -rf "$cache/.guest.new.old"
