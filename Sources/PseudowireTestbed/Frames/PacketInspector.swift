public import L2TP

/// A second opinion on every header of a frame, in words.
///
/// ```swift
/// let inspector = PacketInspector(pseudowire: .init(cookieLength: .four, sublayer: .default))
/// let report = inspector.inspect(frame: captured)
/// report.faults    // ["inner TCP: checksum 0x1c46 is wrong, 0x9a02 would be right"], or empty
/// report.summary   // "02:… > 02:… IPv4 192.0.2.21 > 192.0.2.22 UDP 1701 > 1701 L2TPv3 session 1012 | 02:… ARP …"
/// ```
///
/// It is stricter than any receiver and shares no parsing and no checksum code with module `L2TP`: it is worth
/// something only as long as that stays so. It never traps, whatever the octets are.
public struct PacketInspector: Hashable, Sendable {
    /// What must be known to see through L2TPv3, since the wire announces none of it.
    public struct Pseudowire: Hashable, Sendable {
        /// Of the cookie in the packets inspected: 0, 4 or 8 octets.
        public var cookieLength: Cookie.Length
        /// Whether a word of four octets is between cookie and frame.
        public var sublayer: Sublayer
        /// UDP ports, of either end, that mean L2TP.
        public var ports: Set<UInt16>

        public init(cookieLength: Cookie.Length, sublayer: Sublayer, ports: Set<UInt16> = [1701]) {
            self.cookieLength = cookieLength
            self.sublayer = sublayer
            self.ports = ports
        }
    }

    /// Nil leaves L2TP packets unopened; otherwise the outermost layer of L2TP is opened, and only that.
    public var pseudowire: Pseudowire?
    /// The largest IP packet that the outermost frame may carry, in octets; nil for any.
    public var mtu: Int?
    /// Whether the frame around a pseudowire's packet may carry VLAN tags, as on a tagged underlay.
    public var allowsOuterTags = false
    /// Whether a UDP checksum may be zero over IPv6, as RFC 6935 lets tunnels do; inner datagrams never may.
    public var allowsZeroChecksumOverIPv6 = false
    /// Whether the transport checksum may be the pseudo-header's sum alone, as in frames captured on a veth whose
    /// sender leaves the rest to hardware.
    public var allowsUnfinishedChecksums = false

    public init(pseudowire: Pseudowire? = nil, mtu: Int? = 1500) {
        self.pseudowire = pseudowire
        self.mtu = mtu
    }

    /// What was found.
    public struct Report: Hashable, Sendable {
        /// One sentence per fault, headed by the layer's name; empty when the frame is beyond reproach.
        public var faults: [String]
        /// The frame in one line, outer and inner parted by " | ".
        public var summary: String
        /// The customer's frame, when the frame was a pseudowire's.
        public var innerFrame: [UInt8]?
    }

    /// Inspects a frame from its destination address on, without FCS.
    public func inspect(frame: [UInt8]) -> Report {
        var inspection = Inspection(settings: self)
        inspection.ethernet(frame[...], mtu: mtu)
        return inspection.report
    }

    /// Inspects a packet from its IP header on.
    public func inspect(packet: [UInt8]) -> Report {
        var inspection = Inspection(settings: self)
        if let mtu, packet.count > mtu {
            inspection.fault("IP", "a packet of \(packet.count) octets exceeds the MTU of \(mtu)")
        }
        inspection.ip(packet[...])
        return inspection.report
    }
}

/// The state of one walk through a frame.
struct Inspection {
    let settings: PacketInspector
    var faults: [String] = []
    var words: [String] = []
    var innerFrame: [UInt8]?
    /// Inside a pseudowire.
    var isInner = false
    /// Tags of the frame being walked, as text.
    var tags: [String] = []
    /// Whether octets may follow the packet's end: in frames no longer than Ethernet's minimum.
    var mayBePadded = false

    init(settings: PacketInspector) { self.settings = settings }

    var report: PacketInspector.Report {
        PacketInspector.Report(faults: faults, summary: words.joined(separator: " "), innerFrame: innerFrame)
    }

    mutating func fault(_ layer: String, _ text: String) {
        faults.append("\(isInner ? "inner " : "")\(layer): \(text)")
    }

    /// Faults unless at least `needed` octets are there.
    mutating func require(_ needed: Int, _ bytes: ArraySlice<UInt8>, _ layer: String) -> Bool {
        if bytes.count >= needed { return true }
        fault(layer, "needs \(needed) octets, there are \(bytes.count)")
        return false
    }

    /// Checks what follows the end that a length field claims, and gives what lies before it.
    mutating func trim(_ bytes: ArraySlice<UInt8>, to length: Int, _ layer: String) -> ArraySlice<UInt8> {
        let rest = bytes.dropFirst(length)
        if !rest.isEmpty, !mayBePadded {
            fault(layer, "\(rest.count) octets follow the end that its length \(length) claims")
        } else if rest.contains(where: { $0 != 0 }) {
            fault(layer, "the padding is not zero")
        }
        return bytes.prefix(length)
    }
}

/// Reading by distance from a slice's start; zero beyond its end, so that a missed length check cannot trap.
extension ArraySlice<UInt8> {
    func byte(_ offset: Int) -> UInt8 { offset < count ? self[startIndex + offset] : 0 }
    func half(_ offset: Int) -> UInt16 { UInt16(byte(offset)) * 256 + UInt16(byte(offset + 1)) }
    func full(_ offset: Int) -> UInt32 { UInt32(half(offset)) * 65536 + UInt32(half(offset + 2)) }
    func part(_ offset: Int, _ length: Int) -> ArraySlice<UInt8> { dropFirst(offset).prefix(length) }
}

/// `0x` and lower-case digits, at least four.
func hex(_ value: some FixedWidthInteger) -> String {
    let text = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: Swift.max(0, 4 - text.count)) + text
}
