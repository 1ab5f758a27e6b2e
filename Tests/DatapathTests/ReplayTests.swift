import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

/// What other implementations have sent, octet for octet.
@Suite("packets of other implementations, replayed", .enabled(if: geteuid() == 0, "needs root"))
struct ReplayTests {
    /// An SCCRQ of ProL2TP 1.7.3, the peer that the fixtures of katalix/go-l2tp are of (`l2tp/msg_test.go`): message
    /// type, host name "openv3", vendor, receive window, router id, assigned connection id, pseudowire capabilities.
    private static let proL2TP: [UInt8] =
        [0xc8, 0x03, 0x00, 0x7c, 0, 0, 0, 0, 0, 0, 0, 0] + [0x80, 0x08, 0, 0, 0, 0, 0, 1]
        + [0x80, 0x0c, 0, 0, 0, 7] + Array("openv3".utf8)
        + [0x00, 0x34, 0, 0, 0, 8] + Array("prol2tp 1.7.3 Linux-3.13.0-30-generic (x86_64)".utf8)
        + [0x80, 0x08, 0, 0, 0, 0x0a, 0, 0x0a] + [0x00, 0x0a, 0, 0, 0, 0x3c, 0, 0, 0, 0]
        + [0x00, 0x0a, 0, 0, 0, 0x3d, 0x28, 0x46, 0xf1, 0x81] + [0x00, 0x0c, 0, 0, 0, 0x3e, 0, 7, 0, 5, 0, 4]

    /// From the same place: HELLO and a message without body, both of L2TPv2, as a peer sends them to the same port.
    private static let version2: [[UInt8]] = [
        [0xc8, 0x02, 0, 0x14, 0, 1, 0, 0, 0, 1, 0, 1, 0x80, 0x08, 0, 0, 0, 0, 0, 6],
        [0xc8, 0x02, 0, 0x0c, 0, 1, 0, 0, 0, 1, 0, 1],
    ]

    private static func packet(_ cell: Cell, _ l2tp: [UInt8]) -> [UInt8] {
        let tunnel = cell.configuration.tunnel
        let transport: Transport =
            cell.encapsulation == .udp
            ? .udp(
                UDPDatagram(sourcePort: tunnel.peerPort, destinationPort: tunnel.localPort, payload: l2tp))
            // Over IP a control message begins with the session id that no session has.
            : .raw(protocolNumber: 115, [0, 0, 0, 0] + l2tp)
        return cell.ethernet
            + IPPacket(source: tunnel.peer, destination: tunnel.local, transport: transport).bytes
    }

    @Test("17: ProL2TP's SCCRQ is left to the stack as it came, and counted", arguments: Cell.basic)
    func startRequest(cell: Cell) throws {
        #expect(Self.proL2TP.count == 0x7c)
        let bench = try Bench(cell.configuration)
        let packet = Self.packet(cell, Self.proL2TP)
        let result = try bench.decap.testRun(packet)
        #expect(result.verdict == Verdict.pass && result.frame == packet)
        #expect(try bench.reasons() == ["control": 1])
    }

    @Test("17: L2TPv2's HELLO and empty acknowledgement are none of ours")
    func version2() throws {
        let cell = Cell.basic[0]
        for message in Self.version2 {
            let bench = try Bench(cell.configuration)
            let packet = Self.packet(cell, message)
            let result = try bench.decap.testRun(packet)
            #expect(result.verdict == Verdict.pass && result.frame == packet)
            #expect(try bench.reasons().isEmpty)
        }
    }

    @Test("17: a numbered frame as Linux's l2tp_eth heads it: session 0x16, number 3 of a sublayer without cookie")
    func linux() throws {
        var cell = Cell.basic[1]
        cell.sublayer = .default
        var configuration = cell.configuration
        configuration.session.local = 0x16
        configuration.session.sequencing = .receive
        let bench = try Bench(configuration)
        try bench.sequences.update(key: Bench.slot, value: pw_sequence(send: 0, receive: 3 | 1 << 56))
        let frame = Sample.all[0].frame
        let tunnel = configuration.tunnel
        let packet =
            cell.ethernet
            + IPPacket(
                source: tunnel.peer, destination: tunnel.local,
                transport: .raw(protocolNumber: 115, [0, 0, 0, 0x16, 0x40, 0, 0, 3] + frame)
            ).bytes
        let result = try bench.decap.testRun(packet)
        #expect(result.verdict == Verdict.redirect && result.frame == frame)
        #expect(try bench.reasons().isEmpty)
    }
}
