internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

/// Where a recorded pseudowire is, compared with where its interfaces are today.
///
/// Interfaces are named by people, and known to the kernel by index. What was asked for is a name: the interface that
/// has it is the right one, whatever its index. While none has it, the device that still carries our filter is the
/// one that was meant, under another name.
struct Whereabouts {
    let client: RouteClient
    let state: DatapathState?
    let cache: SurveyCache
    let filters: FilterPresence
    /// Whether a renamed access interface is nobody's: a document that names one is kept to its words.
    let isLiteral: Bool

    /// The same pseudowire under the names that its interfaces have today.
    ///
    /// Named underlays that are gone are left out as long as others are there.
    func today(_ configuration: PseudowireConfiguration, _ old: Record?) throws(PseudowireError)
        -> PseudowireConfiguration
    {
        var today = configuration
        if !isLiteral, !configuration.makesInterface, let old, old.configuration.access == configuration.access,
            try named(configuration.access) == nil, let link = try indexed(old.access),
            try filters.has(.access, on: link)
        {
            today.access = link.name
        }
        var present: [String] = []
        for name in configuration.underlays {
            if let link = try underlay(name, old) {
                present.append(link.name)
            } else if !isLiteral, old?.configuration.underlays.contains(name) != true {
                // One that never was there has not gone: whoever names it now is to hear of it.
                present.append(name)
            }
        }
        if !present.isEmpty { today.underlays = present }
        return today
    }

    /// The same with its underlays called what they are recorded as: an alternative name is none of its own.
    func called(_ configuration: PseudowireConfiguration, _ old: Record?) throws(PseudowireError)
        -> PseudowireConfiguration
    {
        guard !configuration.underlays.isEmpty else { return configuration }
        var called = configuration
        called.underlays = []
        var devices: Set<LinkIndex> = []
        for name in configuration.underlays {
            guard PseudowireConfiguration.faultOfInterfaceName(name) == nil, let link = try named(name) else {
                called.underlays.append(name)
                continue
            }
            guard devices.insert(link.index).inserted else { continue }
            var known = link.name
            // One that was renamed keeps the name by which it is recorded, unless that is another device's now.
            if known != name, let old, let recorded = Self.name(of: link.index.rawValue, in: old),
                try underlay(recorded, old)?.index == link.index
            {
                known = recorded
            }
            called.underlays.append(known)
        }
        return called
    }

    /// What can be recorded of a configuration: named underlays that never were there have no index.
    ///
    /// Nil when none of them is there.
    func recordable(_ configuration: PseudowireConfiguration, _ old: Record?) throws(PseudowireError)
        -> (configuration: PseudowireConfiguration, missing: [String])?
    {
        guard !configuration.underlays.isEmpty else { return (configuration, []) }
        var recordable = configuration
        var missing: [String] = []
        recordable.underlays = []
        for name in configuration.underlays {
            if try index(ofUnderlay: name, old) != nil {
                recordable.underlays.append(name)
            } else {
                missing.append(name)
            }
        }
        return recordable.underlays.isEmpty ? nil : (recordable, missing)
    }

    /// The underlays as a record keeps them: one that is gone by the index that it had, so that its name is not
    /// forgotten; one that was found by itself for as long as its device is there.
    ///
    /// Routes come and go, and the peer's packets may still take the old way: a filter that is there does no harm.
    func underlays(
        _ configuration: PseudowireConfiguration, _ place: Survey.Place?, _ old: Record?, access: UInt32
    ) throws(PseudowireError) -> [UInt32] {
        guard configuration.underlays.isEmpty else {
            var indexes: [UInt32] = []
            for name in configuration.underlays {
                if let index = try index(ofUnderlay: name, old) { indexes.append(index) }
            }
            return indexes
        }
        var indexes = place?.underlayIndexes ?? []
        guard let old, old.configuration.underlays.isEmpty,
            old.configuration.tunnel.peer == configuration.tunnel.peer,
            old.configuration.tunnel.local == configuration.tunnel.local
        else { return indexes }
        for index in old.underlays where index != access && !indexes.contains(index) {
            if let link = try indexed(index), try filters.has(.underlay, on: link) { indexes.append(index) }
        }
        return Array(indexes.prefix(Int(PW_MAX_UNDERLAYS)))
    }

    /// The hidden end of the interface that was made with a pseudowire, if it is there and ours.
    func hiddenEnd(_ record: Record) throws(PseudowireError) -> Link? {
        if let link = try indexed(record.access), link.alias == CustomerPort.alias { return link }
        // Its index is forgotten as long as nothing can be carried for it.
        guard let link = try named(CustomerPort.hiddenName(slot: record.slot)), link.alias == CustomerPort.alias else {
            return nil
        }
        return link
    }

    /// Whether an interface has both this name and this index.
    func isAccess(_ name: String, _ index: UInt32) throws(PseudowireError) -> Bool {
        try named(name)?.index.rawValue == index
    }

    /// What of a record does not agree with what the machine is like now, in a few words; empty if nothing.
    func differences(_ old: Record, _ new: Record, _ place: Survey.Place?) throws(PseudowireError) -> [String] {
        var found: [String] = []
        let access = new.configuration.access
        if new.access != old.access {
            found.append(
                new.access == 0
                    ? "\(access) is left alone"
                    : "\(access) is interface \(new.access) now\(old.access == 0 ? "" : ", not \(old.access)")")
        }
        if new.access != 0, new.access == old.access, let link = try indexed(new.access),
            try !filters.isWhole(.access, on: link)
        {
            found.append(
                try filters.has(.access, on: link)
                    ? "\(link.name) no longer took in frames for others" : "the encap filter on \(link.name) was gone")
        }
        for index in new.underlays {
            guard let link = try indexed(index) else { continue }
            if !old.underlays.contains(index) {
                found.append("packets are taken in on \(link.name)")
            } else if place?.underlays.contains(where: { $0.index == link.index }) == true,
                try !filters.has(.underlay, on: link)
            {
                found.append("the decap filter on \(link.name) was gone")
            }
        }
        if old.underlays.contains(where: { !new.underlays.contains($0) }) {
            found.append("packets are no longer taken in where an underlay was")
        }
        if new.finishes != old.finishes {
            found.append("frames are \(new.finishes ? "finished here" : "left for the card to finish") now")
        }
        if new.coalesces != old.coalesces {
            found.append("TCP segments are \(new.coalesces ? "joined" : "delivered as they come") now")
        }
        if found.isEmpty, new.access != 0, let state, let out = place?.wayOut?.rawValue,
            let entry = try bpf({ () throws(BPFError) in try state.access[new.accessKey] }), entry.underlay != out
        {
            found.append("the way out is \(try indexed(out)?.name ?? "another") now")
        }
        return found
    }

    private func index(ofUnderlay name: String, _ old: Record?) throws(PseudowireError) -> UInt32? {
        if let link = try underlay(name, old) { return link.index.rawValue }
        return old.flatMap { Self.index(of: name, in: $0) }
    }

    private func underlay(_ name: String, _ old: Record?) throws(PseudowireError) -> Link? {
        if let link = try named(name) { return link }
        guard let old, let index = Self.index(of: name, in: old), let link = try indexed(index),
            try filters.has(.underlay, on: link)
        else { return nil }
        return link
    }

    private static func index(of name: String, in record: Record) -> UInt32? {
        zip(record.configuration.underlays, record.underlays).first { $0.0 == name }?.1
    }

    private static func name(of index: UInt32, in record: Record) -> String? {
        zip(record.configuration.underlays, record.underlays).first { $0.1 == index }?.0
    }

    private func named(_ name: String) throws(PseudowireError) -> Link? {
        let cache = cache
        return try netlink { () throws(NetlinkError) in try cache.link(named: name) }
    }

    private func indexed(_ index: UInt32) throws(PseudowireError) -> Link? {
        let cache = cache
        return try netlink { () throws(NetlinkError) in try cache.link(LinkIndex(rawValue: index)) }
    }
}
