internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

/// What the kernel says of interfaces as far as it decides about XDP; asked once.
final class DriverSurvey {
    private let client: RouteClient
    private var all: [LinkIndex: XDPFeatures]??
    private var judged: [Bool: [LinkIndex: Acceleration]] = [:]

    init(_ client: RouteClient) {
        self.client = client
    }

    /// What a driver can do for XDP programs; nil where nobody says.
    func features(of link: Link) throws(NetlinkError) -> XDPFeatures? {
        let known: [LinkIndex: XDPFeatures]?
        if let all {
            known = all
        } else {
            known = try client.links.xdpFeatures()
            all = .some(known)
        }
        if let known { return known[link.index] ?? [] }
        guard link.kind == nil, let driver = try? client.links.driver(named: link.name) else { return nil }
        return Self.able.contains(driver) ? [.native, .redirect, .transmit] : nil
    }

    /// The drivers of which Linux 6.1 and 6.2 do not say it: they run XDP programs, and send what these redirect to
    /// them once they have one themselves (`ndo_xdp_xmit` in each driver's source).
    private static let able: Set<String> = [
        "atlantic", "bnxt_en", "ena", "i40e", "ice", "igb", "igc", "ixgbe", "mlx5_core", "mvneta", "mvpp2",
        "qede", "sfc", "virtio_net",
    ]

    /// - Parameter isOurs: whether the XDP program that is there, if any, is our own.
    func judge(_ link: Link, isOurs: Bool) throws(NetlinkError) -> Acceleration {
        if let known = judged[isOurs]?[link.index] { return known }
        var facts = Acceleration.Facts(hasEthernetHeader: link.hasEthernetHeader, kind: link.kind)
        facts.driver = try features(of: link)
        if !isOurs, let program = link.xdp?.first { facts.foreignProgram = Self.describe(program) }
        // What a card does to frames is asked only where that could still decide.
        if facts.kind == nil { facts.active = try client.links.features(link.index).active }
        let found = Acceleration(facts)
        judged[isOurs, default: [:]][link.index] = found
        return found
    }

    /// A program's number, and its name where we may ask for it.
    static func describe(_ program: UInt32) -> String {
        let name = try? Program(id: program).info().name
        return "number \(program)" + (name.map { " (\($0))" } ?? "")
    }
}

extension pw_port {
    /// Whether an XDP program of ours is before a filter.
    func hasXDP(_ role: Attachment.Role) -> Bool { flags & role.xdpFlag != 0 }

    /// Whether one is before either.
    var hasXDP: Bool { hasXDP(.access) || hasXDP(.underlay) }
}
