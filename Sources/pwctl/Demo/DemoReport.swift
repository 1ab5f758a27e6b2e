internal import Pseudowire
internal import PseudowireTestbed

/// The demo's results for people.
enum DemoReport {
    static let introduction = """
        This builds the network below in four namespaces of its own, joins veth10 and veth23 with a
        pseudowire, and sends from host0 to host3, which can reach each other through nothing else: pings
        of 56 and 1400 octets over IPv4 and IPv6, then a TCP stream. Each case starts afresh, so that the
        first ping finds nothing prepared. All of it is taken down at the end.
        """

    static func table(_ results: [DemoResult]) -> String {
        let header = [
            "case", "MTU", "4/56", "4/1400", "6/56", "6/1400", "RTT µs", "Mb/s", "1 tx", "2 rx", "2 tx", "1 rx",
            "drops",
        ]
        var table = TextTable(header, rightAligned: Set(1..<header.count))
        for result in results {
            var row = [result.cell.name, "\(result.mtu)"]
            row += result.pings.map { "\($0.lost)/\($0.sent)" }
            row += [result.medianRoundTrip.map { "\(Int($0.rounded()))" } ?? "-"]
            row += [result.stream.map { "\(Int($0.megabitsPerSecond.rounded()))" } ?? "-"]
            if result.statistics.count == 2 {
                let (first, second) = (result.statistics[0], result.statistics[1])
                row += [first.txFrames, second.rxFrames, second.txFrames, first.rxFrames].map { "\($0)" }
            }
            row.append("\(result.drops)")
            table.add(row)
        }
        return table.text
    }

    static let legend = """
        4/56 … 6/1400: pings lost, of those sent, by family and octets; RTT: the median of all pings;
        1, 2: frames counted by the pseudowires at edge1 and edge2
        """

    /// One line when all is well, otherwise what is not.
    static func verdict(_ results: [DemoResult]) -> String {
        let failed = results.filter { !$0.complaints.isEmpty }
        guard !failed.isEmpty else {
            let pings = results.reduce(0) { $0 + $1.pings.reduce(0) { $0 + $1.sent } }
            return "All \(pings) pings came back, the TCP streams arrived intact, and every frame sent was received."
        }
        return failed.flatMap { result in
            ["\(result.cell.name) is not right:"] + (result.complaints + result.reasons).map { "  \($0)" }
        }.joined(separator: "\n")
    }
}

/// The demo's results for machines.
struct DemoView: Encodable {
    let passed: Bool
    let cells: [CellView]
    /// Cases that came to no result.
    let failures: [String]

    init(_ results: [DemoResult], failures: [String]) {
        passed = failures.isEmpty && results.allSatisfy(\.complaints.isEmpty)
        self.failures = failures
        cells = results.map(CellView.init)
    }

    struct CellView: Encodable {
        let family: UInt8
        let encap: String
        let mtu: Int
        let passed: Bool
        let complaints: [String]
        let pings: [PingView]
        /// Payload at the receiver.
        let megabitsPerSecond: Double?
        let octets: Int?
        let seconds: Double?
        let isIntact: Bool?
        let edge1: CountersView?
        let edge2: CountersView?

        enum CodingKeys: String, CodingKey {
            case family, encap, mtu, passed, complaints, pings, octets, seconds, edge1, edge2
            case megabitsPerSecond = "megabits-per-second"
            case isIntact = "intact"
        }

        init(_ result: DemoResult) {
            family = result.cell.family.rawValue
            encap = result.cell.encapsulation.rawValue
            mtu = result.mtu
            complaints = result.complaints
            passed = complaints.isEmpty
            pings = zip(DemoCell.pings, result.pings).map { PingView($0.family.rawValue, $0.payloadSize, $1) }
            megabitsPerSecond = result.stream?.megabitsPerSecond
            octets = result.stream?.receivedOctets
            seconds = result.stream?.seconds
            isIntact = result.stream?.isIntact
            edge1 = result.statistics.first.map(CountersView.init)
            edge2 = result.statistics.last.map(CountersView.init)
        }
    }

    /// Round-trip times are in microseconds.
    struct PingView: Encodable {
        let family: UInt8
        let octets: Int
        let sent: Int
        let received: Int
        let minimum, median, p99: Double?

        init(_ family: UInt8, _ octets: Int, _ outcome: Echo.Outcome) {
            self.family = family
            self.octets = octets
            sent = outcome.sent
            received = outcome.received
            minimum = outcome.latency?.minimum
            median = outcome.latency?.median
            p99 = outcome.latency?.p99
        }
    }
}
