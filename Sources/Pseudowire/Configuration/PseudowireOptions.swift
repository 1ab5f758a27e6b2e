internal import InternetAddress
internal import L2TP

/// A pseudowire as people write it: the command line's options, text not yet understood.
///
/// ```swift
/// var options = PseudowireOptions(name: "pw0")
/// options.access = "eth1"
/// options.local = "192.0.2.21"
/// …
/// let configuration = try options.resolve()     // throws ConfigurationFaults: all of them
/// ```
public struct PseudowireOptions: Hashable, Sendable {
    public var name: String
    public var access: String?
    public var encap: String?
    public var local: String?
    public var peer: String?
    public var localPort: String?
    public var peerPort: String?
    public var sessionID: String?
    public var peerSessionID: String?
    public var underlay: [String] = []
    public var sendCookie: String?
    public var expectCookie: [String] = []
    public var sublayer: String?
    public var udpChecksum: String?
    public var ttl: String?
    public var dscp: String?
    public var offload: String?
    /// How many pseudowires there can be in the namespace; not of one pseudowire, but asked for with the first.
    public var maxSessions: String?

    public init(name: String) {
        self.name = name
    }

    /// The configuration that the text means.
    public func resolve() throws(ConfigurationFaults) -> PseudowireConfiguration {
        let (configuration, _, faults) = read()
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
        return configuration
    }

    /// What could be understood, with stand-ins for what could not, and everything that is wrong with the words.
    func read() -> (configuration: PseudowireConfiguration, maxSessions: UInt32?, faults: [ConfigurationFault]) {
        var reader = Reader()
        let maxSessions = reader.number("max-sessions", self.maxSessions, 1...16_777_216)
        let encapsulation: Encapsulation = reader.choice("encap", encap) ?? .udp
        let local = reader.address("local", self.local)
        let peer = reader.address("peer", self.peer)
        let localSession = reader.session("session-id", sessionID)
        let peerSession = reader.session("peer-session-id", peerSessionID)
        let localPort = reader.number("local-port", self.localPort, 1...65535) ?? UInt64(Encapsulation.defaultPort)
        let peerPort = reader.number("peer-port", self.peerPort, 1...65535) ?? UInt64(Encapsulation.defaultPort)
        let checksum: PseudowireConfiguration.UDPChecksum = reader.choice("udp-checksum", udpChecksum) ?? .auto
        let offload: PseudowireConfiguration.Offload = reader.choice("offload", self.offload) ?? .auto
        let sublayer: Sublayer = reader.choice("sublayer", self.sublayer) ?? .default
        let sending = sendCookie.flatMap { reader.cookie("send-cookie", $0) } ?? .empty
        let expecting = expectCookie.compactMap { reader.cookie("expect-cookie", $0) }
        let ttl = reader.number("ttl", self.ttl, 1...255) ?? 64
        let dscp = reader.number("dscp", self.dscp, 0...63) ?? 0
        if access == nil { reader.fault("access", "is missing; the interface whose frames are to be carried") }
        if encapsulation == .ip {
            for (field, value) in [
                ("local-port", self.localPort), ("peer-port", self.peerPort), ("udp-checksum", udpChecksum),
            ] where value != nil {
                reader.fault(field, "has no meaning with --encap ip; leave it out or use --encap udp")
            }
        }

        // What could be read is checked further even if other things could not, so that one answer has it all.
        let stand: (IPAddress, IPAddress)? = if let local, let peer { (local, peer) } else { nil }
        let configuration = PseudowireConfiguration(
            name: name, access: access ?? "-",
            tunnel: .init(
                encapsulation: encapsulation, local: stand?.0 ?? "192.0.2.1", peer: stand?.1 ?? "192.0.2.2",
                localPort: encapsulation == .udp ? UInt16(localPort) : 0,
                peerPort: encapsulation == .udp ? UInt16(peerPort) : 0, udpChecksum: checksum),
            session: .init(
                local: localSession ?? 1, peer: peerSession ?? 1, expecting: expecting, sending: sending,
                sublayer: sublayer),
            underlays: underlay, ttl: UInt8(ttl), dscp: UInt8(dscp), offload: offload)
        return (configuration, maxSessions.map(UInt32.init), reader.faults + configuration.faults)
    }

    /// Reads one option after the other and remembers what was wrong.
    private struct Reader {
        var faults: [ConfigurationFault] = []

        mutating func fault(_ field: String, _ message: String) {
            faults.append(ConfigurationFault(.usage, field, message))
        }

        mutating func choice<Choice: RawRepresentable & CaseIterable>(_ field: String, _ text: String?) -> Choice?
        where Choice.RawValue == String {
            guard let text else { return nil }
            if let choice = Choice(rawValue: text) { return choice }
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            fault(field, "\"\(text)\" is none of \(known)")
            return nil
        }

        mutating func address(_ field: String, _ text: String?) -> IPAddress? {
            guard let text else {
                fault(field, "is missing; an IPv4 or IPv6 address")
                return nil
            }
            if let address = IPAddress(text) { return address }
            fault(field, "\"\(text)\" is no IPv4 or IPv6 address")
            return nil
        }

        mutating func session(_ field: String, _ text: String?) -> SessionID? {
            guard let text else {
                fault(field, "is missing; 1 to 4294967295")
                return nil
            }
            if let id = SessionID(text) { return id }
            let problem = Self.unsigned(text) == 0 ? "0 is kept for control messages" : "\"\(text)\" is no session id"
            fault(field, "\(problem); 1 to 4294967295")
            return nil
        }

        mutating func number(_ field: String, _ text: String?, _ range: ClosedRange<UInt64>) -> UInt64? {
            guard let text else { return nil }
            if let value = Self.unsigned(text), range.contains(value) { return value }
            fault(field, "\"\(text)\" is not a number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }

        mutating func cookie(_ field: String, _ text: String) -> Cookie? {
            if let cookie = Cookie(text), cookie != .empty { return cookie }
            fault(field, "\"\(text)\" is no cookie; 8 or 16 hexadecimal digits")
            return nil
        }

        private static func unsigned(_ text: String) -> UInt64? {
            text.lowercased().hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
        }
    }
}
