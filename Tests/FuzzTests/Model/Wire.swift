/// One end of a pseudowire: everything that decides what becomes of a frame.
///
/// A type of its own, in plain octets and numbers: the reference shares nothing with what it is held against.
struct Wire: Hashable, Sendable {
    /// Which frames of the access interface are carried.
    enum Selection: Hashable, Sendable {
        case any
        /// Without a tag, or with one that has a priority only.
        case untagged
        case id(UInt16, isService: Bool)
    }

    /// What becomes of the tag by which a frame was selected.
    enum TagAction: Hashable, Sendable {
        case keep
        case strip
        /// Its id becomes this one, which the peer has.
        case rewrite(UInt16)
    }

    var isIPv6 = false
    var isUDP = true
    /// 4 or 16 octets.
    var local: [UInt8] = [192, 0, 2, 21]
    var peer: [UInt8] = [192, 0, 2, 22]
    var localPort: UInt16 = 1701
    var peerPort: UInt16 = 1701
    var fillsChecksum = false

    var localSession: UInt32 = 1
    var peerSession: UInt32 = 2
    /// 0, 4 or 8 octets.
    var sentCookie: [UInt8] = []
    /// None, or one or two of 4 or 8 octets.
    var expectedCookies: [[UInt8]] = []
    var hasSublayer = true
    var numbersSent = false
    var wantsNumbers = false

    /// The source port is the flow's.
    var spreadsPort = false
    var takesAnyPort = false
    /// The IPv6 flow label is the flow's.
    var labelsFlows = false

    var selection = Selection.any
    var tagAction = TagAction.keep

    /// The largest packet inside; nil: no limit but the path's.
    var mtu: Int?
    /// The largest outer packet, as a router said; nil: none did.
    var pathMTU: Int?
    var clampsMSS = true
    var cutsInner = false
    /// DF is clear.
    var admitsFragments = false
    var repliesTooBig = false

    var ttl: UInt8 = 64
    /// Nil: the inner packet's.
    var dscp: UInt8? = 0
    var copiesECN = false

    /// Octets of the outer IP header.
    var ipHeaderLength: Int { isIPv6 ? 40 : 20 }
    /// The same, up to the session id.
    var lengthBeforeSession: Int { ipHeaderLength + (isUDP ? 12 : 0) }
    /// Octets before the frame, as sent.
    var sentHeaderLength: Int { lengthBeforeSession + 4 + sentCookie.count + (hasSublayer ? 4 : 0) }
    /// The largest outer packet: what was learned, or what a length field can say.
    var path: Int { pathMTU ?? 65535 }
    var expectedCookieLength: Int { expectedCookies.first?.count ?? 0 }
}
