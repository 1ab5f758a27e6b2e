internal import CPseudowireBPF
internal import SystemPackage

/// What the kernel says about a program.
///
/// ```swift
/// for program in try ProgramInfo.all() where program.name.hasPrefix("pw_") { print(program.id, program.mapIDs) }
/// ```
public struct ProgramInfo: Sendable, Equatable {
    /// The kernel's number of it, one for the whole system.
    public let id: UInt32
    /// The corresponding C constants are `BPF_PROG_TYPE_*`.
    public let type: UInt32
    /// As the kernel keeps it: cut after 15 characters.
    public let name: String
    /// A digest of the instructions, eight octets.
    ///
    /// How it is computed has changed (Linux 6.18), and compilers differ: tell programs apart by `id`.
    public let tag: [UInt8]
    /// When it was loaded, since the machine started, sleep included (`CLOCK_BOOTTIME`).
    public let loadedAt: Duration
    /// How many instructions the verifier looked at; Linux 5.16, zero before.
    public let verifiedInstructions: UInt32
    /// The maps that it uses.
    public let mapIDs: [UInt32]

    /// Every program of the system; those that vanish meanwhile are left out.
    ///
    /// Needs CAP_SYS_ADMIN. Linux 4.13.
    public static func all() throws(BPFError) -> [ProgramInfo] {
        try Enumeration.of("programs", next: bpf_prog_get_next_id) { id throws(BPFError) in
            try ProgramInfo.of(OwnedDescriptor(program: id), name: "program \(id)")
        }
    }

    static func of(_ descriptor: borrowing OwnedDescriptor, name: String) throws(BPFError) -> ProgramInfo {
        var maps: [UInt32] = []
        while true {
            var info = bpf_prog_info()
            var length = UInt32(MemoryLayout<bpf_prog_info>.size)
            let capacity = maps.count
            let result = maps.withUnsafeMutableBytes {
                info.map_ids = UInt64(UInt(bitPattern: $0.baseAddress))
                info.nr_map_ids = UInt32(capacity)
                return bpf_obj_get_info_by_fd(descriptor.raw, &info, &length)
            }
            try BPFError.check(result, "inspect program", name)
            // It says how many there are and writes as many as there is room for; more may be bound meanwhile.
            let count = Int(info.nr_map_ids)
            guard count <= capacity else {
                maps = [UInt32](repeating: 0, count: count)
                continue
            }
            return ProgramInfo(
                id: info.id, type: info.type,
                name: withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) },
                tag: withUnsafeBytes(of: info.tag, Array.init), loadedAt: .nanoseconds(info.load_time),
                verifiedInstructions: info.verified_insns, mapIDs: Array(maps.prefix(count)))
        }
    }
}
