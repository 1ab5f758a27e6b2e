import BPF
import Glibc
import InternetAddress
import Pseudowire
import PseudowireTestbed
import RouteNetlink

/// What a program costs for a frame, beyond what running an empty one does.
struct ProgramCost: Codable, Sendable {
    let program: String
    let octets: Int
    let sessions: Int
    /// Of each round: the median of single runs, less the median of an empty program's in the same round.
    let values: [Double]

    var nanoseconds: Spread { Spread(values) ?? Spread.none }

    /// Whether it is a program of ours, and not only measured to know what bounds those.
    var isOurs: Bool { program != City.lookUp }

    static func ratios(_ costs: [ProgramCost], _ name: String, _ reference: String, octets: Int) -> [Double] {
        func values(_ name: String) -> [Double] {
            costs.first { $0.program == name && $0.octets == octets }?.values ?? []
        }
        return zip(values(name), values(reference)).map { $0 / $1 }
    }
}

/// A program in the kernel and the frames to run it on.
private struct Trial {
    let name: String
    let octets: Int
    let path: String
    let frames: [[UInt8]]
    let interfaceIndex: UInt32
    var values: [Double] = []
}

extension ProgramCost {
    /// Encap and decap of one session in each encapsulation, frames of 64 and of 1,400 octets.
    static func measure(rounds: Int, runs: Int) throws -> [ProgramCost] {
        let cells: [(String, IPAddress.Family, Bool, PseudowireConfiguration.UDPChecksum)] = [
            ("UDP over IPv4", .v4, true, .auto), ("UDP over IPv6", .v6, true, .auto),
            ("UDP over IPv6, no checksum", .v6, true, .zero), ("IP over IPv4", .v4, false, .auto),
            ("IP over IPv6", .v6, false, .auto),
        ]
        return try cells.flatMap { name, family, udp, checksum in
            let contender = Contender.ours(name, family, udp: udp) { $0.tunnel.udpChecksum = checksum }
            let network = try FourNamespaces.anonymous(innerMTU: 1500)
            let takeDown = try contender.setUp(network)
            let result = Result { try onEdge(network, name, rounds, runs) }
            try takeDown()
            return try result.get()
        }
    }

    private static func onEdge(
        _ network: borrowing FourNamespaces, _ name: String, _ rounds: Int, _ runs: Int
    ) throws -> [ProgramCost] {
        _ = try Echo(to: FourNamespaces.Place.host3.address(.v4), count: 2).run(in: network.host0)
        let encap = try Self.pinned("pw_encap", network, .edge1, "veth10")
        let decap = try Self.pinned("pw_decap", network, .edge2, "veth21")
        var out: [Trial] = [], back: [Trial] = []
        for octets in [64, 1400] {
            let frame = udpFrame(octets)
            // What edge1 makes of it is what edge2 gets.
            var outer = try network.edge1.run {
                Result {
                    try Program(pinnedAt: encap.path)
                        .testRun(frame, context: TestRunContext(interfaceIndex: encap.interface)).frame
                }
            }.get()
            guard outer.count > frame.count else { throw Failure("\(name): the frame was not encapsulated") }
            // The Ethernet header is written when the frame is sent.
            outer.replaceSubrange(0..<6, with: decap.station)
            outer.replaceSubrange(12..<14, with: outer[14] >> 4 == 4 ? [0x08, 0x00] : [0x86, 0xdd])
            out.append(
                Trial(
                    name: "encap, \(name)", octets: octets, path: encap.path, frames: [frame],
                    interfaceIndex: encap.interface))
            back.append(
                Trial(
                    name: "decap, \(name)", octets: octets, path: decap.path, frames: [outer],
                    interfaceIndex: decap.interface))
        }
        return try run(&out, on: network.edge1, rounds, runs, sessions: 1)
            + run(&back, on: network.edge2, rounds, runs, sessions: 1)
    }

    /// Where a program of an edge's is pinned, and the interface that it works for.
    private static func pinned(
        _ program: String, _ network: borrowing FourNamespaces, _ place: FourNamespaces.Place, _ interface: String
    ) throws -> (path: String, interface: UInt32, station: [UInt8]) {
        try network.withNamespace(place) { namespace in
            let client = try RouteClient(in: namespace)
            let directory = "/sys/fs/bpf/pseudowire/\(String(client.namespaceCookie, radix: 16))"
            guard let link = try client.links.find(named: interface), let station = link.address else {
                throw Failure("\(interface) is not there")
            }
            return ("\(directory)/\(program)", link.index.rawValue, station.bytes)
        }
    }

    fileprivate static func run(
        _ trials: inout [Trial], on namespace: borrowing NetworkNamespace, _ rounds: Int, _ runs: Int, sessions: Int
    ) throws -> [ProgramCost] {
        for _ in 0..<rounds {
            for index in trials.indices {
                let trial = trials[index]
                let value = try namespace.run {
                    Result {
                        let empty = try Program.empty()
                        let floor = try median(of: empty, trial.frames, trial.interfaceIndex, runs)
                        return try median(of: Program(pinnedAt: trial.path), trial.frames, trial.interfaceIndex, runs)
                            - floor
                    }
                }.get()
                trials[index].values.append(value)
            }
        }
        return trials.map {
            ProgramCost(program: $0.name, octets: $0.octets, sessions: sessions, values: $0.values)
        }
    }

    /// Single runs, since a program that encapsulates finds its own work when it is run again on the same frame.
    private static func median(
        of program: borrowing Program, _ frames: [[UInt8]], _ interfaceIndex: UInt32, _ runs: Int
    ) throws -> Double {
        let context = TestRunContext(interfaceIndex: interfaceIndex)
        var times: [Double] = []
        times.reserveCapacity(runs)
        for number in 0..<runs {
            let result = try program.testRun(frames[number % frames.count], context: context)
            times.append(Double(result.nanosecondsPerRun))
        }
        return Spread(times)?.median ?? 0
    }
}
