internal import Glibc
internal import InternetAddress
internal import L2TP
internal import Pseudowire
internal import PseudowireTestbed

/// One of the demo's four cases: a family of the outer addresses and an encapsulation.
struct DemoCell {
    let family: IPAddress.Family
    let encapsulation: Encapsulation

    var name: String { "IPv\(family.rawValue) \(encapsulation == .udp ? "UDP" : "IP")" }

    /// The pings, in the order of the table's columns.
    static let pings: [(family: IPAddress.Family, payloadSize: Int)] = [(.v4, 56), (.v4, 1400), (.v6, 56), (.v6, 1400)]

    private func configuration(at edge: FourNamespaces.Place) -> PseudowireConfiguration {
        let isFirst = edge == .edge1
        let local = edge.address(family)
        let peer = (isFirst ? FourNamespaces.Place.edge2 : .edge1).address(family)
        return PseudowireConfiguration(
            name: "pw0", access: isFirst ? "veth10" : "veth23",
            tunnel: encapsulation == .udp ? .udp(local: local, peer: peer) : .ip(local: local, peer: peer),
            session: .init(local: isFirst ? 1012 : 1021, peer: isFirst ? 1021 : 1012),
            // Both ends are ours and take each other's unfinished frames for what they are.
            offload: .keep)
    }

    /// Builds the network and the pseudowire, carries the traffic and takes all of it down again.
    func run(
        seconds: Int, _ interruption: Interruption, progress: (String) -> Void
    ) throws(DemoFailure) -> DemoResult {
        let network = try testbed { () throws(TestbedError) in try FourNamespaces.anonymous() }
        let mtu = configuration(at: .edge1).overhead.pseudowireMTU(underlay: 1500)
        try testbed { () throws(TestbedError) in try network.setInnerMTU(mtu) }
        let edges = try pseudowire { () throws(PseudowireError) in
            [
                try PseudowireManager(in: .path(network.path(of: .edge1))),
                try PseudowireManager(in: .path(network.path(of: .edge2))),
            ]
        }
        var result = DemoResult(cell: self, mtu: mtu)
        do throws(DemoFailure) {
            try pseudowire { () throws(PseudowireError) in
                try edges[0].add(configuration(at: .edge1))
                try edges[1].add(configuration(at: .edge2))
            }
            // What the hosts' kernels said before the second end stood has reached nobody.
            result.start = try Self.counters(of: edges).statistics
            try carry(seconds, over: network, interruption, progress, &result)
            try count(at: edges, interruption, &result)
        } catch {
            do { try Self.takeDown(edges) } catch let second { throw .also(error, second) }
            throw error
        }
        try pseudowire { () throws(PseudowireError) in try Self.takeDown(edges) }
        return result
    }

    /// The namespaces end with the process; what is pinned on the BPF file system would not.
    private static func takeDown(_ edges: [PseudowireManager]) throws(PseudowireError) {
        var failure: PseudowireError?
        for edge in edges {
            do { try edge.change { () throws(PseudowireError) in try edge.planTeardown() } } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func carry(
        _ seconds: Int, over network: borrowing FourNamespaces, _ interruption: Interruption,
        _ progress: (String) -> Void, _ result: inout DemoResult
    ) throws(DemoFailure) {
        progress("\(name): inner MTU \(result.mtu), pinging host3 from host0")
        for (family, payloadSize) in Self.pings {
            let echo = Echo(to: FourNamespaces.Place.host3.address(family), payloadSize: payloadSize, count: 5)
            let outcome = try testbed { () throws(TestbedError) in
                try echo.run(in: network.host0) { interruption.isRequested }
            }
            try interruption.check()
            result.pings.append(outcome)
        }
        progress("\(name): TCP from host0 to host3 for \(seconds) s")
        let stream = PseudowireTestbed.Stream(
            to: FourNamespaces.Place.host3.address(.v4), amount: .duration(.seconds(seconds)),
            timeout: .seconds(seconds + 10))
        let start = Self.now()
        var nextReport = 2
        result.stream = try testbed { () throws(TestbedError) in
            try stream.run(from: network.host0, to: network.host3) {
                let elapsed = Int(Self.now() - start)
                if elapsed >= nextReport, elapsed < seconds || elapsed >= seconds + 2 {
                    nextReport = elapsed + 2
                    progress("\(name): TCP, \(elapsed) of \(seconds) s")
                }
                return interruption.isRequested
            }
        }
        try interruption.check()
    }

    /// Reads the counters of both ends until they have come to rest, two seconds long at most.
    private func count(
        at edges: [PseudowireManager], _ interruption: Interruption, _ result: inout DemoResult
    ) throws(DemoFailure) {
        for _ in 0..<20 {
            let before = result.end
            (result.end, result.namespaceDrops) = try Self.counters(of: edges)
            try interruption.check()
            if result.end == before, result.countersAgree { return }
            usleep(100_000)
        }
    }

    private static func counters(
        of edges: [PseudowireManager]
    ) throws(DemoFailure) -> (statistics: [Statistics], namespace: [[DropCount]]) {
        try pseudowire { () throws(PseudowireError) in
            var (statistics, namespace): ([Statistics], [[DropCount]]) = ([], [])
            for edge in edges {
                statistics.append(try edge.pseudowire(named: "pw0").statistics)
                namespace.append(try edge.namespaceDrops())
            }
            return (statistics, namespace)
        }
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// What one cell of the demo has shown.
struct DemoResult {
    let cell: DemoCell
    let mtu: Int
    /// In the order of `DemoCell.pings`.
    var pings: [Echo.Outcome] = []
    /// Nil until there was one.
    var stream: PseudowireTestbed.Stream.Outcome?
    /// Of edge1 and edge2, when both ends stood.
    var start: [Statistics] = []
    /// Of edge1 and edge2, when the traffic had come to rest.
    var end: [Statistics] = []
    /// Of edge1 and edge2.
    var namespaceDrops: [[DropCount]] = []

    init(cell: DemoCell, mtu: Int) {
        self.cell = cell
        self.mtu = mtu
    }

    /// What edge1 and edge2 have counted while traffic was carried.
    var statistics: [Statistics] {
        zip(start, end).map { start, end in
            var statistics = end
            statistics.txFrames -= min(start.txFrames, end.txFrames)
            statistics.txOctets -= min(start.txOctets, end.txOctets)
            statistics.rxFrames -= min(start.rxFrames, end.rxFrames)
            statistics.rxOctets -= min(start.rxOctets, end.rxOctets)
            return statistics
        }
    }

    /// What left one end arrived at the other, frame by frame.
    var countersAgree: Bool {
        statistics.count == 2 && statistics[0].txFrames == statistics[1].rxFrames
            && statistics[1].txFrames == statistics[0].rxFrames
    }

    var drops: UInt64 { statistics.reduce(0) { $0 + $1.txDropped + $1.rxDropped } }

    /// Of all pings, microseconds.
    var medianRoundTrip: Double? { Latency(pings.flatMap(\.roundTrips))?.median }

    /// What is not as it should be; empty when all is well.
    var complaints: [String] {
        var complaints: [String] = []
        for ((family, payloadSize), outcome) in zip(DemoCell.pings, pings) where !outcome.isPerfect {
            var parts: [String] = []
            if outcome.lost > 0 { parts.append("\(outcome.lost) of \(outcome.sent) lost") }
            if outcome.corrupted > 0 { parts.append("\(outcome.corrupted) came back changed") }
            if outcome.duplicates > 0 { parts.append("\(outcome.duplicates) came back twice") }
            if let error = outcome.errors.first { parts.append("\(error)") }
            complaints.append(
                "IPv\(family.rawValue) pings of \(payloadSize) octets: \(parts.joined(separator: ", "))")
        }
        if let stream, !stream.isIntact {
            let reason =
                if let position = stream.firstWrongOctet {
                    "octet \(position) is wrong"
                } else {
                    "\(stream.receivedOctets) of \(stream.sentOctets) octets arrived before time was up"
                }
            complaints.append("the TCP stream is not intact: \(reason)")
        }
        if !countersAgree {
            for (from, to) in [(0, 1), (1, 0)] where statistics.count == 2 {
                let sent = statistics[from].txFrames
                let received = statistics[to].rxFrames
                if sent != received {
                    complaints.append("edge\(from + 1) sent \(sent) frames, edge\(to + 1) received \(received)")
                }
            }
        }
        return complaints
    }

    /// Why frames did not cross, for those who want to know more about a complaint.
    var reasons: [String] {
        zip(statistics, namespaceDrops).enumerated().flatMap { index, counts in
            let (session, namespace) = (counts.0.drops, counts.1)
            let drops = session + namespace.filter { count in !session.contains { $0.reason == count.reason } }
            return drops.map { "edge\(index + 1) counted \($0.count) \($0.reason.identifier): \($0.reason)" }
        }
    }
}
