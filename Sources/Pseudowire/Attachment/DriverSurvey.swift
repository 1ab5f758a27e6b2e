internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

/// What the kernel says of interfaces as far as it decides about XDP; asked once.
final class DriverSurvey {
    private let client: RouteClient
    private var all: [LinkIndex: XDPFeatures]??
    private var judged: [LinkIndex: Acceleration] = [:]

    init(_ client: RouteClient) {
        self.client = client
    }

    /// What a driver can do for XDP programs; nil where the kernel does not say.
    func features(_ link: LinkIndex) throws(NetlinkError) -> XDPFeatures? {
        if let all { return all.map { $0[link] ?? [] } }
        let found = try client.links.xdpFeatures()
        all = .some(found)
        return found.map { $0[link] ?? [] }
    }

    /// - Parameter isOurs: whether the XDP program that is there, if any, is our own.
    func judge(_ link: Link, isOurs: Bool) throws(NetlinkError) -> Acceleration {
        if let known = judged[link.index] { return known }
        var facts = Acceleration.Facts(hasEthernetHeader: link.hasEthernetHeader, kind: link.kind)
        facts.driver = try features(link.index)
        if !isOurs, let program = link.xdp?.first { facts.foreignProgram = Self.describe(program) }
        // What a card does is asked only where it could still decide.
        if case .chosen = Acceleration(facts) { facts.active = try client.links.features(link.index).active }
        let found = Acceleration(facts)
        judged[link.index] = found
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
