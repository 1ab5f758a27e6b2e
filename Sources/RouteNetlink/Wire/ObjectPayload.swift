import CPseudowireMNL

/// Objects as the kernel would tell of them, without the message header: for scripts of what a kernel answers.
package enum ObjectPayload {
    package static func route(_ route: Route) -> [UInt8] {
        payload(RouteRequest.change(Int(RTM_NEWROUTE), 0, route))
    }

    package static func nextHop(_ hop: NextHopObject) -> [UInt8] { payload(NextHopRequest.change(0, hop)) }

    package static func rule(_ rule: Rule) -> [UInt8] { payload(RuleRequest.change(Int(RTM_NEWRULE), 0, rule)) }

    package static func neighbor(_ neighbor: Neighbor) -> [UInt8] { payload(NeighborRequest.change(0, neighbor)) }

    package static func forwarding(_ entry: ForwardingEntry) -> [UInt8] {
        payload(entry.request(Int(RTM_NEWNEIGH), 0))
    }

    package static func qdisc(_ qdisc: Qdisc) -> [UInt8] {
        payload(QdiscRequest.change(Int(RTM_NEWQDISC), 0, qdisc))
    }

    package static func filter(_ filter: FilterInfo, at hook: TrafficHook) -> [UInt8] {
        payload(FilterRequest.change(Int(RTM_NEWTFILTER), 0, filter, at: hook))
    }

    /// The program by its number, which the kernel tells, where a request has a descriptor.
    package static func filter(_ filter: BPFFilterInfo) -> [UInt8] {
        var options = Request(0)
        if let name = filter.name { options.attribute(TCA_BPF_NAME, name) }
        if let id = filter.programID { options.attribute(TCA_BPF_ID, id) }
        if let tag = filter.programTag { options.attribute(TCA_BPF_TAG, bytes: tag) }
        if filter.isDirectAction { options.attribute(TCA_BPF_FLAGS, BPFFilter.directActionFlag) }
        var info = FilterInfo(
            kind: "bpf", priority: filter.priority, handle: filter.handle, chain: filter.chain,
            options: payload(options))
        info.isDirectAction = filter.isDirectAction
        return self.filter(info, at: filter.hook)
    }

    private static func payload(_ request: Request) -> [UInt8] { Array(request.bytes.dropFirst(Request.headerLength)) }
}
