import CPseudowireMNL
import SystemPackage

/// The filters of a client's namespace.
///
/// ```swift
/// let hook = TrafficHook(link: index, direction: .ingress)
/// let info = try client.filters.add(BPFFilter(program: fd, name: "pw", priority: 1, handle: 1), at: hook)
/// info.programID
/// ```
///
/// They need a clsact: see `Qdiscs.ensureClsact(on:)`.
public struct Filters {
    let client: RouteClient

    /// Adds a filter and returns it as the kernel holds it.
    ///
    /// - Throws: `isAlreadyPresent` when priority and handle are taken, `isNotFound` without a clsact.
    @discardableResult
    public func add(_ filter: BPFFilter, at hook: TrafficHook) throws(NetlinkError) -> BPFFilterInfo {
        try put(filter, createNew, at: hook, "add")
    }

    /// Puts a program in the place of the one that has the same priority and handle, or adds it.
    ///
    /// The swap is atomic for frames: each meets the old program or the new one.
    @discardableResult
    public func replace(_ filter: BPFFilter, at hook: TrafficHook) throws(NetlinkError) -> BPFFilterInfo {
        try put(filter, NLM_F_CREATE, at: hook, "replace")
    }

    /// Deletes exactly the BPF filter of this priority, handle and chain.
    ///
    /// - Throws: `isNotFound` when there is none.
    public func delete(
        priority: UInt16, handle: UInt32, chain: UInt32 = 0, at hook: TrafficHook
    ) throws(NetlinkError) {
        try client.socket.perform(
            FilterRequest.name(Int(RTM_DELTFILTER), priority: priority, handle: handle, chain: chain, at: hook),
            .filter, "delete filter on \(hook) priority \(priority) handle \(handle)")
    }

    /// The BPF filter of this priority, handle and chain; nil when there is none.
    public func get(
        priority: UInt16, handle: UInt32, chain: UInt32 = 0, at hook: TrafficHook
    ) throws(NetlinkError) -> BPFFilterInfo? {
        do throws(NetlinkError) {
            let filter = try client.socket.object(
                FilterRequest.name(Int(RTM_GETTFILTER), priority: priority, handle: handle, chain: chain, at: hook),
                .filter, "get filter on \(hook) priority \(priority) handle \(handle)"
            ) { message throws(MalformedMessage) in try FilterInfo(message) }
            return filter.flatMap { BPFFilterInfo($0, at: hook) }
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// All filters of a hook, in the order in which they run; none where there is no clsact.
    public func list(at hook: TrafficHook) throws(NetlinkError) -> [FilterInfo] {
        try list(on: hook.link, parent: hook.direction.parent)
    }

    /// All filters of a queueing discipline or class of an interface, which `parent` names; 0 is the root's.
    public func list(on link: LinkIndex, parent: UInt32) throws(NetlinkError) -> [FilterInfo] {
        try client.socket.dump(FilterRequest.list(link, parent: parent), .filter, "list filters on link \(link)") {
            message throws(MalformedMessage) in try FilterInfo(message)
        }
    }

    /// Adds a filter of any kind that the kernel has, its parameters as `list(at:)` reports them, but for whether
    /// hardware has it (`TCA_BPF_FLAGS_GEN` and the like), which the kernel refuses to be told.
    ///
    /// - Throws: `isAlreadyPresent` when priority and handle are taken, `ENOENT` for a kind that the kernel lacks.
    public func add(_ filter: FilterInfo, at hook: TrafficHook) throws(NetlinkError) {
        try client.socket.perform(
            FilterRequest.change(Int(RTM_NEWTFILTER), createNew, filter, at: hook), .filter,
            "add \(filter.kind) filter on \(hook) priority \(filter.priority)")
    }

    /// Deletes exactly the filter of this kind, protocol, priority, handle and chain.
    ///
    /// - Throws: `isNotFound` when there is none.
    public func delete(_ filter: FilterInfo, at hook: TrafficHook) throws(NetlinkError) {
        try client.socket.perform(
            FilterRequest.change(Int(RTM_DELTFILTER), 0, filter, at: hook), .filter,
            "delete \(filter.kind) filter on \(hook) priority \(filter.priority) handle \(filter.handle)")
    }

    /// Deletes **every** filter of a hook, or of one of its priorities, whoever's they are, in all its chains.
    ///
    /// A list of the chains, and one request for each.
    ///
    /// - Throws: `isNotFound` when the priority has none; an empty hook is no error.
    public func deleteAll(priority: UInt16? = nil, at hook: TrafficHook) throws(NetlinkError) {
        let operation = "delete all filters on \(hook)"
        let listed = try client.socket.dump(
            FilterRequest.list(hook.link, parent: hook.direction.parent), .filter, operation
        ) { message throws(MalformedMessage) in try FilterInfo.chain(message, priority) }
        // The kernel itself says that there is nothing to delete, or nothing to delete from.
        let chains = listed.isEmpty ? [0] : Set(listed).sorted()
        for chain in chains {
            do throws(NetlinkError) {
                let request = FilterRequest.deleteAll(priority: priority, chain: chain, at: hook)
                try client.socket.perform(request, .filter, operation)
            } catch {
                // One of several that went meanwhile is as it shall be.
                guard error.isNotFound, chains.count > 1 else { throw error }
            }
        }
    }

    private func put(
        _ filter: BPFFilter, _ flags: Int32, at hook: TrafficHook, _ verb: StaticString
    ) throws(NetlinkError) -> BPFFilterInfo {
        let request = FilterRequest.put(filter, flags, at: hook)
        func operation() -> String {
            "\(verb) filter on \(hook) priority \(filter.priority) handle \(filter.handle)"
        }
        let echoed = try client.socket.object(request, .filter, operation()) { message throws(MalformedMessage) in
            try FilterInfo(message)
        }
        if let info = echoed.flatMap({ BPFFilterInfo($0, at: hook) }) { return info }
        let found = try get(priority: filter.priority, handle: filter.handle, chain: filter.chain, at: hook)
        guard let found else {
            throw NetlinkError(.noSuchFileOrDirectory, operation(), object: .filter, message: "it is gone already")
        }
        return found
    }
}
