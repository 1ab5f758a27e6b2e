internal import CPseudowireObject

/// How values of an earlier ABI become values of this one, map by map.
enum StateConversion {
    /// An entry of a map, as octets.
    typealias Entry = (key: [UInt8], value: [UInt8])

    /// The oldest ABI from which there is a way.
    static let oldest: UInt32 = 3

    /// What each ABI changed against the one before it; a map that is not named has the same values in both.
    ///
    /// ABI 5 brought XDP programs, and gave meaning to bits of ports and records that were zero before.
    private static let steps: [UInt32: [DatapathObject.MapName: @Sendable (Entry) -> Entry]] = [
        4: [.pseudowires: recordsOf4, .ports: portsOf4]
    ]

    /// Takes an entry from one ABI to this one.
    static func convert(_ entry: Entry, of map: DatapathObject.MapName, from abi: UInt32) -> Entry {
        var entry = entry
        for step in (abi + 1)..<max(StateIdentity.ownABI + 1, abi + 2) {
            if let change = steps[step]?[map] { entry = change(entry) }
        }
        return entry
    }

    /// ABI 4 gave records room at their end; what was reserved before, and zero, is how filters are attached: `auto`.
    private static func recordsOf4(_ entry: Entry) -> Entry {
        let room = MemoryLayout<pw_record>.size - entry.value.count
        return (entry.key, entry.value + [UInt8](repeating: 0, count: max(0, room)))
    }

    /// ABI 4 says where filters are; they could only be on the clsact qdisc.
    private static func portsOf4(_ entry: Entry) -> Entry {
        var port = pw_port()
        Octets.write(entry.value, to: &port)
        for role in [Attachment.Role.access, .underlay] where port.flags & role.flag != 0 { port[role] = .clsact }
        return (entry.key, Octets.read(port))
    }
}
