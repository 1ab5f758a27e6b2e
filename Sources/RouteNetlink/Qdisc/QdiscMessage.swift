internal import CPseudowireMNL

/// `struct tcmsg`, with which all traffic control requests begin. Source: `net/sched/sch_api.c`.
enum TrafficControlHeader {
    static let length = 20

    static func append(
        to request: inout Request, _ link: LinkIndex, handle: UInt32 = 0, parent: UInt32 = 0, info: UInt32 = 0
    ) {
        request.header { header in
            header.append(UInt8(AF_UNSPEC))
            header.append(UInt8(0))
            header.append(UInt16(0))
            header.append(link.rawValue)
            header.append(handle)
            header.append(parent)
            header.append(info)
        }
    }
}

/// Qdisc requests and replies as bytes.
enum QdiscMessage {
    /// clsact's own: `TC_H_MAKE(TC_H_CLSACT, 0)`, and its parent, `TC_H_CLSACT`.
    static let clsactHandle: UInt32 = 0xffff_0000
    static let clsactParent: UInt32 = 0xffff_fff1

    static func clsact(_ type: Int, flags: Int32, _ link: LinkIndex) -> Request {
        var request = Request(type, flags: flags)
        TrafficControlHeader.append(to: &request, link, handle: clsactHandle, parent: clsactParent)
        request.attribute(Int(TCA_KIND), "clsact")
        return request
    }

    static func list() -> Request {
        var request = Request(RTM_GETQDISC, flags: NLM_F_DUMP)
        TrafficControlHeader.append(to: &request, LinkIndex(rawValue: 0))
        return request
    }

    static func parse(_ message: borrowing Message) throws(MalformedMessage) -> Qdisc? {
        guard message.type == Int(RTM_NEWQDISC) else { return nil }
        try message.require(TrafficControlHeader.length, "struct tcmsg")
        var kind = ""
        var attributes = message.attributes(after: TrafficControlHeader.length)
        while let attribute = attributes.next() {
            if attribute.type == Int(TCA_KIND) { kind = attribute.text }
        }
        return Qdisc(
            kind: kind, link: LinkIndex(rawValue: message.field(4)), handle: message.field(8),
            parent: message.field(12))
    }
}
