import Testing

/// A frame that the datapath once judged wrongly.
struct KeptFrame: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let wire: Wire
    /// True: from the access interface; false: from the network.
    let isOutgoing: Bool
    let octets: [UInt8]
    /// What must happen, as ``Comparison/tally`` names it.
    let outcome: String

    private init(_ testDescription: String, sending frame: [UInt8], on wire: Wire, becomes outcome: String) {
        self.testDescription = testDescription
        self.wire = wire
        isOutgoing = true
        octets = frame
        self.outcome = "out \(outcome)"
    }

    private init(
        _ testDescription: String, taking frame: [UInt8], on wire: Wire, cookie: [UInt8]? = nil, ecn: UInt8 = 0,
        trailer: [UInt8] = [], becomes outcome: String
    ) {
        self.testDescription = testDescription
        self.wire = wire
        isOutgoing = false
        self.outcome = "in \(outcome)"
        var peer = ReferenceEnd(wire.mirrored)
        var octets: [UInt8] = [0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0x08, 0x00]
        // First an empty frame of that length: peers send what the reference would refuse to.
        let empty = CustomerFrame([UInt8](repeating: 0, count: frame.count))
        if case .send(let packet) = peer.encapsulate(empty, choices: Choices()) {
            octets += packet.dropLast(frame.count) + frame
        }
        // Nobody verifies the outer checksum.
        octets[15] |= ecn
        if let cookie { octets.replaceSubrange(38..<(38 + cookie.count), with: cookie) }
        self.octets = octets + trailer
    }

    private static let stations: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]
    /// An echo request without data; capable of ECN.
    private static let packet: [UInt8] =
        [0x45, 0x02, 0, 28, 0, 0, 0x40, 0, 64, 1, 0x51, 0xd3] + [198, 51, 100, 1, 198, 51, 100, 2]
        + [8, 0, 0xf7, 0xff, 0, 0, 0, 0]
    private static let tag: [UInt8] = [0x81, 0x00, 0x00, 0x2a]
    private static let typeOfIPv4: [UInt8] = [0x08, 0x00]

    private static let bare = Wire(isUDP: false, hasSublayer: false)
    private static let guarded = Wire(isUDP: false, expectedCookies: [[1, 2, 3, 4]])

    static let all: [KeptFrame] = [
        KeptFrame(
            "a tag of an older kind is not taken for a sublayer",
            taking: stations + [0x91, 0x00, 0x00, 0x2a] + typeOfIPv4 + packet, on: bare, becomes: "carried"),
        KeptFrame(
            "nor is one of two tags for a cookie",
            taking: stations + tag + [0x91, 0x00, 0x00, 0x2a] + typeOfIPv4 + packet, on: bare, becomes: "carried"),
        KeptFrame(
            "a wrong cookie before a tagged frame is a wrong cookie",
            taking: stations + tag + typeOfIPv4 + packet, on: guarded, cookie: [1, 2, 3, 5], becomes: "cookie"),
        KeptFrame(
            "half a second tag is no third one", sending: stations + tag + [0x81, 0x00], on: bare,
            becomes: "frame_too_short"),
        KeptFrame(
            "a third tag is one however little follows it", sending: stations + tag + tag + tag + [0xff, 0xff],
            on: bare,
            becomes: "vlan_depth"),
        KeptFrame(
            "padding does not make a packet's header whole",
            taking: stations + typeOfIPv4 + packet[..<18], on: guarded, cookie: [1, 2, 3, 4], ecn: 3,
            trailer: [198, 51, 100, 2, 0, 0], becomes: "carried"),
        KeptFrame(
            "nor a tag", taking: stations + tag[..<3], on: bare, trailer: [0x2a, 0x08, 0x00, 0x45], becomes: "runt"),
        KeptFrame(
            "a header of IPv6's type alone comes out of the smallest headers", taking: stations + [0x86, 0xdd],
            on: bare, becomes: "carried"),
    ]
}

extension Wire {
    /// The other end.
    fileprivate var mirrored: Wire {
        var wire = self
        swap(&wire.local, &wire.peer)
        swap(&wire.localPort, &wire.peerPort)
        swap(&wire.localSession, &wire.peerSession)
        wire.sentCookie = expectedCookies.first ?? []
        wire.expectedCookies = sentCookie.isEmpty ? [] : [sentCookie]
        return wire
    }
}
