import InternetAddress
import PseudowireTestbed
import Testing

/// Customer's frames of every kind that matters to the datapath.
struct Sample: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let frame: [UInt8]

    init(_ description: String, _ frame: EthernetFrame) {
        testDescription = description
        self.frame = frame.bytes
    }

    init(_ description: String, raw: [UInt8]) {
        testDescription = description
        frame = raw
    }

    static let near: MACAddress = "02:00:00:00:00:01"
    static let far: MACAddress = "02:00:00:00:00:02"

    static func ip(_ transport: Transport, _ family: IPAddress.Family, options: [UInt8] = []) -> IPPacket {
        family == .v4
            ? IPPacket(source: "198.51.100.1", destination: "198.51.100.2", options: options, transport: transport)
            : IPPacket(source: "2001:db8:1::1", destination: "2001:db8:1::2", transport: transport)
    }

    static func frame(_ packet: IPPacket, tags: [VLANTag] = [], isPadded: Bool = false) -> EthernetFrame {
        EthernetFrame(destination: far, source: near, tags: tags, payload: .ip(packet), isPadded: isPadded)
    }

    static let all: [Sample] = {
        var samples: [Sample] = []
        for family in [IPAddress.Family.v4, .v6] {
            for size in [0, 1, 2, 3, 63, 64, 511, 512, 513, 1023, 1024, 1400, 1401] {
                let payload = PayloadPattern.bytes(count: size, seed: UInt64(size))
                samples += [
                    Sample(
                        "IPv\(family.rawValue) TCP \(size)",
                        frame(ip(.tcp(TCPSegment(sourcePort: 1234, destinationPort: 80, payload: payload)), family))),
                    Sample(
                        "IPv\(family.rawValue) UDP \(size)",
                        frame(ip(.udp(UDPDatagram(sourcePort: 1234, destinationPort: 53, payload: payload)), family))),
                    Sample(
                        "IPv\(family.rawValue) echo \(size)",
                        frame(ip(.echoRequest(identifier: 7, sequence: 1, payload: payload), family))),
                ]
            }
        }
        let short = TCPSegment(sourcePort: 1, destinationPort: 2, payload: [1])
        samples += [
            Sample("padded TCP", frame(ip(.tcp(short), .v4), isPadded: true)),
            Sample("tagged TCP", frame(ip(.tcp(short), .v4), tags: [.customer(42, priority: 5)])),
            Sample("tagged TCP over IPv6", frame(ip(.tcp(short), .v6), tags: [.customer(42)])),
            Sample("double-tagged TCP", frame(ip(.tcp(short), .v4), tags: [.service(7), .customer(42)])),
            Sample("ARP", .arpRequest(from: near, "198.51.100.1", whoHas: "198.51.100.2")),
            Sample("LLDP", .lldp(from: near, port: "eth1")),
            Sample(
                "UDP without checksum",
                frame(
                    ip(
                        .udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: [9, 9, 9], hasChecksum: false)),
                        .v4))),
            Sample("IPv4 options", frame(ip(.tcp(short), .v4, options: [1, 1, 1, 1]))),
            Sample("header alone", raw: far.bytes + near.bytes + [0x88, 0xb5]),
            Sample("one octet", raw: far.bytes + near.bytes + [0x88, 0xb5, 0xff]),
            Sample(
                "long frame of an unknown ethertype",
                raw: far.bytes + near.bytes + [0x88, 0xb5] + PayloadPattern.bytes(count: 2999, seed: 3)),
            Sample(
                "lying IPv4 length",
                raw: far.bytes + near.bytes + [0x08, 0x00, 0x45, 0, 0xff, 0xff] + [UInt8](repeating: 0x55, count: 60)),
        ]
        for fragment in ip(
            .udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: PayloadPattern.bytes(count: 2000, seed: 1))),
            .v4
        )
        .fragments(mtu: 1500) {
            samples.append(
                Sample("fragment of \(fragment.count)", raw: far.bytes + near.bytes + [0x08, 0x00] + fragment))
        }
        return samples
    }()
}
