public import InternetAddress

/// An ARP request or reply for IPv4 over Ethernet (RFC 826), 28 octets.
///
/// ```swift
/// let question = ARPMessage(
///     operation: .request, senderMAC: "02:00:00:00:00:01", senderIP: "10.0.0.1", targetIP: "10.0.0.2")
/// ```
public struct ARPMessage: Hashable, Sendable {
    /// What is said (RFC 826).
    public enum Operation: UInt16, Hashable, Sendable {
        case request = 1
        case reply = 2
    }

    public var operation: Operation
    /// Whoever receives it takes this for the address of `senderIP`.
    public var senderMAC: MACAddress
    /// IPv4; an IPv6 address makes a malformed message.
    public var senderIP: IPAddress
    /// All zeros in a request, which asks for it.
    public var targetMAC: MACAddress
    /// IPv4; an IPv6 address makes a malformed message.
    public var targetIP: IPAddress

    public init(
        operation: Operation, senderMAC: MACAddress, senderIP: IPAddress, targetMAC: MACAddress = .zero,
        targetIP: IPAddress
    ) {
        self.operation = operation
        self.senderMAC = senderMAC
        self.senderIP = senderIP
        self.targetMAC = targetMAC
        self.targetIP = targetIP
    }

    /// The message as it is sent.
    public var bytes: [UInt8] {
        [0, 1, 8, 0, 6, 4] + octets(operation.rawValue) + senderMAC.bytes + senderIP.bytes + targetMAC.bytes
            + targetIP.bytes
    }
}

extension EthernetFrame {
    /// A broadcast that asks who has an address.
    public static func arpRequest(
        from source: MACAddress, _ senderIP: IPAddress, whoHas targetIP: IPAddress, tags: [VLANTag] = [],
        isPadded: Bool = false
    ) -> EthernetFrame {
        let message = ARPMessage(operation: .request, senderMAC: source, senderIP: senderIP, targetIP: targetIP)
        return EthernetFrame(
            destination: .broadcast, source: source, tags: tags, payload: .arp(message), isPadded: isPadded)
    }

    /// The answer to a request: sender `source` has `senderIP`.
    public static func arpReply(
        from source: MACAddress, _ senderIP: IPAddress, to destination: MACAddress, _ targetIP: IPAddress,
        tags: [VLANTag] = [], isPadded: Bool = false
    ) -> EthernetFrame {
        let message = ARPMessage(
            operation: .reply, senderMAC: source, senderIP: senderIP, targetMAC: destination, targetIP: targetIP)
        return EthernetFrame(
            destination: destination, source: source, tags: tags, payload: .arp(message), isPadded: isPadded)
    }
}
