import CPseudowireMNL

/// The requests about filters, as bytes.
enum FilterRequest {
    static func put(_ filter: BPFFilter, _ flags: Int32, at hook: TrafficHook) -> Request {
        var request = Request(Int(RTM_NEWTFILTER), flags: flags | NLM_F_ECHO)
        request.filterHeader(hook, filter.priority, filter.handle, filter.chain)
        request.nest(TCA_OPTIONS) {
            $0.attribute(TCA_BPF_FD, filter.program)
            $0.attribute(TCA_BPF_NAME, filter.name)
            $0.attribute(TCA_BPF_FLAGS, filter.directAction ? BPFFilter.directActionFlag : 0)
        }
        if filter.name.utf8.count > 255 { request.refuse(.invalid("a filter's name has at most 255 bytes")) }
        return request
    }

    /// A deletion or a query.
    static func name(
        _ type: Int, priority: UInt16, handle: UInt32, chain: UInt32, at hook: TrafficHook
    ) -> Request {
        var request = Request(type)
        request.filterHeader(hook, priority, handle, chain)
        return request
    }

    /// A filter of any kind.
    static func change(_ type: Int, _ flags: Int32, _ filter: FilterInfo, at hook: TrafficHook) -> Request {
        var request = Request(type, flags: flags)
        let isDeletion = type == Int(RTM_DELTFILTER)
        if filter.priority == 0 || (isDeletion && filter.handle == 0) {
            request.refuse(.invalid("a filter's priority, and its handle in a deletion, must not be zero"))
        }
        request.trafficHeader(
            hook.link, handle: filter.handle, parent: hook.direction.parent,
            info: UInt32(filter.priority) << 16 | UInt32(filter.protocol.bigEndian))
        if filter.chain != 0 { request.attribute(TCA_CHAIN, filter.chain) }
        request.attribute(TCA_KIND, filter.kind)
        if !isDeletion, let options = filter.options {
            request.attribute(TCA_OPTIONS | Int(NLA_F_NESTED), bytes: options)
        }
        return request
    }

    /// Deletes all filters of a hook's chain, or of one of its priorities, whatever their kind and protocol.
    static func deleteAll(priority: UInt16?, chain: UInt32 = 0, at hook: TrafficHook) -> Request {
        var request = Request(Int(RTM_DELTFILTER))
        if priority == 0 { request.refuse(.invalid("a filter's priority must not be zero")) }
        request.trafficHeader(hook.link, parent: hook.direction.parent, info: UInt32(priority ?? 0) << 16)
        if chain != 0 { request.attribute(TCA_CHAIN, chain) }
        return request
    }

    static func list(_ link: LinkIndex, parent: UInt32) -> Request {
        var request = Request(Int(RTM_GETTFILTER), flags: NLM_F_DUMP_FLAGS)
        request.trafficHeader(link, parent: parent)
        return request
    }
}

extension Request {
    /// Appends `struct tcmsg`, chain and kind, which together name one BPF filter for every protocol.
    fileprivate mutating func filterHeader(_ hook: TrafficHook, _ priority: UInt16, _ handle: UInt32, _ chain: UInt32) {
        if priority == 0 || handle == 0 {
            // Zero means "any" to the kernel: a deletion would flush the priority, or the whole hook.
            refuse(.invalid("a filter's priority and handle must not be zero"))
        }
        let everyProtocol = UInt32(UInt16(3).bigEndian)  // ETH_P_ALL
        trafficHeader(
            hook.link, handle: handle, parent: hook.direction.parent, info: UInt32(priority) << 16 | everyProtocol)
        if chain != 0 { attribute(TCA_CHAIN, chain) }
        attribute(TCA_KIND, "bpf")
    }
}
