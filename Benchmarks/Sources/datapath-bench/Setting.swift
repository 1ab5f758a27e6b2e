import InternetAddress
import PseudowireTestbed
import RouteNetlink

/// What differs between tables; within one, offloads and MTU are the same for all contenders.
enum Condition: String, CaseIterable, Sendable, Codable {
    case defaults = "offloads as the kernel has them"
    case softwareSegmentation = "software segmentation on the underlay"
    case unsegmentedSource = "segmentation off at the source"
    case injection = "frames injected at the source's interface"

    /// What every contender is to be set up on.
    func prepare(_ network: borrowing FourNamespaces) throws {
        let everything: [LinkOffload: Bool] = [
            .tcpSegmentation: false, .genericSegmentation: false, .transmitChecksum: false,
        ]
        switch self {
        case .defaults: break
        case .softwareSegmentation:
            try network.setOffloads(everything, of: "veth12", at: .edge1)
            try network.setOffloads(everything, of: "veth21", at: .edge2)
        case .unsegmentedSource:
            let segmentation: [LinkOffload: Bool] = [.tcpSegmentation: false, .genericSegmentation: false]
            try network.setOffloads(segmentation, of: "veth01", at: .host0)
            try network.setOffloads(segmentation, of: "veth32", at: .host3)
        case .injection:
            // A veth takes frames that were never a socket's, or come from XDP, only if its other end polls.
            for (name, place) in [
                ("veth10", FourNamespaces.Place.edge1), ("veth12", .edge1), ("veth21", .edge2), ("veth32", .host3),
            ] {
                try network.setOffloads([.genericReceive: true], of: name, at: place)
            }
        }
    }

    var works: [Work] {
        switch self {
        case .defaults:
            [
                .tcp(flows: 1), .tcp(flows: 4), .frames(octets: 64), .frames(octets: 512), .frames(octets: 1400),
                .latency,
            ]
        case .softwareSegmentation, .unsegmentedSource: [.tcp(flows: 1), .tcp(flows: 4)]
        case .injection: [.injected(octets: 64)]
        }
    }
}

extension FourNamespaces {
    borrowing func setOffloads(_ offloads: [LinkOffload: Bool], of name: String, at place: Place) throws {
        try withNamespace(place) { namespace in
            let client = try RouteClient(in: namespace)
            try client.links.setOffloads(client.index(name), offloads)
        }
    }
}

/// One contender under one condition: a fresh network for each turn.
struct Setting: Sendable {
    let contender: Contender
    let condition: Condition

    /// Fits into every contender's tunnel over an underlay of 1,500.
    static let innerMTU = 1400

    /// Does the works one after the other, `seconds` each.
    ///
    /// - Parameter warmUp: for so many seconds each is done before, and not measured.
    func turn(seconds: Double, warmUp: Double, works: [Work]) throws -> [Work: Outcome] {
        try onNetwork(condition) { network in
            var outcomes: [Work: Outcome] = [:]
            for work in works {
                if warmUp > 0 { _ = try work.run(on: network, seconds: warmUp) }
                outcomes[work] = try work.run(on: network, seconds: seconds)
            }
            return outcomes
        }
    }

    /// What an inspector finds wrong with the frames that the contender puts on the underlay; empty: nothing.
    ///
    /// With software segmentation, so that the frames captured are those that a wire would carry.
    func faults() throws -> [String] {
        try onNetwork(.softwareSegmentation) { network in
            let tap = try FrameTap(on: "veth21", in: network.edge2, directions: .received)
            for work in [Work.tcp(flows: 1), .frames(octets: 64)] { _ = try work.run(on: network, seconds: 0.05) }
            let frames = try tap.frames(limit: 4000)
            guard frames.count > 100 else { return ["only \(frames.count) frames crossed the underlay"] }
            let inspector = PacketInspector(pseudowire: contender.pseudowire, mtu: 1500)
            var faults: Set<String> = []
            var carried = 0
            for frame in frames {
                if frame.offload != nil { faults.insert("frames cross the underlay unfinished") }
                let report = inspector.inspect(frame: frame.bytes)
                if report.innerFrame != nil { carried += 1 }
                // Which octets they are differs from frame to frame.
                for fault in report.faults { faults.insert(fault.replacing(/0x[0-9a-f]+|\d+/, with: "…")) }
            }
            if contender.pseudowire != nil, carried < frames.count / 2 {
                faults.insert("only \(carried) of \(frames.count) frames are a pseudowire's")
            }
            return faults.sorted()
        }
    }

    private func onNetwork<Value>(
        _ condition: Condition, _ body: (borrowing FourNamespaces) throws -> Value
    ) throws -> Value {
        let network = try FourNamespaces.anonymous(innerMTU: Self.innerMTU)
        try condition.prepare(network)
        let takeDown = try contender.setUp(network)
        let result = Result {
            // Neighbours are found and bridges have learned before anything is measured.
            let echo = try Echo(to: FourNamespaces.Place.host3.address(.v4), count: 3).run(in: network.host0)
            guard echo.lost < 3 else { throw Failure("nothing crosses") }
            return try body(network)
        }
        try takeDown()
        return try result.get()
    }
}
