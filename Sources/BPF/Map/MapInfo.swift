internal import CPseudowireBPF
internal import SystemPackage

/// What the kernel says about a map.
public struct MapInfo: Sendable, Equatable {
    /// The kernel's number of it, one for the whole system.
    public let id: UInt32
    /// The corresponding C constants are `BPF_MAP_TYPE_*`.
    public let type: UInt32
    /// Octets; 0 of a ring buffer, which has no keys.
    public let keySize: Int
    /// Octets; of one CPU's value where every CPU has its own.
    public let valueSize: Int
    /// Entries that it has room for; of a ring buffer its size in octets.
    public let maxEntries: UInt32
    /// Those it was created with; the corresponding C constants are `BPF_F_*`.
    public let flags: UInt32
    /// As the kernel keeps it: cut after 15 characters.
    public let name: String

    /// Whether every CPU has its own values.
    public var isPerCPU: Bool {
        [
            BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH,
            BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
        ].contains { $0.rawValue == type }
    }

    /// Every map of the system; those that vanish meanwhile are left out.
    ///
    /// Needs CAP_SYS_ADMIN. Linux 4.13.
    public static func all() throws(BPFError) -> [MapInfo] {
        try Enumeration.of("maps", next: bpf_map_get_next_id) { id throws(BPFError) in
            try MapInfo.of(OwnedDescriptor(map: id), name: "map \(id)")
        }
    }

    static func of(_ descriptor: borrowing OwnedDescriptor, name: String) throws(BPFError) -> MapInfo {
        var info = bpf_map_info()
        var length = UInt32(MemoryLayout<bpf_map_info>.size)
        try BPFError.check(bpf_obj_get_info_by_fd(descriptor.raw, &info, &length), "inspect map", name)
        let kernelName = withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return MapInfo(
            id: info.id, type: info.type, keySize: Int(info.key_size), valueSize: Int(info.value_size),
            maxEntries: info.max_entries, flags: info.map_flags, name: kernelName)
    }
}
