internal import BPF
internal import CPseudowireObject

extension DatapathObject.MapName {
    /// What a map of this ABI is like, as `bpf/maps.h` declares it; sizes of keys and values the types say.
    func shape(maxSessions: UInt32) -> MapShape {
        // BPF_MAP_TYPE_HASH, _ARRAY, _PERCPU_ARRAY, _RINGBUF; BPF_F_NO_PREALLOC.
        let (type, flags): (UInt32, UInt32) =
            switch self {
            case .access, .sessions, .pseudowires, .ports, .sessionDrops, .paths, .past: (1, 1)
            case .meta, .sequences: (2, 0)
            case .counters, .drops: (6, 0)
            case .events: (27, 0)
            }
        // Reasons are appended without a change of ABI: there may be more or fewer than we know.
        let fixed: UInt32? =
            switch self {
            case .drops: nil
            case .events: 1 << 16
            default: 1
            }
        return MapShape(
            type: type, maxEntries: capacity(maxSessions: maxSessions) ?? fixed,
            flags: DatapathObject.roomy.contains(self) ? nil : flags)
    }
}
