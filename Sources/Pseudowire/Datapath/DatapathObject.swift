internal import BPF
internal import CPseudowireObject

/// The compiled datapath that this library carries in itself.
enum DatapathObject {
    static let encap = "pw_encap"
    static let encapSplit = "pw_encap_split"
    static let decap = "pw_decap"
    static let decapL3 = "pw_decap_l3"
    static let join = "pw_join"
    static let encapXDP = "pw_encap_xdp"
    static let decapXDP = "pw_decap_xdp"
    static let alive = "pw_alive"
    /// The programs that frames go through.
    static let carriers = [encap, encapSplit, decap, decapL3, join, encapXDP, decapXDP]

    /// Maps by the names they have in `bpf/maps.h`, which are also their pins' names.
    enum MapName: String, CaseIterable {
        case meta, access, sessions, pseudowires, ports, counters, drops, paths, sequences, events, past
        case sessionDrops = "session_drops"

        /// How many entries it has where there may be so many pseudowires; nil: what the object says.
        func capacity(maxSessions: UInt32) -> UInt32? {
            switch self {
            case .access, .sessions, .pseudowires, .paths: maxSessions
            // Slot 0 is nobody's.
            case .counters, .sequences: maxSessions.adding(1)
            // Each may have an access interface of its own, all together some underlays; a machine with more interfaces
            // than that has its pseudowires share them.
            case .ports: min(maxSessions.adding(1024), 1 << 17)
            // Few pseudowires may still have many reasons each.
            case .sessionDrops: maxSessions.adding(4096)
            // Nothing was counted in other maps before, until an upgrade says so.
            case .past: 1
            case .meta, .drops, .events: nil
            }
        }
    }

    /// Maps that may have memory for all their entries from the beginning: the kernel fills them in half the time then.
    ///
    /// Not those that carry frames: memory that waits is given to the next entry at once, while a program may still
    /// read the one before, and a frame would leave with another customer's headers. Memory of an entry's own stays
    /// until no program reads it. What an ICMP message finds in `paths` is looked up again in `access`, which may be
    /// another one's by then in any case, and compared with the message.
    static let roomy: Set<MapName> = [.pseudowires, .paths]

    /// How many entries `past` has once something was counted in other maps: all of these have come to an end.
    static func pastCapacity(maxSessions: UInt32) -> UInt32 {
        maxSessions.adding(maxSessions).adding(8192)
    }

    /// Opens an object and sets what depends on this kernel and on how many pseudowires there may be.
    ///
    /// - Parameter expected: how many there will be at once; where that is half of them, memory that waits for more of
    ///   them is no waste.
    static func open(
        _ image: DatapathImage = .embedded, maxSessions: UInt32, expected: Int = 0
    ) throws(BPFError) -> ObjectFile {
        let file = try ObjectFile(image: image.octets, name: "pseudowire")
        for map in MapName.allCases {
            guard let capacity = map.capacity(maxSessions: maxSessions) else { continue }
            try file.setMaxEntries(capacity, ofMap: map.rawValue)
        }
        if expected >= Int(maxSessions / 2), expected > 0 {
            for map in roomy { try file.setFlags(0, ofMap: map.rawValue) }
        }
        try file.setConstant("has_decap_l3", to: UInt32(KernelProbe.hasDecapL3() ? 1 : 0))
        return file
    }
}

extension UInt32 {
    /// The sum, or the largest number there is: how many pseudowires there may be is read from a map, which may say
    /// anything.
    fileprivate func adding(_ other: UInt32) -> UInt32 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}
