import BPF
import CPseudowireObject
import InternetAddress
import L2TP
import Testing

@testable import Pseudowire

/// The datapath, loaded for one test alone: nothing is pinned or attached, frames are run through it by hand.
///
/// Loopback plays both interfaces. It has no forwarding, so the way out is the configured one: loopback again.
struct Bench: ~Copyable {
    static let slot: UInt32 = 1
    static let loopback: UInt32 = 1

    /// What most tests run.
    ///
    /// To verify what a test does not run takes longer than the test.
    static let filters = [DatapathObject.encap, DatapathObject.encapSplit, DatapathObject.decap, DatapathObject.join]

    /// A program, or what stands for one that was left out.
    struct Runner {
        private let held: DatapathPrograms.Held?

        fileprivate init(_ object: borrowing LoadedObject, _ name: String, of programs: [String]) throws {
            held = programs.contains(name) ? DatapathPrograms.Held(try object.program(name)) : nil
        }

        func testRun(
            _ frame: [UInt8], context: TestRunContext = TestRunContext(), repetitions: Int32 = 1
        ) throws -> TestRunResult {
            try #require(held, "was left out").program.testRun(frame, context: context, repetitions: repetitions)
        }

        func testRunXDP(_ frame: [UInt8]) throws -> TestRunResult {
            try #require(held, "was left out").program.testRunXDP(frame)
        }
    }

    let configuration: PseudowireConfiguration
    let encap: Runner
    let encapSplit: Runner
    let decap: Runner
    let join: Runner
    let encapXDP: Runner
    let decapXDP: Runner
    let meta: Map<UInt32, pw_meta>
    let access: Map<pw_access_key, pw_encap>
    let accessKey: pw_access_key
    let sequences: Map<UInt32, pw_sequence>
    let sessions: Map<UInt32, pw_decap>
    let ports: Map<UInt32, pw_port>
    private let counters: Map<UInt32, pw_counters>
    private let drops: Map<UInt32, UInt64>
    private let sessionDrops: Map<pw_drop_key, pw_drop>

    init(
        _ configuration: PseudowireConfiguration, underlay: UInt32 = Bench.loopback,
        splitter: OwnPair.Indexes = OwnPair.Indexes(outer: 0, inner: 0), maxSessions: UInt32 = 16,
        programs: [String] = Bench.filters
    ) throws {
        let file = try DatapathObject.open(maxSessions: maxSessions)
        for name in DatapathObject.carriers where !programs.contains(name) { try file.leaveOut(name) }
        let object = try file.load()
        let encap = try Runner(object, DatapathObject.encap, of: programs)
        let encapSplit = try Runner(object, DatapathObject.encapSplit, of: programs)
        let decap = try Runner(object, DatapathObject.decap, of: programs)
        let join = try Runner(object, DatapathObject.join, of: programs)
        let encapXDP = try Runner(object, DatapathObject.encapXDP, of: programs)
        let decapXDP = try Runner(object, DatapathObject.decapXDP, of: programs)
        let meta: Map<UInt32, pw_meta> = try object.map("meta")
        let access: Map<pw_access_key, pw_encap> = try object.map("access")
        let paths: Map<pw_path_key, pw_access_key> = try object.map("paths")
        let sessions: Map<UInt32, pw_decap> = try object.map("sessions")
        let sequences: Map<UInt32, pw_sequence> = try object.map("sequences")
        let sessionDrops: Map<pw_drop_key, pw_drop> = try object.map("session_drops")
        let counters: Map<UInt32, pw_counters> = try object.map("counters")
        let drops: Map<UInt32, UInt64> = try object.map("drops")
        let ports: Map<UInt32, pw_port> = try object.map("ports")
        let encapValue = pw_encap(
            configuration, slot: Self.slot, underlay: underlay, splitter: splitter)
        let accessKey = pw_access_key(ifindex: Self.loopback, vlan: configuration.vlan)
        try access.update(key: accessKey, value: encapValue)
        try paths.update(key: pw_path_key(configuration), value: accessKey)
        try sessions.update(
            key: configuration.session.local.rawValue,
            value: pw_decap(configuration, slot: Self.slot, access: Self.loopback))
        self.configuration = configuration
        self.encap = encap
        self.encapSplit = encapSplit
        self.decap = decap
        self.join = join
        self.encapXDP = encapXDP
        self.decapXDP = decapXDP
        self.meta = meta
        self.access = access
        self.accessKey = accessKey
        self.sequences = sequences
        self.sessions = sessions
        self.ports = ports
        self.counters = counters
        self.drops = drops
        self.sessionDrops = sessionDrops
    }

    /// How often each reason has been counted for the pseudowire itself.
    func sessionReasons() throws -> [String: UInt64] {
        var found: [String: UInt64] = [:]
        for reason in DropReason.allCases {
            if let drop = try sessionDrops[pw_drop_key(slot: Self.slot, reason: reason.rawValue)] {
                found[reason.identifier] = drop.count
            }
        }
        return found
    }

    /// How often each reason has been counted.
    func reasons() throws -> [String: UInt64] {
        var found: [String: UInt64] = [:]
        for reason in DropReason.allCases {
            let count = try (drops.valuesPerCPU(of: reason.rawValue) ?? []).reduce(0, +)
            if count > 0 { found[reason.identifier] = count }
        }
        return found
    }

    /// The pseudowire's counters, all CPUs together.
    func counted() throws -> Statistics {
        var sum = Statistics()
        for value in try counters.valuesPerCPU(of: Self.slot) ?? [] {
            sum.add(value)
        }
        return sum
    }
}

/// tc's verdicts, `linux/pkt_cls.h`.
enum Verdict {
    static let pass: Int32 = -1
    static let drop: Int32 = 2
    static let redirect: Int32 = 7
}

/// One way to carry frames: everything that changes the bytes on the wire.
struct Cell: Sendable, CustomTestStringConvertible {
    var family: IPAddress.Family
    var encapsulation: Encapsulation
    var cookie: Cookie = .empty
    var sublayer: Sublayer = .default
    var checksum: PseudowireConfiguration.UDPChecksum = .auto

    var testDescription: String {
        "IPv\(family.rawValue)/\(encapsulation.rawValue) cookie \(cookie.length.byteCount) sublayer \(sublayer.rawValue) "
            + "checksum \(checksum.rawValue)"
    }

    static let basic: [Cell] = [IPAddress.Family.v4, .v6].flatMap { family in
        Encapsulation.allCases.map { Cell(family: family, encapsulation: $0) }
    }

    /// Every combination of options.
    static let all: [Cell] = basic.flatMap { cell in
        [Cookie.empty, "01234567", "0123456789abcdef"].flatMap { cookie in
            Sublayer.allCases.flatMap { sublayer in
                (cell.encapsulation == .udp ? PseudowireConfiguration.UDPChecksum.allCases : [.auto]).map { checksum in
                    Cell(
                        family: cell.family, encapsulation: cell.encapsulation, cookie: cookie, sublayer: sublayer,
                        checksum: checksum)
                }
            }
        }
    }

    /// Our end.
    ///
    /// It expects the cookie that it sends, so that what it made can be given back to it, turned around.
    var configuration: PseudowireConfiguration {
        let local: IPAddress = family == .v4 ? "192.0.2.21" : "2001:db8::21"
        let peer: IPAddress = family == .v4 ? "192.0.2.22" : "2001:db8::22"
        return PseudowireConfiguration(
            name: "test", access: "lo",
            tunnel: encapsulation == .udp
                ? .udp(local: local, peer: peer, localPort: 1701, peerPort: 1702, checksum: checksum)
                : .ip(local: local, peer: peer),
            session: .init(
                local: 1012, peer: 1021, expecting: cookie == .empty ? [] : [cookie], sending: cookie,
                sublayer: sublayer), flowLabel: .zero)
    }

    /// What the other implementation says should leave (`outbound`), or should come in from the peer.
    func codec(outbound: Bool) -> PacketCodec {
        let configuration = configuration
        let tunnel = configuration.tunnel
        return PacketCodec(
            outer: OuterHeader(
                source: outbound ? tunnel.local : tunnel.peer, destination: outbound ? tunnel.peer : tunnel.local,
                encapsulation: encapsulation, sourcePort: outbound ? tunnel.localPort : tunnel.peerPort,
                destinationPort: outbound ? tunnel.peerPort : tunnel.localPort,
                udpChecksum: configuration.fillsUDPChecksum ? .full : .zero),
            header: DataHeader(
                encapsulation: encapsulation,
                session: outbound ? configuration.session.peer : configuration.session.local,
                cookie: cookie, sublayer: sublayer == .default ? SublayerWord() : nil))
    }

    /// The outer Ethernet header as the program leaves it: addresses are the kernel's to fill in.
    var ethernet: [UInt8] {
        [UInt8](repeating: 0, count: 12) + (family == .v4 ? [0x08, 0x00] : [0x86, 0xdd])
    }
}
