internal import CPseudowireMNL

/// The filters on clsact's hooks in a client's namespace.
///
/// ```swift
/// let hook = TrafficHook(link: link.index, direction: .ingress)
/// try client.qdiscs.ensureClsact(on: link.index)
/// let filter = try client.filters.add(
///     BPFFilter(program: descriptor, name: "decap", priority: 1, handle: 1), at: hook)
/// ```
///
/// Errors: `NetlinkError`; `isNotFound` also where there is no clsact, `isAlreadyPresent` is `EEXIST`.
public struct Filters {
    let client: RouteClient

    /// Adds a filter; fails if there is one with this priority and handle.
    @discardableResult
    public func add(_ filter: BPFFilter, at hook: TrafficHook) throws(NetlinkError) -> FilterInfo {
        try new(filter, NLM_F_CREATE | NLM_F_EXCL, hook, "add")
    }

    /// Adds a filter, in place of the one with this priority and handle; no frame is missed in between.
    @discardableResult
    public func replace(_ filter: BPFFilter, at hook: TrafficHook) throws(NetlinkError) -> FilterInfo {
        try new(filter, NLM_F_CREATE | NLM_F_REPLACE, hook, "replace")
    }

    /// Removes exactly one filter.
    public func delete(
        priority: UInt16, handle: UInt32, chain: UInt32 = 0, at hook: TrafficHook
    ) throws(NetlinkError) {
        let request = FilterMessage.one(RTM_DELTFILTER, priority: priority, handle: handle, chain: chain, hook)
        try client.socket.perform(request, .filter, Self.operation("delete", hook, priority, handle))
    }

    /// One filter, or nil.
    public func get(
        priority: UInt16, handle: UInt32, chain: UInt32 = 0, at hook: TrafficHook
    ) throws(NetlinkError) -> FilterInfo? {
        let request = FilterMessage.one(RTM_GETTFILTER, priority: priority, handle: handle, chain: chain, hook)
        var found: FilterInfo?
        do {
            let operation = Self.operation("get", hook, priority, handle)
            try client.socket.perform(request, .filter, operation) { message throws(MalformedMessage) in
                if let filter = try FilterMessage.parse(message) { found = filter }
            }
        } catch where error.isNotFound {
            return nil
        }
        return found
    }

    /// The filters on a hook, of all kinds and whoever put them there.
    public func list(at hook: TrafficHook) throws(NetlinkError) -> [FilterInfo] {
        do {
            return try client.socket.dump(
                FilterMessage.list(hook), .filter, "list filters on link \(hook.link) \(hook.direction.rawValue)",
                parse: FilterMessage.parse)
        } catch where error.isNotFound {
            return []
        }
    }

    private func new(
        _ filter: BPFFilter, _ flags: Int32, _ hook: TrafficHook, _ verb: String
    ) throws(NetlinkError) -> FilterInfo {
        var made: FilterInfo?
        let operation = Self.operation(verb, hook, filter.priority, filter.handle)
        let request = FilterMessage.new(filter, flags: flags | NLM_F_ECHO, hook)
        try client.socket.perform(request, .filter, operation) { message throws(MalformedMessage) in
            if let filter = try FilterMessage.parse(message) { made = filter }
        }
        return made
            ?? FilterInfo(
                kind: "bpf", priority: filter.priority, handle: filter.handle,
                protocolNumber: FilterMessage.allProtocols, chain: filter.chain, name: filter.name,
                isDirectAction: filter.isDirectAction)
    }

    private static func operation(_ verb: String, _ hook: TrafficHook, _ priority: UInt16, _ handle: UInt32) -> String {
        "\(verb) filter on link \(hook.link) \(hook.direction.rawValue) priority \(priority) handle \(handle)"
    }
}
