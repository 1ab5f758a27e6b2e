import BPF
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

@Suite("DSCP, ECN, TTL, DF, flow label and source port", .enabled(if: geteuid() == 0, "needs root"))
struct MarkingTests {
    private static func packet(_ family: IPAddress.Family, trafficClass: UInt8, port: UInt16 = 1) -> [UInt8] {
        var packet = Sample.ip(.tcp(TCPSegment(sourcePort: port, destinationPort: 2, payload: [1, 2, 3])), family)
        packet.trafficClass = trafficClass
        return Sample.frame(packet).bytes
    }

    @Test("DSCP is the configured one or the packet's, ECN the packet's or none", arguments: Cell.basic)
    func outwards(cell: Cell) throws {
        for inherit in [false, true] {
            for ecn in PseudowireConfiguration.ECN.allCases {
                var configuration = cell.configuration
                configuration.dscp = inherit ? .inherit : 10
                configuration.ecn = ecn
                let bench = try Bench(configuration)
                for trafficClass: UInt8 in [0, 0xb8, 0xb9, 0xba, 0xbb, 3] {
                    for family in [IPAddress.Family.v4, .v6] {
                        let frame = Self.packet(family, trafficClass: trafficClass)
                        var codec = cell.codec(outbound: true)
                        codec.outer.trafficClass =
                            (inherit ? trafficClass & 0xfc : 40) | (ecn == .normal ? trafficClass & 3 : 0)
                        #expect(try bench.encap.testRun(frame).frame == cell.ethernet + codec.encapsulate(frame: frame))
                    }
                }
                // What is not IP has no DSCP to inherit.
                let arp = EthernetFrame.arpRequest(from: Sample.near, "198.51.100.1", whoHas: "198.51.100.2").bytes
                var codec = cell.codec(outbound: true)
                codec.outer.trafficClass = inherit ? 0 : 40
                #expect(try bench.encap.testRun(arp).frame == cell.ethernet + codec.encapsulate(frame: arp))
            }
        }
    }

    /// RFC 6040, figure 4: rows are what arrives inside, columns what arrives outside; nil is a drop.
    private static let combinations: [[UInt8?]] = [
        // outside: Not-ECT, ECT(1), ECT(0), CE
        [0, 0, 0, nil],
        [1, 1, 1, 3],
        [2, 1, 2, 3],
        [3, 3, 3, 3],
    ]

    @Test("congestion met outside is handed on inside as RFC 6040 says", arguments: Cell.basic)
    func inwards(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        for inside: UInt8 in 0..<4 {
            for outside: UInt8 in 0..<4 {
                for family in [IPAddress.Family.v4, .v6] {
                    var codec = cell.codec(outbound: false)
                    codec.outer.trafficClass = 0xb8 | outside
                    let frame = Self.packet(family, trafficClass: 0x68 | inside)
                    let result = try bench.decap.testRun(cell.ethernet + codec.encapsulate(frame: frame))
                    if let wanted = Self.combinations[Int(inside)][Int(outside)] {
                        #expect(result.verdict == Verdict.redirect)
                        #expect(
                            result.frame == Self.packet(family, trafficClass: 0x68 | wanted), "\(inside) \(outside)")
                    } else {
                        #expect(result.verdict == Verdict.drop)
                    }
                }
            }
        }
        #expect(try bench.reasons() == ["congestion": 2])
    }

    @Test("TTL is the configured one; DF can be clear, and then packets are told apart", arguments: Cell.basic)
    func lifeAndFragments(cell: Cell) throws {
        var configuration = cell.configuration
        configuration.ttl = 7
        configuration.dontFragment = cell.family == .v6
        let bench = try Bench(configuration)
        let frame = Self.packet(.v4, trafficClass: 0)
        var identifications: Set<UInt16> = []
        for _ in 0..<8 {
            let sent = try bench.encap.testRun(frame).frame
            var codec = cell.codec(outbound: true)
            codec.outer.ttl = 7
            if cell.family == .v4 {
                codec.outer.dontFragment = false
                codec.outer.identification = UInt16(sent[18]) << 8 | UInt16(sent[19])
                identifications.insert(codec.outer.identification)
            }
            #expect(sent == cell.ethernet + (try codec.encapsulate(frame: frame)))
        }
        if cell.family == .v4 { #expect(identifications.count > 4) }
    }

    @Test(
        "the flow label is one for a flow, and differs between flows", arguments: Cell.basic.filter { $0.family == .v6 }
    )
    func flowLabel(cell: Cell) throws {
        var configuration = cell.configuration
        configuration.flowLabel = .auto
        let bench = try Bench(configuration)
        var labels: Set<UInt32> = []
        for port: UInt16 in 1...8 {
            let frame = Self.packet(.v4, trafficClass: 0, port: port)
            let first = try bench.encap.testRun(frame).frame
            let label = UInt32(first[15] & 0xf) << 16 | UInt32(first[16]) << 8 | UInt32(first[17])
            var codec = cell.codec(outbound: true)
            codec.outer.flowLabel = label
            #expect(first == cell.ethernet + (try codec.encapsulate(frame: frame)))
            #expect(try bench.encap.testRun(frame).frame == first)
            labels.insert(label)
        }
        #expect(labels.count >= 7)
    }

    @Test(
        "the source port comes from the flow where it is wanted; everywhere else it is the configured one",
        arguments: Cell.all.filter { $0.encapsulation == .udp && $0.cookie == .empty })
    func entropy(cell: Cell) throws {
        var configuration = cell.configuration
        configuration.tunnel.portEntropy = .both
        let bench = try Bench(configuration)
        var ports: Set<UInt16> = []
        let place = cell.family == .v4 ? 34 : 54
        for port: UInt16 in 1...5 {
            let frame = Self.packet(.v6, trafficClass: 0, port: port)
            let sent = try bench.encap.testRun(frame).frame
            var codec = cell.codec(outbound: true)
            codec.outer.sourcePort = UInt16(sent[place]) << 8 | UInt16(sent[place + 1])
            #expect(codec.outer.sourcePort >= 0xc000)
            #expect(sent == cell.ethernet + (try codec.encapsulate(frame: frame)))
            ports.insert(codec.outer.sourcePort)
            // And what the peer sends so is taken.
            var incoming = cell.codec(outbound: false)
            incoming.outer.sourcePort = codec.outer.sourcePort
            #expect(try bench.decap.testRun(cell.ethernet + incoming.encapsulate(frame: frame)).frame == frame)
        }
        #expect(ports.count >= 2)
        #expect(try bench.reasons().isEmpty)
    }
}
