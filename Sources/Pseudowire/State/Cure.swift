internal import SystemPackage

/// What helps against errors that are not about what was asked for, but about what the machine has left.
enum Cure {
    /// Nil where the errno says too little to advise anything.
    static func of(_ errno: Errno) -> String? {
        switch errno {
        case .tooManyOpenFiles:
            "this process may have no more files open: raise its limit ('ulimit -n 256', or systemd's LimitNOFILE=)"
        case .tooManyOpenFilesInSystem: "the machine may have no more files open: sysctl fs.file-max"
        case .noMemory:
            "the kernel gives no memory for it: ask for fewer --max-sessions, or raise the limit that holds here (the "
                + "control group's memory.max, systemd's MemoryMax=)"
        case .readOnlyFileSystem: "mount it writable: 'mount -o remount,rw /sys/fs/bpf', or systemd's ReadWritePaths="
        default: nil
        }
    }

    /// The same of an operation on a BPF map.
    static func ofMap(_ errno: Errno) -> String? {
        guard errno == .argListTooLong else { return of(errno) }
        return
            "the map is full: what is to come is put beside what is to go, so delete some first, or 'teardown' and ask "
            + "for more --max-sessions"
    }
}
