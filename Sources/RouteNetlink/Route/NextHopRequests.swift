import CPseudowireMNL
import InternetAddress

/// The requests about next hops, as bytes.
enum NextHopRequest {
    /// `NHA_*` of `linux/nexthop.h`.
    enum Attribute {
        static let id = 1
        static let group = 2
        static let groupType = 3
        static let blackhole = 4
        static let outputInterface = 5
        static let gateway = 6
        static let resilience = 12
    }

    /// `NHA_RES_GROUP_BUCKETS`.
    static let buckets = 1
    /// `NEXTHOP_GRP_TYPE_RES`.
    static let resilient: UInt16 = 1

    static func change(_ flags: Int32, _ hop: NextHopObject) -> Request {
        var request = Request(Int(RTM_NEWNEXTHOP), flags: flags)
        request.nextHopHeader(hop.family?.socketFamily ?? 0, hop.origin)
        request.attribute(Attribute.id, hop.id)
        if hop.id == 0 { request.refuse(.invalid("a next hop's number must not be zero")) }
        if let gateway = hop.gateway {
            if gateway.family != hop.family { request.refuse(.invalid("the gateway is of another family")) }
            request.attribute(Attribute.gateway, gateway)
        }
        if let link = hop.link { request.attribute(Attribute.outputInterface, link.rawValue) }
        if hop.isBlackhole { request.flag(Attribute.blackhole) }
        if hop.family == nil {
            request.group(hop.group)
            if let buckets = hop.buckets {
                request.nest(Attribute.resilience) { $0.attribute(Self.buckets, buckets) }
                request.attribute(Attribute.groupType, resilient)
            }
        } else if !hop.group.isEmpty || hop.buckets != nil {
            request.refuse(.invalid("a next hop with members is a group, which has no family"))
        }
        return request
    }

    /// A deletion or a query.
    static func name(_ type: Int, _ id: UInt32) -> Request {
        var request = Request(type)
        request.nextHopHeader(0, .unspecified)
        request.attribute(Attribute.id, id)
        return request
    }

    static func list() -> Request {
        var request = Request(Int(RTM_GETNEXTHOP), flags: NLM_F_DUMP_FLAGS)
        request.nextHopHeader(0, .unspecified)
        return request
    }
}

extension Request {
    /// Appends `struct nhmsg`.
    fileprivate mutating func nextHopHeader(_ family: UInt8, _ origin: Route.Origin) {
        header {
            $0.append(family)
            $0.append(UInt8(0))
            $0.append(origin.rawValue)
            $0.append(UInt8(0))
            $0.append(UInt32(0))
        }
    }

    /// Appends the members of a group, `struct nexthop_grp` each.
    fileprivate mutating func group(_ members: [NextHopMember]) {
        guard !members.isEmpty else { return refuse(.invalid("a group of next hops has members")) }
        var row: [UInt8] = []
        for member in members {
            guard (1...65_536).contains(member.weight) else {
                return refuse(.invalid("a next hop's weight is 1 to 65,536"))
            }
            withUnsafeBytes(of: member.id) { row.append(contentsOf: $0) }
            let extra = member.weight - 1
            row += [UInt8(truncatingIfNeeded: extra), UInt8(truncatingIfNeeded: extra >> 8), 0, 0]
        }
        attribute(NextHopRequest.Attribute.group, bytes: row)
    }
}

extension NextHopObject {
    /// Reads an `RTM_NEWNEXTHOP`; nil for anything else.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWNEXTHOP else { return nil }
        try message.require(8, "nhmsg")
        self.init(id: 0, family: IPAddress.Family(socketFamily: message.field(0)), isBlackhole: false)
        origin = Route.Origin(rawValue: message.field(2))
        var cursor = message.attributes(after: 8)
        while let attribute = cursor.next() {
            switch attribute.type {
            case NextHopRequest.Attribute.id: id = try attribute.integer()
            case NextHopRequest.Attribute.gateway: gateway = attribute.ipAddress
            case NextHopRequest.Attribute.outputInterface: link = LinkIndex(try attribute.integer(Int32.self))
            case NextHopRequest.Attribute.blackhole: isBlackhole = true
            case NextHopRequest.Attribute.group: group = Self.members(attribute.payload)
            case NextHopRequest.Attribute.resilience:
                var inside = attribute.attributes
                while let item = inside.next() {
                    if item.type == NextHopRequest.buckets { buckets = try item.integer() }
                }
            default: continue
            }
        }
        // Neither of a family that we have nor a group: a bridge's own, whose gateways are VXLAN's far ends.
        if family == nil, group.isEmpty { return nil }
    }

    /// Reads a row of `struct nexthop_grp`.
    private static func members(_ bytes: RawSpan) -> [NextHopMember] {
        var members: [NextHopMember] = []
        var offset = 0
        while let id = bytes.integer(at: offset, as: UInt32.self),
            let low = bytes.integer(at: offset + 4, as: UInt8.self),
            // Zero before Linux 6.12.
            let high = bytes.integer(at: offset + 5, as: UInt8.self)
        {
            members.append(NextHopMember(id, weight: (UInt32(high) << 8 | UInt32(low)) + 1))
            offset += 8
        }
        return members
    }
}
