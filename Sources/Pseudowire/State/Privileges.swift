/// What this process may do, read from /proc.
enum Privileges {
    /// One of the kernel's capabilities, and what it is needed for here.
    struct Capability {
        /// `CAP_*` of `linux/capability.h`.
        let number: UInt64
        let name: String
        let purpose: String
        /// Whether `CAP_SYS_ADMIN` includes it: until Linux 5.8 there was nothing else.
        var isPartOfSysAdmin = true
    }

    static let netAdmin = Capability(
        number: 12, name: "CAP_NET_ADMIN", purpose: "interfaces, filters, IPsec policies", isPartOfSysAdmin: false)
    /// Those that everything takes.
    static let needed = [
        netAdmin,
        Capability(number: 39, name: "CAP_BPF", purpose: "BPF maps and programs"),
        Capability(number: 38, name: "CAP_PERFMON", purpose: "BPF programs that follow pointers into packets"),
    ]
    static let sysAdmin = Capability(
        number: 21, name: "CAP_SYS_ADMIN", purpose: "network namespaces other than one's own", isPartOfSysAdmin: false)

    /// What else it is needed for: `BPF_BTF_GET_FD_BY_ID`, which says how the maps of another release are laid out.
    static let sysAdminUpgrades = "upgrades of another release's datapath"

    /// The effective capabilities, as bits; nil where /proc does not say.
    private static func effective() -> UInt64? {
        FileSystem.read("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
            .flatMap { UInt64($0.drop { $0 != ":" }.dropFirst().filter { !$0.isWhitespace }, radix: 16) }
    }

    static func has(_ capability: Capability) -> Bool {
        guard let bits = effective() else { return true }
        func isSet(_ number: UInt64) -> Bool { bits >> number & 1 == 1 }
        return isSet(capability.number) || capability.isPartOfSysAdmin && isSet(sysAdmin.number)
    }

    /// The needed capabilities that are missing.
    static func missing() -> [Capability] { needed.filter { !has($0) } }

    static func check() throws(PseudowireError) {
        let missing = missing()
        guard missing.isEmpty else {
            let list = missing.map { "\($0.name) (for \($0.purpose))" }.joined(separator: " and ")
            throw .refused("this needs \(list): run it as root, or give it what is missing")
        }
    }
}
