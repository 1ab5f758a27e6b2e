internal import BPF
internal import CPseudowireObject

/// The compiled datapath that this library carries in itself.
enum DatapathObject {
    static let encap = "pw_encap"
    static let encapSplit = "pw_encap_split"
    static let decap = "pw_decap"
    static let decapL3 = "pw_decap_l3"
    static let alive = "pw_alive"
    /// The programs that frames go through.
    static let carriers = [encap, encapSplit, decap, decapL3]

    /// Maps by the names they have in `bpf/maps.h`, which are also their pins' names.
    enum MapName: String, CaseIterable {
        case meta, access, sessions, pseudowires, ports, counters, drops, paths, sequences, events
        case sessionDrops = "session_drops"
    }

    /// Opens the object and sets what depends on this kernel and on how many pseudowires there may be.
    static func open(maxSessions: UInt32) throws(BPFError) -> ObjectFile {
        let image = UnsafeRawBufferPointer(start: pw_object_start(), count: pw_object_size())
        let file = try ObjectFile(image: image, name: "pseudowire")
        for map in [MapName.access, .sessions, .pseudowires, .paths] {
            try file.setMaxEntries(maxSessions, ofMap: map.rawValue)
        }
        // Slot 0 is nobody's; and each pseudowire has an access interface, all together some underlays.
        for map in [MapName.counters, .sequences] { try file.setMaxEntries(maxSessions + 1, ofMap: map.rawValue) }
        try file.setMaxEntries(maxSessions + 1024, ofMap: MapName.ports.rawValue)
        // Few pseudowires may still have many reasons each.
        try file.setMaxEntries(maxSessions + 4096, ofMap: MapName.sessionDrops.rawValue)
        try file.setConstant("has_decap_l3", to: UInt32(KernelProbe.hasDecapL3() ? 1 : 0))
        return file
    }
}
