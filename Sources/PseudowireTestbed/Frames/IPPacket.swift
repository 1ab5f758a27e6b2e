public import InternetAddress
import L2TP

/// An IPv4 or IPv6 packet to be sent; the addresses say which.
///
/// ```swift
/// let ping = IPPacket(
///     source: "2001:db8::1", destination: "2001:db8::2",
///     transport: .echoRequest(identifier: 1, sequence: 1, payload: PayloadPattern.bytes(count: 56, seed: 1)))
/// ```
///
/// Lengths and checksums are right by construction. Sources: RFC 791, RFC 8200.
public struct IPPacket: Hashable, Sendable {
    /// Its family is the packet's.
    public var source: IPAddress
    /// Of the same family as `source`.
    public var destination: IPAddress
    /// IPv4's time to live, IPv6's hop limit.
    public var hopLimit: UInt8
    /// DSCP in the upper six bits, ECN in the lower two.
    public var trafficClass: UInt8
    /// IPv4 only.
    public var dontFragment: Bool
    /// IPv4's identification; also IPv6's, when the packet is a fragment.
    public var identification: UInt32
    /// IPv6 only; 20 bits.
    public var flowLabel: UInt32
    /// IPv4 only: filled up to a multiple of 4, at most 40 octets.
    public var options: [UInt8]
    /// IPv6 only, in order.
    public var extensionHeaders: [ExtensionHeader]
    /// What follows the last header, with its checksum filled in.
    public var transport: Transport

    public init(
        source: IPAddress, destination: IPAddress, hopLimit: UInt8 = 64, trafficClass: UInt8 = 0,
        dontFragment: Bool = false, identification: UInt32 = 0, flowLabel: UInt32 = 0, options: [UInt8] = [],
        extensionHeaders: [ExtensionHeader] = [], transport: Transport
    ) {
        self.source = source
        self.destination = destination
        self.hopLimit = hopLimit
        self.trafficClass = trafficClass
        self.dontFragment = dontFragment
        self.identification = identification
        self.flowLabel = flowLabel
        self.options = options
        self.extensionHeaders = extensionHeaders
        self.transport = transport
    }

    /// An IPv6 extension header of the plain kind: options in units of 8 octets.
    public enum ExtensionHeader: UInt8, Hashable, Sendable {
        /// For every router on the way (RFC 8200, section 4.3).
        case hopByHop = 0
        /// For the receiver alone (RFC 8200, section 4.6).
        case destinationOptions = 60

        /// Eight octets: next header, length 0, and one PadN option that fills the rest.
        func bytes(next: UInt8) -> [UInt8] { [next, 0, 1, 4, 0, 0, 0, 0] }
    }

    /// The packet as it is sent.
    public var bytes: [UInt8] {
        packet(transport.bytes(from: source, to: destination), offset: 0, moreFollow: false, isFragment: false)
    }

    /// The packet in pieces that fit the MTU; one piece when it fits whole, none when the MTU holds no header.
    ///
    /// The transport's checksum is that of the whole, as a sender that fragments leaves it.
    public func fragments(mtu: Int) -> [[UInt8]] {
        let whole = bytes
        if whole.count <= mtu { return [whole] }
        let payload = transport.bytes(from: source, to: destination)
        // What a fragment spends on headers is what an empty one takes.
        let overhead = packet([], offset: 0, moreFollow: true, isFragment: true).count
        let size = (mtu - overhead) / 8 * 8
        guard size > 0 else { return [] }
        return stride(from: 0, to: payload.count, by: size).map { start in
            let end = min(start + size, payload.count)
            return packet(
                Array(payload[start..<end]), offset: start, moreFollow: end < payload.count, isFragment: true)
        }
    }

    private func packet(_ payload: [UInt8], offset: Int, moreFollow: Bool, isFragment: Bool) -> [UInt8] {
        switch source.family {
        case .v4: ipv4(payload, offset: offset, moreFollow: moreFollow, isFragment: isFragment)
        case .v6: ipv6(payload, offset: offset, moreFollow: moreFollow, isFragment: isFragment)
        }
    }

    private func ipv4(_ payload: [UInt8], offset: Int, moreFollow: Bool, isFragment: Bool) -> [UInt8] {
        let options = paddedOptions(options)
        var flags = UInt16(truncatingIfNeeded: offset / 8) | (moreFollow ? 0x2000 : 0)
        if dontFragment, !isFragment { flags |= 0x4000 }
        var header: [UInt8] = [0x45 + UInt8(options.count / 4), trafficClass]
        header += octets(UInt16(truncatingIfNeeded: 20 + options.count + payload.count))
        header += octets(UInt16(truncatingIfNeeded: identification)) + octets(flags)
        header += [hopLimit, transport.protocolNumber(family: .v4), 0, 0]
        header += source.bytes + destination.bytes + options
        header.replaceSubrange(10..<12, with: octets(InternetChecksum(of: header).value))
        return header + payload
    }

    private func ipv6(_ payload: [UInt8], offset: Int, moreFollow: Bool, isFragment: Bool) -> [UInt8] {
        // From the last header to the first, since each names the one after it.
        var next = transport.protocolNumber(family: .v6)
        var body = payload
        if isFragment {
            let word = UInt16(truncatingIfNeeded: offset) & 0xfff8 | (moreFollow ? 1 : 0)
            body = [next, 0] + octets(word) + octets(identification) + body
            next = 44
        }
        for header in extensionHeaders.reversed() {
            body = header.bytes(next: next) + body
            next = header.rawValue
        }
        return octets(6 << 28 | UInt32(trafficClass) << 20 | flowLabel & 0xf_ffff)
            + octets(UInt16(truncatingIfNeeded: body.count)) + [next, hopLimit] + source.bytes + destination.bytes
            + body
    }
}
