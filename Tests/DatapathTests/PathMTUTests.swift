import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

@Suite("what the network says of the path", .enabled(if: geteuid() == 0, "needs root"))
struct PathMTUTests {
    private static func configuration(_ cell: Cell) -> PseudowireConfiguration { cell.configuration }

    /// A router's message about a packet that our end has sent.
    private static func message(_ cell: Cell, _ packet: [UInt8], mtu: UInt16, quoted: Int = 200) -> [UInt8] {
        let isIPv4 = cell.family == .v4
        let body =
            (isIPv4 ? [3, 4, 0, 0, 0, 0] : [2, 0, 0, 0, 0, 0]) + [UInt8(mtu >> 8), UInt8(mtu & 0xff)]
            + packet.prefix(quoted)
        let router: IPAddress = isIPv4 ? "192.0.2.1" : "2001:db8::1"
        return cell.ethernet
            + IPPacket(
                source: router, destination: cell.configuration.tunnel.local,
                transport: .raw(protocolNumber: isIPv4 ? 1 : 58, body)
            ).bytes
    }

    private static func learned(_ bench: borrowing Bench) throws -> UInt16 {
        try #require(try bench.access[bench.accessKey]).path_mtu
    }

    @Test(
        "L2: an ICMP message about a packet of ours lowers the path's MTU at once; the stack sees it too",
        arguments: Cell.all)
    func learns(cell: Cell) throws {
        var configuration = cell.configuration
        configuration.repliesTooBig = false
        let bench = try Bench(configuration)
        let frame = Sample.frame(
            Sample.ip(
                .udp(
                    UDPDatagram(sourcePort: 1, destinationPort: 2, payload: PayloadPattern.bytes(count: 1372, seed: 1))),
                .v6)
        ).bytes
        let packet = Array(try bench.encap.testRun(frame).frame[14...])
        let message = Self.message(cell, packet, mtu: 1400)
        let result = try bench.decap.testRun(message)
        #expect(result.verdict == Verdict.pass)
        #expect(result.frame == message)
        #expect(try Self.learned(bench) == 1400)
        #expect(try bench.encap.testRun(frame).verdict == Verdict.drop)
        #expect(try bench.reasons() == ["too_big": 1])
        // A larger one is no news, a smaller one is.
        _ = try bench.decap.testRun(Self.message(cell, packet, mtu: 1450))
        #expect(try Self.learned(bench) == 1400)
        _ = try bench.decap.testRun(Self.message(cell, packet, mtu: 1300))
        #expect(try Self.learned(bench) == 1300)
        // Forgotten in time.
        var encap = try #require(try bench.access[bench.accessKey])
        encap.path_mtu_until = 1
        try bench.access.update(key: bench.accessKey, value: encap)
        #expect(try bench.encap.testRun(frame).verdict == Verdict.redirect)
    }

    @Test(
        "L2: what does not arrive is counted for its pseudowire, reported, and left to the stack", arguments: Cell.all)
    func unreachable(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let packet = Array(try bench.encap.testRun(Sample.all[0].frame).frame[14...])
        // Unreachable host and port, time exceeded, parameter problem; an echo reply and a redirect are no such thing.
        let errors: [(UInt8, UInt8)] =
            cell.family == .v4 ? [(3, 1), (3, 3), (11, 0), (12, 0)] : [(1, 0), (1, 4), (3, 0), (4, 0)]
        let others: [(UInt8, UInt8)] = cell.family == .v4 ? [(0, 0), (5, 1)] : [(129, 0), (137, 0)]
        let type = cell.family == .v4 ? 34 : 54
        for (kind, code) in errors + others {
            var message = Self.message(cell, packet, mtu: 600)
            message[type] = kind
            message[type + 1] = code
            let result = try bench.decap.testRun(message)
            #expect(result.verdict == Verdict.pass && result.frame == message)
        }
        #expect(try bench.reasons() == ["unreachable": UInt64(errors.count)])
        #expect(try Self.learned(bench) == 0)
        #expect(try bench.encap.testRun(Sample.all[0].frame).verdict == Verdict.redirect)
    }

    @Test("after such a message the peer counts as unheard, until a frame of its comes", arguments: Cell.all)
    func unheard(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let session = cell.configuration.session.local.rawValue
        func isUnheard() throws -> Bool { try #require(try bench.sessions[session]).is_unheard == 1 }
        let packet = Array(try bench.encap.testRun(Sample.all[0].frame).frame[14...])
        var message = Self.message(cell, packet, mtu: 0)
        message[cell.family == .v4 ? 34 : 54] = cell.family == .v4 ? 3 : 4
        message[cell.family == .v4 ? 35 : 55] = 1
        #expect(try !isUnheard())
        _ = try bench.decap.testRun(message)
        #expect(try isUnheard())
        // A packet that is refused is no sign of the peer's life; one that is delivered is.
        var packetBack = cell.ethernet + (try cell.codec(outbound: false).encapsulate(frame: Sample.all[0].frame))
        packetBack[cell.family == .v4 ? 29 : 37] ^= 1
        #expect(try bench.decap.testRun(packetBack).verdict == Verdict.drop)
        #expect(try isUnheard())
        packetBack[cell.family == .v4 ? 29 : 37] ^= 1
        #expect(try bench.decap.testRun(packetBack).verdict == Verdict.redirect)
        #expect(try !isUnheard())
    }

    @Test(
        "an absurdly small MTU is taken for the smallest sensible one over IPv4, and for nonsense over IPv6",
        arguments: Cell.basic)
    func floor(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let packet = Array(try bench.encap.testRun(Sample.all[0].frame).frame[14...])
        for mtu: UInt16 in cell.family == .v4 ? [0, 68, 551] : [0, 68, 552, 1279] {
            let message = Self.message(cell, packet, mtu: mtu)
            let result = try bench.decap.testRun(message)
            #expect(result.verdict == Verdict.pass && result.frame == message)
            #expect(try Self.learned(bench) == (cell.family == .v4 ? 552 : 0), "\(mtu)")
        }
        let least: UInt16 = cell.family == .v4 ? 552 : 1280
        _ = try bench.decap.testRun(Self.message(cell, packet, mtu: least))
        #expect(try Self.learned(bench) == least)
    }

    @Test("a message about anybody else's packet, or a forged one, changes nothing", arguments: Cell.all)
    func forged(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let packet = Array(try bench.encap.testRun(Sample.all[0].frame).frame[14...])
        let ip = cell.family == .v4 ? 20 : 40
        // Source, destination, session id; over UDP also both ports; each octet of the cookie.
        var places = cell.family == .v4 ? [12, 15, 16, 19] : [8, 23, 24, 39]
        places += cell.encapsulation == .udp ? [ip, ip + 1, ip + 2, ip + 3, ip + 12, ip + 15] : [ip, ip + 3]
        let cookie = ip + (cell.encapsulation == .udp ? 16 : 4)
        let behind = cookie + cell.cookie.length.byteCount
        places += cookie..<behind
        for place in places {
            var other = packet
            other[place] ^= 1
            let result = try bench.decap.testRun(Self.message(cell, other, mtu: 1400))
            #expect(result.verdict == Verdict.pass)
            #expect(try Self.learned(bench) == 0, "octet \(place)")
            // Not even if that is the last octet quoted.
            _ = try? bench.decap.testRun(Self.message(cell, other, mtu: 1400, quoted: place + 1))
            #expect(try Self.learned(bench) == 0, "octet \(place), the last one")
        }
        // Cut anywhere before the end of the session id, or of a cookie's first four octets.
        let needed = min(cookie + 4, behind)
        for quoted in 0..<needed {
            _ = try? bench.decap.testRun(Self.message(cell, packet, mtu: 1400, quoted: quoted))
        }
        #expect(try Self.learned(bench) == 0)
        for quoted in needed...behind {
            _ = try bench.decap.testRun(Self.message(cell, packet, mtu: 1400 - UInt16(quoted), quoted: quoted))
            #expect(try Self.learned(bench) == 1400 - UInt16(quoted))
        }
        // Nor is what a forger says of the peer.
        var other = packet
        other[behind - 1] ^= 1
        var message = Self.message(cell, other, mtu: 0)
        message[cell.family == .v4 ? 34 : 54] = cell.family == .v4 ? 3 : 1
        message[cell.family == .v4 ? 35 : 55] = 1
        #expect(try bench.decap.testRun(message).verdict == Verdict.pass)
        #expect(try #require(try bench.sessions[cell.configuration.session.local.rawValue]).is_unheard == 0)
        #expect(try bench.reasons().isEmpty)
    }

    /// What the network has of a packet that was cut: its beginning, or from `offset` on what is here taken for the
    /// same.
    private static func piece(_ cell: Cell, _ packet: [UInt8], offset: UInt16, isLast: Bool) -> [UInt8] {
        var piece = packet
        if cell.family == .v4 {
            piece[6] = (isLast ? 0 : 0x20) | UInt8(offset >> 11)
            piece[7] = UInt8(offset >> 3 & 0xff)
        } else {
            piece[6] = 44
            let low = UInt8(offset & 0xff) | (isLast ? 0 : 1)
            piece.insert(contentsOf: [packet[6], 0, UInt8(offset >> 8), low, 0, 0, 0, 1], at: 40)
        }
        return piece
    }

    @Test(
        "of an outer packet that was cut the first piece is known, whatever a later one looks like", arguments: Cell.all
    )
    func pieces(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let packet = Array(try bench.encap.testRun(Sample.all[0].frame).frame[14...])
        for offset: UInt16 in [8, 16, 1400, 0x0800, 0xfff8] {
            for isLast in [false, true] {
                let later = Self.piece(cell, packet, offset: offset, isLast: isLast)
                #expect(try bench.decap.testRun(Self.message(cell, later, mtu: 1400)).verdict == Verdict.pass)
                #expect(try Self.learned(bench) == 0, "offset \(offset)")
            }
        }
        let first = Self.piece(cell, packet, offset: 0, isLast: false)
        #expect(try bench.decap.testRun(Self.message(cell, first, mtu: 1400)).verdict == Verdict.pass)
        #expect(try Self.learned(bench) == 1400)
        // Its fragment header is not whole.
        if cell.family == .v6 { _ = try bench.decap.testRun(Self.message(cell, first, mtu: 1300, quoted: 47)) }
        #expect(try Self.learned(bench) == 1400)
    }
}
