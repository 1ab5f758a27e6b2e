/// What this process may do, read from /proc.
enum Privileges {
    /// Names of the needed capabilities that are missing.
    static func missing() -> [String] {
        guard let status = FileSystem.read("/proc/self/status"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
            let bits = UInt64(line.drop { $0 != ":" }.dropFirst().filter { !$0.isWhitespace }, radix: 16)
        else { return [] }
        func has(_ capability: UInt64) -> Bool { bits >> capability & 1 == 1 }
        var missing: [String] = []
        if !has(12) { missing.append("CAP_NET_ADMIN") }
        // Before CAP_BPF existed, and still, CAP_SYS_ADMIN includes it.
        if !has(39), !has(21) { missing.append("CAP_BPF") }
        return missing
    }

    static func check() throws(PseudowireError) {
        let missing = missing()
        guard missing.isEmpty else {
            throw .refused("this needs \(missing.joined(separator: " and ")): run it as root")
        }
    }
}
