internal import CPseudowireObject
public import InternetAddress
internal import L2TP

/// A packet that somebody should look into: from the wrong sender, with the wrong cookie, for a session that nobody
/// has.
///
/// The datapath reports at most eight a second for each reason and CPU; the counters count all.
public struct PacketEvent: Hashable, Sendable, CustomStringConvertible {
    /// CLOCK_MONOTONIC, nanoseconds.
    public let time: UInt64
    /// Why it was reported; `DropReason.direction` says what became of it.
    public let reason: DropReason
    /// The session id in the packet, whosever it is.
    public let session: UInt32
    /// The index of the interface at which it arrived.
    public let interface: UInt32
    /// Octets from the IP header on.
    public let length: Int
    /// The first of them, at most 64.
    public let octets: [UInt8]

    /// Nil for what is no event of this ABI's.
    init?(record: [UInt8]) {
        guard record.count >= MemoryLayout<pw_event>.size else { return nil }
        let event = record.withUnsafeBytes { $0.loadUnaligned(as: pw_event.self) }
        time = event.time
        reason = DropReason(rawValue: event.reason)
        session = event.session_id
        interface = event.ifindex
        length = Int(event.length)
        octets = Octets.read(event.octets, count: min(Int(event.length), Int(PW_EVENT_OCTETS)))
    }

    /// Who sent it, and to whom; nil where the octets are no IP header.
    public var addresses: (source: IPAddress, destination: IPAddress)? {
        let places: (Range<Int>, Range<Int>)
        switch octets.first.map({ $0 >> 4 }) {
        case 4: places = (12..<16, 16..<20)
        case 6: places = (8..<24, 24..<40)
        default: return nil
        }
        guard octets.count >= places.1.upperBound, let source = IPAddress(bytes: octets[places.0]),
            let destination = IPAddress(bytes: octets[places.1])
        else { return nil }
        return (source, destination)
    }

    /// The ports, if it is UDP, no later piece of a packet, and has no IPv6 extension headers.
    public var ports: (source: UInt16, destination: UInt16)? {
        let start: Int
        switch octets.first.map({ $0 >> 4 }) {
        case 4 where octets.count >= 20 && octets[6] & 0x1f == 0 && octets[7] == 0 && octets[9] == Self.udp:
            // Options come between.
            start = max(20, Int(octets[0] & 0xf) * 4)
        case 6 where octets.count >= 40 && octets[6] == Self.udp: start = 40
        default: return nil
        }
        guard octets.count >= start + 4 else { return nil }
        func word(_ place: Int) -> UInt16 { UInt16(octets[place]) << 8 | UInt16(octets[place + 1]) }
        return (word(start), word(start + 2))
    }

    private static let udp = Encapsulation.udp.protocolNumber

    public var description: String {
        var text = "\(reason.identifier): session \(session)"
        if let addresses {
            let ports = ports
            text += ", \(addresses.source)\(ports.map { " port \($0.source)" } ?? "")"
            text += " > \(addresses.destination)\(ports.map { " port \($0.destination)" } ?? "")"
        }
        return "\(text), \(length) octets: \(reason)"
    }
}
