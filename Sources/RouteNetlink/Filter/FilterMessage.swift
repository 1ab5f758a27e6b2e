internal import CPseudowireMNL

/// Filter requests and replies as bytes. Source: `net/sched/cls_api.c`, `net/sched/cls_bpf.c`.
enum FilterMessage {
    /// `ETH_P_ALL`, `linux/if_ether.h`.
    static let allProtocols: UInt16 = 3
    /// `TCA_BPF_FLAG_ACT_DIRECT`, `linux/pkt_cls.h`.
    static let directAction: UInt32 = 1

    static func new(_ filter: BPFFilter, flags: Int32, _ hook: TrafficHook) -> Request {
        var request = Request(RTM_NEWTFILTER, flags: flags)
        append(to: &request, hook, filter.priority, filter.handle)
        if filter.priority == 0 || filter.handle == 0 {
            request.refuse(.invalid("priority and handle of a filter are never 0: the kernel would choose others"))
        }
        if filter.chain != 0 { request.attribute(Int(TCA_CHAIN), filter.chain) }
        request.attribute(Int(TCA_KIND), "bpf")
        request.nest(Int(TCA_OPTIONS)) { options in
            options.attribute(Int(TCA_BPF_FD), UInt32(bitPattern: filter.program))
            options.attribute(Int(TCA_BPF_NAME), filter.name)
            if filter.isDirectAction { options.attribute(Int(TCA_BPF_FLAGS), directAction) }
        }
        return request
    }

    static func one(_ type: Int, priority: UInt16, handle: UInt32, chain: UInt32, _ hook: TrafficHook) -> Request {
        var request = Request(type)
        append(to: &request, hook, priority, handle)
        // Priority 0 would mean every filter on the hook, handle 0 every filter of the priority.
        if priority == 0 || handle == 0 { request.refuse(.invalid("priority and handle of a filter are never 0")) }
        if chain != 0 { request.attribute(Int(TCA_CHAIN), chain) }
        request.attribute(Int(TCA_KIND), "bpf")
        return request
    }

    static func list(_ hook: TrafficHook) -> Request {
        var request = Request(RTM_GETTFILTER, flags: NLM_F_DUMP)
        TrafficControlHeader.append(to: &request, hook.link, parent: hook.parent)
        return request
    }

    static func parse(_ message: borrowing Message) throws(MalformedMessage) -> FilterInfo? {
        guard message.type == Int(RTM_NEWTFILTER) else { return nil }
        try message.require(TrafficControlHeader.length, "struct tcmsg")
        let info: UInt32 = message.field(16)
        var filter = FilterInfo(
            kind: "", priority: UInt16(info >> 16), handle: message.field(8),
            protocolNumber: UInt16(bigEndian: UInt16(truncatingIfNeeded: info)), chain: 0, isDirectAction: false)
        var hasOptions = false
        var attributes = message.attributes(after: TrafficControlHeader.length)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Int(TCA_KIND): filter.kind = attribute.text
            case Int(TCA_CHAIN): filter.chain = try attribute.integer()
            case Int(TCA_OPTIONS):
                hasOptions = true
                guard filter.kind == "bpf" else { continue }
                var options = attribute.attributes
                while let option = options.next() {
                    switch option.type {
                    case Int(TCA_BPF_NAME): filter.name = option.text
                    case Int(TCA_BPF_ID): filter.programID = try option.integer()
                    case Int(TCA_BPF_TAG): filter.programTag = option.payload.array
                    case Int(TCA_BPF_FLAGS): filter.isDirectAction = try option.integer(UInt32.self) & directAction != 0
                    default: continue
                    }
                }
            default: continue
            }
        }
        // Each priority is announced by an entry that is no filter.
        return filter.handle == 0 && !hasOptions ? nil : filter
    }

    private static func append(to request: inout Request, _ hook: TrafficHook, _ priority: UInt16, _ handle: UInt32) {
        TrafficControlHeader.append(
            to: &request, hook.link, handle: handle, parent: hook.parent,
            info: UInt32(priority) << 16 | UInt32(allProtocols.bigEndian))
    }
}
