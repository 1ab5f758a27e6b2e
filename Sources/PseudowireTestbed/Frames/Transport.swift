public import InternetAddress
import L2TP

/// What an IP packet carries.
public enum Transport: Hashable, Sendable {
    /// An ICMP or ICMPv6 echo request, as the packet's addresses ask.
    case echoRequest(identifier: UInt16, sequence: UInt16, payload: [UInt8])
    /// The answer to it.
    case echoReply(identifier: UInt16, sequence: UInt16, payload: [UInt8])
    /// A UDP datagram; its length is filled in.
    case udp(UDPDatagram)
    /// A TCP segment; its header's length is filled in.
    case tcp(TCPSegment)
    /// Any protocol number and any octets, sent as they are.
    case raw(protocolNumber: UInt8, [UInt8])

    /// The value of IPv4's protocol or IPv6's next header field.
    public func protocolNumber(family: IPAddress.Family) -> UInt8 {
        switch self {
        case .echoRequest, .echoReply: family == .v4 ? 1 : 58
        case .udp: 17
        case .tcp: 6
        case .raw(let number, _): number
        }
    }

    /// The octets with their checksum, which depends on the addresses for all but ICMP over IPv4.
    public func bytes(from source: IPAddress, to destination: IPAddress) -> [UInt8] {
        switch self {
        case .echoRequest(let identifier, let sequence, let payload):
            echo(source, destination, type: source.family == .v4 ? 8 : 128, identifier, sequence, payload)
        case .echoReply(let identifier, let sequence, let payload):
            echo(source, destination, type: source.family == .v4 ? 0 : 129, identifier, sequence, payload)
        case .udp(let datagram): datagram.bytes(from: source, to: destination)
        case .tcp(let segment): segment.bytes(from: source, to: destination)
        case .raw(_, let bytes): bytes
        }
    }

    private func echo(
        _ source: IPAddress, _ destination: IPAddress, type: UInt8, _ identifier: UInt16, _ sequence: UInt16,
        _ payload: [UInt8]
    ) -> [UInt8] {
        var bytes = [type, 0, 0, 0] + octets(identifier) + octets(sequence) + payload
        let value =
            source.family == .v4
            ? InternetChecksum(of: bytes).value
            : transportChecksum(bytes, protocolNumber: 58, from: source, to: destination)
        bytes.replaceSubrange(2..<4, with: octets(value))
        return bytes
    }
}

/// A UDP datagram.
public struct UDPDatagram: Hashable, Sendable {
    /// In host order, as `destinationPort`.
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    public var payload: [UInt8]
    /// False sends zero, which means "none" over IPv4 and is an error over IPv6.
    public var hasChecksum: Bool

    public init(sourcePort: UInt16, destinationPort: UInt16, payload: [UInt8] = [], hasChecksum: Bool = true) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.payload = payload
        self.hasChecksum = hasChecksum
    }

    func bytes(from source: IPAddress, to destination: IPAddress) -> [UInt8] {
        let length = UInt16(truncatingIfNeeded: 8 + payload.count)
        var bytes = octets(sourcePort) + octets(destinationPort) + octets(length) + [0, 0] + payload
        if hasChecksum {
            let value = transportChecksum(bytes, protocolNumber: 17, from: source, to: destination)
            bytes.replaceSubrange(6..<8, with: octets(value == 0 ? 0xffff : value))
        }
        return bytes
    }
}

/// A TCP segment.
public struct TCPSegment: Hashable, Sendable {
    /// The control bits, as in the header's fourteenth octet.
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let fin = Flags(rawValue: 0x01)
        public static let syn = Flags(rawValue: 0x02)
        public static let rst = Flags(rawValue: 0x04)
        public static let psh = Flags(rawValue: 0x08)
        public static let ack = Flags(rawValue: 0x10)
        public static let urg = Flags(rawValue: 0x20)
        public static let ece = Flags(rawValue: 0x40)
        public static let cwr = Flags(rawValue: 0x80)
    }

    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// The number of the first octet, or of the `syn` in its place.
    public var sequence: UInt32
    /// The number of the octet that is expected next; it counts with the flag `ack` only.
    public var acknowledgement: UInt32
    public var flags: Flags
    /// Octets that the sender takes, before any scaling.
    public var window: UInt16
    /// Filled up with end-of-list zeros to a multiple of 4; at most 40 octets are sent.
    public var options: [UInt8]
    public var payload: [UInt8]

    public init(
        sourcePort: UInt16, destinationPort: UInt16, sequence: UInt32 = 1, acknowledgement: UInt32 = 0,
        flags: Flags = .ack, window: UInt16 = 65535, options: [UInt8] = [], payload: [UInt8] = []
    ) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.sequence = sequence
        self.acknowledgement = acknowledgement
        self.flags = flags
        self.window = window
        self.options = options
        self.payload = payload
    }

    /// The option that announces the largest segment, which MSS clamping rewrites.
    public static func maximumSegmentSize(_ size: UInt16) -> [UInt8] { [2, 4] + octets(size) }

    func bytes(from source: IPAddress, to destination: IPAddress) -> [UInt8] {
        let options = paddedOptions(options)
        let offset = UInt8(5 + options.count / 4) << 4
        var bytes = octets(sourcePort) + octets(destinationPort) + octets(sequence) + octets(acknowledgement)
        bytes += [offset, flags.rawValue] + octets(window) + [0, 0, 0, 0] + options + payload
        let value = transportChecksum(bytes, protocolNumber: 6, from: source, to: destination)
        bytes.replaceSubrange(16..<18, with: octets(value))
        return bytes
    }
}

/// At most 40 octets, filled up to a multiple of 4 with the end-of-list option, which is 0 in IPv4 and in TCP.
func paddedOptions(_ options: [UInt8]) -> [UInt8] {
    let options = Array(options.prefix(40))
    return options + Array(repeating: 0, count: (4 - options.count % 4) % 4)
}

/// The builders' checksum is the library's; the inspector has another of its own.
private func transportChecksum(
    _ bytes: [UInt8], protocolNumber: UInt8, from source: IPAddress, to destination: IPAddress
) -> UInt16 {
    var checksum = InternetChecksum()
    checksum.add(source.bytes)
    checksum.add(destination.bytes)
    checksum.add(UInt16(protocolNumber))
    checksum.add(octets(UInt32(truncatingIfNeeded: bytes.count)))
    checksum.add(bytes)
    return checksum.value
}
