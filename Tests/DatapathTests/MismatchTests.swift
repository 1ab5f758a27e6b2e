import BPF
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

/// What is between session id and frame is agreed on by hand; nothing on the wire says it.
@Suite("a peer that is set up otherwise", .enabled(if: geteuid() == 0, "needs root"))
struct MismatchTests {
    /// Frames by which it can be told: IP and ARP.
    ///
    /// Others pass or not, as chance will have it.
    private static let telling = Sample.all.filter { sample in
        ["TCP", "UDP", "echo", "ARP"].contains { sample.testDescription.contains($0) }
            && !sample.testDescription.contains("agged")
    }

    private static func run(ours: Cell, theirs: Cell) throws -> (delivered: Int, reasons: [String: UInt64]) {
        let bench = try Bench(ours.configuration)
        var delivered = 0
        for sample in telling {
            let packet = ours.ethernet + (try theirs.codec(outbound: false).encapsulate(frame: sample.frame))
            if try bench.decap.testRun(packet).verdict != Verdict.drop { delivered += 1 }
        }
        #expect(try bench.sessionReasons() == bench.reasons())
        return (delivered, try bench.reasons())
    }

    @Test("the other sublayer is named, with and without a cookie, and nothing is delivered", arguments: Cell.basic)
    func sublayer(cell: Cell) throws {
        for cookie in [Cookie.empty, "01234567", "0123456789abcdef"] {
            for sublayer in Sublayer.allCases {
                var ours = cell
                ours.cookie = cookie
                ours.sublayer = sublayer
                var theirs = ours
                theirs.sublayer = sublayer == .none ? .default : .none
                let (delivered, reasons) = try Self.run(ours: ours, theirs: theirs)
                #expect(delivered == 0)
                #expect(reasons == ["sublayer_mismatch": UInt64(Self.telling.count)], "\(ours.testDescription)")
            }
        }
    }

    @Test("a cookie of another length is named, and nothing is delivered", arguments: Cell.basic)
    func cookieLength(cell: Cell) throws {
        let cookies = [Cookie.empty, "81234567", "8123456789abcdef"]
        for sublayer in Sublayer.allCases {
            for expected in cookies {
                for sent in cookies where sent != expected {
                    var ours = cell
                    ours.cookie = expected
                    ours.sublayer = sublayer
                    var theirs = ours
                    theirs.cookie = sent
                    let (delivered, reasons) = try Self.run(ours: ours, theirs: theirs)
                    #expect(delivered == 0)
                    #expect(
                        reasons == ["cookie_length": UInt64(Self.telling.count)], "\(ours.testDescription), \(sent)")
                }
            }
        }
    }

    @Test("frames of any protocol from a peer that is set up alike are delivered", arguments: Cell.basic)
    func innocent(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        for type: UInt16 in [
            0x0000, 0x0026, 0x05dc, 0x0800, 0x0806, 0x8847, 0x8863, 0x8864, 0x86dd, 0x88cc, 0x88e5, 0xffff,
        ] {
            for count in [46, 47, 60, 300] {
                let frame =
                    Sample.far.bytes + Sample.near.bytes + [UInt8(type >> 8), UInt8(type & 0xff)]
                    + PayloadPattern.bytes(count: count, seed: UInt64(type))
                let packet = cell.ethernet + (try cell.codec(outbound: false).encapsulate(frame: frame))
                #expect(try bench.decap.testRun(packet).frame == frame, "type \(type), \(count) octets")
            }
        }
        // An IPv4 packet behind more than an Ethernet header: IEEE 802.3 with SNAP, and tags of eight octets.
        let packet = Sample.ip(.udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: [1, 2, 3])), .v4).bytes
        let fronts: [[UInt8]] = [
            [0, UInt8(packet.count + 8), 0xaa, 0xaa, 3, 0, 0, 0, 8, 0],
            [0x89, 0x09, 1, 1, 0, 1, 0, 7, 8, 0],
            [0x89, 0x3f, 0, 0, 0, 1, 0, 0, 8, 0],
            [0x93, 0x00, 0, 7, 8, 0],
            [0x91, 0x00, 0, 7, 0x81, 0x00, 0, 8, 8, 0],
        ]
        for front in fronts {
            let frame = Sample.far.bytes + Sample.near.bytes + front + packet
            let sent = cell.ethernet + (try cell.codec(outbound: false).encapsulate(frame: frame))
            #expect(try bench.decap.testRun(sent).frame == frame, "\(front)")
        }
        #expect(try bench.reasons().isEmpty)
    }
}
