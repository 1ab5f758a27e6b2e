import BPF
import Foundation
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink

/// Many customers: a VLAN each, on as many access interfaces as that takes, all of them to one peer.
struct City: ~Copyable {
    let network: FourNamespaces
    let manager: PseudowireManager
    let count: Int
    /// Where the state is pinned.
    let directory: String
    private let ports: [LinkIndex]

    /// So many an interface can tell apart.
    private static let vlans = 4094

    init(_ count: Int) throws {
        let network = try FourNamespaces.anonymous(innerMTU: 1500)
        let client = try RouteClient(in: network.edge1)
        let ports = try (0..<(count + Self.vlans - 1) / Self.vlans).map { number in
            let port = try client.links.create(.veth("m\(number)", peer: .init(name: "n\(number)"), isUp: true))
            return port.index
        }
        // The peer's hardware address is known before anything is measured.
        _ = try Echo(to: FourNamespaces.Place.edge2.address(.v4), count: 2).run(in: network.edge1)
        let manager = try PseudowireManager(in: .path(network.path(of: .edge1)))
        directory = "/sys/fs/bpf/pseudowire/\(String(client.namespaceCookie, radix: 16))"
        self.ports = ports
        self.manager = manager
        self.network = network
        self.count = count
    }

    /// Under which another process finds the namespace, as long as this one lives.
    var path: String { network.path(of: .edge1).replacingOccurrences(of: "/self/", with: "/\(getpid())/") }

    /// - Parameter room: for how many pseudowires there is room; nil: for the usual number.
    func document(ttl: UInt8 = 64, room: UInt32? = nil) -> PseudowireDocument {
        let (local, peer) = (FourNamespaces.Place.edge1.address(.v4), FourNamespaces.Place.edge2.address(.v4))
        let wires = (0..<count).map { number in
            let session = SessionID(rawValue: UInt32(number + 1)) ?? 1
            return PseudowireConfiguration(
                name: "pw\(number)", access: "m\(number / Self.vlans)", tunnel: .udp(local: local, peer: peer),
                session: .init(local: session, peer: session), vlan: .id(vlan(number)), ttl: ttl)
        }
        return PseudowireDocument(wires, maxSessions: room)
    }

    private func vlan(_ number: Int) -> UInt16 { UInt16(number % Self.vlans + 1) }

    /// A frame and where it comes in.
    private struct Probe {
        let frame: [UInt8]
        let interface: UInt32
    }

    static let lookUp = "a look-up alone"

    /// How many sessions take turns at most: their entries are far more than a processor's caches hold.
    private static let turns = 65_536

    /// What encap and decap cost.
    ///
    /// - Returns: each run for the next of many sessions, in an order that no cache could guess; and all for the same
    ///   one. The third of each is a look-up alone.
    borrowing func programs(runs: Int) throws -> (inTurn: [ProgramCost], same: [ProgramCost]) {
        var numbers = Array(stride(from: 0, to: count, by: max(1, count / Self.turns)))
        var generator = SystemRandomNumberGenerator()
        numbers.shuffle(using: &generator)
        let client = try RouteClient(in: network.edge1)
        guard let underlay = try client.links.find(named: "veth12"), let station = underlay.address else {
            throw Failure("veth12 is not there")
        }
        let directory = directory
        let out = numbers.map { number in
            Probe(
                frame: udpFrame(64, tags: [VLANTag(protocolID: 0x8100, identifier: vlan(number))]),
                interface: ports[number / Self.vlans].rawValue)
        }
        return try network.edge1.run {
            Result {
                let encap = try Program(pinnedAt: "\(directory)/pw_encap")
                let decap = try Program(pinnedAt: "\(directory)/pw_decap")
                let back = try out.map {
                    Probe(frame: try Self.reply(to: $0, encap, station.bytes), interface: underlay.index.rawValue)
                }
                for probe in back.prefix(1) {
                    let outcome = try decap.testRun(
                        probe.frame, context: TestRunContext(interfaceIndex: probe.interface))
                    guard outcome.frame.count < probe.frame.count else { throw Failure("nothing was decapsulated") }
                }
                let empty = try Program.empty()
                let access = try RawMap(pinnedAt: "\(directory)/access")
                let lookUp = try Program.lookUp(in: access.fileDescriptor)
                for probe in out.prefix(10) {
                    let outcome = try lookUp.testRun(
                        probe.frame, context: TestRunContext(interfaceIndex: probe.interface))
                    guard outcome.verdict == 1 else { throw Failure("no entry was found") }
                }
                var values = [[Double]](repeating: [], count: 6)
                // The first round only brings the programs' own code and constants near.
                for round in 0...5 {
                    let floor = try Self.median(of: empty, out, runs)
                    let costs = try [
                        Self.median(of: encap, out, runs), Self.median(of: decap, back, runs),
                        Self.median(of: lookUp, out, runs),
                        Self.median(of: encap, Array(out.prefix(1)), runs),
                        Self.median(of: decap, Array(back.prefix(1)), runs),
                        Self.median(of: lookUp, Array(out.prefix(1)), runs),
                    ]
                    guard round > 0 else { continue }
                    for (index, cost) in costs.enumerated() { values[index].append(cost - floor) }
                }
                let found = zip(["encap", "decap", Self.lookUp, "encap", "decap", Self.lookUp], values).map {
                    ProgramCost(program: $0, octets: 64, sessions: count, values: $1)
                }
                return (Array(found[..<3]), Array(found[3...]))
            }
        }.get()
    }

    /// What the peer would send back: the same with both outer addresses exchanged, which no checksum minds.
    private static func reply(
        to probe: Probe, _ encap: borrowing Program, _ station: [UInt8]
    ) throws -> [UInt8] {
        var packet = try encap.testRun(probe.frame, context: TestRunContext(interfaceIndex: probe.interface)).frame
        guard packet.count > probe.frame.count else { throw Failure("the frame was not encapsulated") }
        packet.replaceSubrange(0..<6, with: station)
        packet.replaceSubrange(12..<14, with: [0x08, 0x00])
        packet.replaceSubrange(26..<34, with: packet[30..<34] + packet[26..<30])
        return packet
    }

    private static func median(
        of program: borrowing Program, _ probes: [Probe], _ runs: Int
    ) throws -> Double {
        var times: [Double] = []
        times.reserveCapacity(runs)
        for number in 0..<runs {
            let probe = probes[number % probes.count]
            let result = try program.testRun(
                probe.frame, context: TestRunContext(interfaceIndex: probe.interface))
            times.append(Double(result.nanosecondsPerRun))
        }
        return Spread(times)?.median ?? 0
    }
}
