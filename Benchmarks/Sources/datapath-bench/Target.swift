/// A ratio that is to be reached, judged by the median of the rounds' ratios.
struct Target: Sendable {
    let name: String
    /// The bound, as `≥ 1.15`.
    let wanted: String
    let isReached: @Sendable (Double) -> Bool
    /// One ratio for each round that has both figures.
    let ratios: @Sendable (Report) -> [Double]

    init(_ name: String, atLeast bound: Double, _ ratios: @escaping @Sendable (Report) -> [Double]) {
        self.name = name
        wanted = "≥ \(bound)"
        isReached = { $0 >= bound }
        self.ratios = ratios
    }

    init(_ name: String, atMost bound: Double, _ ratios: @escaping @Sendable (Report) -> [Double]) {
        self.name = name
        wanted = "≤ \(bound)"
        isReached = { $0 <= bound }
        self.ratios = ratios
    }

    private static let udp = Contender.udp
    private static let ip = "ours, IP over IPv4"

    static let all: [Target] = [
        Target("TCP, UDP encapsulation / VXLAN", atLeast: 1.15) {
            $0.chain.ratios(.tcp(flows: 1), .defaults, udp, Contender.vxlan.name)
        },
        Target("the same, software segmentation on the underlay", atLeast: 1) {
            $0.chain.ratios(.tcp(flows: 1), .softwareSegmentation, udp, Contender.vxlan.name)
        },
        Target("TCP, IP encapsulation / bridge, segmentation off at the source", atLeast: 0.7) { report in
            let figures = report.chain.values(ip, .defaults, Work.tcp(flows: 1).name)
            let others = report.chain.values(
                Contender.bridge.name, .unsegmentedSource, Work.tcp(flows: 1).name)
            return Run.ratios(figures, others)
        },
        Target("64-octet frames from a socket / VXLAN", atLeast: 1.6) {
            $0.chain.ratios(.frames(octets: 64), .defaults, udp, Contender.vxlan.name)
        },
        Target("64-octet frames injected / redirect only", atLeast: 0.8) {
            $0.chain.ratios(.injected(octets: 64), .injection, udp, Contender.redirect.name)
        },
        Target("the same, XDP / filters", atLeast: 2.2) {
            $0.chain.ratios(.injected(octets: 64), .injection, Contender.xdp, udp)
        },
        Target("guest: TCP / l2tp_eth", atLeast: 3) {
            $0.guest?.ratios(.tcp(flows: 1), .defaults, udp, Contender.kernelL2TP.name) ?? []
        },
        Target("guest: 64-octet frames / l2tp_eth", atLeast: 3) {
            $0.guest?.ratios(.frames(octets: 64), .defaults, udp, Contender.kernelL2TP.name) ?? []
        },
        Target("guest: 64-octet frames injected / l2tp_eth", atLeast: 3) {
            $0.guest?.ratios(.injected(octets: 64), .injection, udp, Contender.kernelL2TP.name) ?? []
        },
        Target("checksum over UDP/IPv6 / none, 1400 octets, program cost", atMost: 1.1) {
            ProgramCost.ratios($0.programs, "encap, UDP over IPv6", "encap, UDP over IPv6, no checksum", octets: 1400)
        },
        Target("program cost, most sessions / one", atMost: 1.25) { report in
            let most = report.programsAtScale.map(\.sessions).max() ?? 0
            let programs = report.programsAtScale.filter(\.isOurs)
            return programs.filter { $0.sessions == most && most > 1 }.flatMap { many in
                programs.filter { $0.sessions == 1 && $0.program == many.program }.flatMap { one in
                    zip(many.values, one.values).map { $0 / $1 }
                }
            }
        },
        Target("pwctl list of 10,000, ms", atMost: 60) { report in
            report.commands.first { $0.name == CommandTime.list }.map { $0.values } ?? []
        },
        Target("pwctl --version / ip link show lo", atMost: 4) { report in
            let times = [CommandTime.start, CommandTime.witness].map { name in
                report.commands.first { $0.name == name }?.values ?? []
            }
            return zip(times[0], times[1]).map { $0 / $1 }
        },
    ]
}

extension Run {
    func ratios(_ work: Work, _ condition: Condition, _ contender: String, _ reference: String) -> [Double] {
        Self.ratios(values(contender, condition, work.name), values(reference, condition, work.name))
    }

    static func ratios(_ figures: [Int: Double], _ references: [Int: Double]) -> [Double] {
        figures.keys.sorted().compactMap { round in
            guard let value = figures[round], let other = references[round], other > 0 else { return nil }
            return value / other
        }
    }
}
