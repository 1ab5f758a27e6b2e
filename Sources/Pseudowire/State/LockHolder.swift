internal import Glibc

/// Who holds a lock that another command waits for, as far as /proc tells this process.
enum LockHolder {
    /// ": pwctl, process 4711"; empty where it cannot be found.
    static func of(_ descriptor: Int32) -> String {
        process(holding: descriptor).map(name) ?? ""
    }

    /// The process alone.
    static func process(holding descriptor: Int32) -> Int32? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, let locks = FileSystem.read("/proc/locks") else { return nil }
        return process(in: locks, holding: status)
    }

    /// ": pwctl, process 4711".
    static func name(_ process: Int32) -> String {
        // Of another user's process not even its name may be seen (hidepid=, ProtectProc=).
        guard let name = FileSystem.read("/proc/\(process)/comm") else { return ": process \(process)" }
        // A process gives itself what name it likes.
        let text = name.unicodeScalars.filter { (0x20..<0x7f).contains($0.value) }
        return ": \(String(String.UnicodeScalarView(text))), process \(process)"
    }

    /// With whose rights a process acts; nil where it cannot be found.
    ///
    /// Not the owner of its directory in /proc: that is root's for every process that cannot be dumped.
    static func user(of process: Int32) -> UInt32? {
        let lines = FileSystem.read("/proc/\(process)/status")?.split(separator: "\n")
        // Real, effective, saved, and for file systems.
        let words = lines?.first { $0.hasPrefix("Uid:") }?.split(whereSeparator: \.isWhitespace)
        return words.flatMap { $0.count > 2 ? UInt32($0[2]) : nil }
    }

    /// The process that a line like this one names:
    /// `3: FLOCK  ADVISORY  WRITE 4711 00:1d:12345 0 EOF`; of one that waits, "->" comes second.
    ///
    /// fs/locks.c, `lock_get_status()`: device in hexadecimal, inode in decimal digits.
    static func process(in locks: String, holding file: stat) -> Int32? {
        let major = file.st_dev >> 8 & 0xfff | file.st_dev >> 32 & ~0xfff
        let minor = file.st_dev & 0xff | file.st_dev >> 12 & ~0xff & 0xffff_ffff
        for line in locks.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 5, words[1] == "FLOCK" else { continue }
            let place = words[5].split(separator: ":")
            guard place.count == 3, UInt(place[0], radix: 16) == major, UInt(place[1], radix: 16) == minor,
                UInt(place[2]) == file.st_ino, let process = Int32(words[4]), process > 0
            else { continue }
            return process
        }
        return nil
    }
}
