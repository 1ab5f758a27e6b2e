import BPF
import CWorkload
import Glibc
import InternetAddress
import PseudowireTestbed
import RouteNetlink

/// What is done to a contender, and what is measured of it.
enum Work: Hashable, Sendable {
    /// Gbit/s of payload, so many connections at once.
    case tcp(flows: Int)
    /// Frames of so many octets, without FCS, that reach host3, thousands per second, from one socket.
    case frames(octets: Int)
    /// The same, handed to host0's interface by the kernel's frame generator.
    case injected(octets: Int)
    /// Microseconds there and back, frames of 64 octets, one at a time.
    case latency

    var name: String {
        switch self {
        case .tcp(let flows): "TCP, \(flows) \(flows == 1 ? "flow" : "flows"), Gbit/s"
        case .frames(let octets): "\(octets)-octet frames from a socket, k/s"
        case .injected(let octets): "\(octets)-octet frames injected, k/s"
        case .latency: "round trip, µs, median"
        }
    }

    var moreIsBetter: Bool { self != .latency }
}

/// What one turn has given.
struct Outcome: Sendable {
    var value: Double
    /// Other figures of the same turn, as `p99` or `cpu ns/frame`.
    var more: [String: Double] = [:]
}

extension Work {
    /// UDP header, IPv4 header, Ethernet header.
    static let headers = 8 + 20 + 14

    func run(on network: borrowing FourNamespaces, seconds: Double) throws -> Outcome {
        let from = FourNamespaces.Place.host0.address(.v4).description
        let to = FourNamespaces.Place.host3.address(.v4).description
        return try from.withCString { from in
            try to.withCString { to in
                var ends = workload_ends(
                    from: network.host0.fileDescriptor, to: network.host3.fileDescriptor, from_address: from,
                    to_address: to)
                switch self {
                case .tcp(let flows): return try Self.tcp(&ends, flows, seconds)
                case .frames(let octets):
                    return try Self.counted(network) {
                        var (sent, elapsed) = (UInt64(0), 0.0)
                        try check(
                            workload_datagrams(&ends, Int32(octets - Self.headers), seconds, &sent, &elapsed))
                        return elapsed
                    }
                case .injected(let octets):
                    return try Self.counted(network) { try Self.inject(octets, seconds, network) }
                case .latency: return try Self.latency(&ends, Int(seconds * 10_000))
                }
            }
        }
    }

    private static func tcp(_ ends: inout workload_ends, _ flows: Int, _ seconds: Double) throws -> Outcome {
        var (octets, elapsed) = (UInt64(0), 0.0)
        try check(workload_tcp(&ends, Int32(flows), seconds, &octets, &elapsed))
        return Outcome(value: Double(octets) * 8 / elapsed / 1e9)
    }

    private static func latency(_ ends: inout workload_ends, _ count: Int) throws -> Outcome {
        var times = [UInt64](repeating: 0, count: count)
        try check(workload_ping_pong(&ends, Int32(64 - headers), Int32(count), &times))
        times.sort()
        return Outcome(
            value: Double(times[count / 2]) / 1000, more: ["p99 µs": Double(times[count * 99 / 100]) / 1000])
    }

    /// Frames that reach host3's interface while `body` sends, by the seconds that it took.
    private static func counted(
        _ network: borrowing FourNamespaces, _ body: () throws -> Double
    ) throws -> Outcome {
        let client = try RouteClient(in: network.host3)
        func arrived() throws -> UInt64 {
            guard let link = try client.links.find(named: "veth32"), let statistics = link.statistics else {
                throw Failure("host3 has no counters")
            }
            return statistics.receivedPackets
        }
        let before = try arrived()
        let busy = try BusyTime.now()
        let elapsed = try body()
        let spent = try BusyTime.now() - busy
        // What was under way when the sender stopped.
        usleep(20_000)
        let frames = Double(try arrived() - before)
        guard frames > 0 else { throw Failure("no frame arrived") }
        return Outcome(value: frames / elapsed / 1000, more: ["cpu ns/frame": spent * 1e9 / frames])
    }

    /// Lets host0's kernel send copies of a frame for that long, as its own cable's other end would.
    ///
    /// They end in host3's driver: what its stack takes to throw them away is nobody's merit.
    private static func inject(
        _ octets: Int, _ seconds: Double, _ network: borrowing FourNamespaces
    ) throws -> Double {
        let index = try RouteClient(in: network.host0).index("veth01")
        let frame = udpFrame(octets)
        let far = try RouteClient(in: network.host3).index("veth32")
        let end = try network.host3.run { Result { try DriverLink(Program.drop(), at: far) } }.get()
        defer { withExtendedLifetime(end) {} }
        return try network.host0.run {
            Result {
                let program = try Program.redirect(to: index, xdp: true)
                let start = monotonicSeconds()
                var elapsed = 0.0
                while elapsed < seconds {
                    try program.sendLive(frame, count: 1 << 14, arrivingAt: index.rawValue)
                    elapsed = monotonicSeconds() - start
                }
                return elapsed
            }
        }.get()
    }
}

/// A UDP datagram to a station that is not there: it goes all the way, and the far kernel throws it away at once.
func udpFrame(_ octets: Int, tags: [VLANTag] = []) -> [UInt8] {
    EthernetFrame(
        destination: "02:00:00:00:00:99", source: "02:00:00:00:00:01", tags: tags,
        payload: .ip(
            IPPacket(
                source: FourNamespaces.Place.host0.address(.v4),
                destination: FourNamespaces.Place.host3.address(.v4),
                transport: .udp(
                    UDPDatagram(
                        sourcePort: 5201, destinationPort: 5201,
                        payload: [UInt8](repeating: 0, count: octets - Work.headers)))))
    ).bytes
}

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Throws what a workload has returned, if it is an error.
func check(_ result: Int32) throws {
    guard result == 0 else { throw Failure(String(cString: strerror(-result))) }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
