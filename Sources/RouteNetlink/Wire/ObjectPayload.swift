import CPseudowireMNL

/// Objects as the kernel would tell of them, without the message header: for scripts of what a kernel answers.
package enum ObjectPayload {
    package static func route(_ route: Route) -> [UInt8] {
        payload(RouteRequest.change(Int(RTM_NEWROUTE), 0, route))
    }

    package static func rule(_ rule: Rule) -> [UInt8] { payload(RuleRequest.change(Int(RTM_NEWRULE), 0, rule)) }

    package static func neighbor(_ neighbor: Neighbor) -> [UInt8] { payload(NeighborRequest.change(0, neighbor)) }

    package static func forwarding(_ entry: ForwardingEntry) -> [UInt8] {
        payload(entry.request(Int(RTM_NEWNEIGH), 0))
    }

    private static func payload(_ request: Request) -> [UInt8] { Array(request.bytes.dropFirst(Request.headerLength)) }
}
