internal import BPF
internal import CPseudowireObject
internal import RouteNetlink
internal import SystemPackage

/// Where on an interface a filter is.
public enum AttachmentHook: String, Hashable, Sendable, CaseIterable {
    /// The clsact qdisc, among others' filters by priority.
    case clsact
    /// The tcx hook, whose programs run before every filter on the clsact qdisc (Linux 6.6).
    case tcx

    /// `PW_HOOK_*`.
    var code: UInt8 { UInt8(self == .clsact ? PW_HOOK_CLSACT : PW_HOOK_TCX) }

    /// Nil for `PW_HOOK_NONE` and what nobody has written.
    init?(code: UInt8) {
        guard let hook = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = hook
    }

    var other: AttachmentHook { self == .clsact ? .tcx : .clsact }

    /// Whether this kernel has tcx; false also where it would not say: clsact serves then.
    static var hasTCX: Bool {
        if case .yes = Feature.tcx.support() { true } else { false }
    }

    /// What `auto` means on an interface that has no filter of ours yet.
    ///
    /// On the tcx hook we would come before every filter of others on the clsact qdisc; where one is there already at a
    /// priority below ours, it was meant to see frames first.
    static func preferred(on interface: UInt32, _ client: RouteClient) throws(PseudowireError) -> AttachmentHook {
        guard hasTCX else { return .clsact }
        do throws(NetlinkError) {
            let others = try client.filters.list(at: Attachment.hook(interface))
            return others.contains { $0.priority < Attachment.Role.access.priority } ? .clsact : .tcx
        } catch {
            // No clsact, or no interface yet: nobody is before us.
            guard error.isNotFound || error.errno == .invalidArgument || error.errno == .noSuchAddressOrDevice else {
                throw .netlink(error)
            }
            return .tcx
        }
    }
}

extension PseudowireConfiguration.Attach {
    /// The hook that it names for filters; nil where that is left to us.
    var hook: AttachmentHook? {
        switch self {
        case .auto, .xdp: nil
        case .clsact: .clsact
        case .tcx: .tcx
        }
    }
}

extension pw_port {
    /// Where the filter is; nil: nowhere.
    subscript(role: Attachment.Role) -> AttachmentHook? {
        get {
            guard flags & role.flag != 0 else { return nil }
            return AttachmentHook(code: role == .access ? access_hook : underlay_hook)
        }
        set {
            flags = newValue == nil ? flags & ~role.flag : flags | role.flag
            let code = newValue?.code ?? UInt8(PW_HOOK_NONE)
            if role == .access { access_hook = code } else { underlay_hook = code }
        }
    }
}

/// What of ours is on which interface now.
///
/// All is read at once: a removal is undone by what is known of it, so not to know fails the plan.
struct Attached {
    private let ports: [UInt32: pw_port]
    private let client: RouteClient
    private let drivers: DriverSurvey

    init(_ manager: PseudowireManager) throws(PseudowireError) {
        let state = try manager.openState()
        ports = try state.map { state throws(PseudowireError) in try state.portList } ?? [:]
        client = manager.client
        drivers = DriverSurvey(client)
    }

    func port(_ interface: UInt32) -> pw_port { ports[interface] ?? pw_port() }

    /// Whether `auto` has XDP programs on an interface where one of ours is.
    func isChosen(_ interface: UInt32) -> Bool {
        guard let link = try? client.links.get(LinkIndex(rawValue: interface)) else { return false }
        return (try? drivers.judge(link, isOurs: true)) == .chosen
    }

    /// What it takes to have nothing there any more.
    func detachment(_ role: Attachment.Role, _ interface: UInt32, _ name: String) -> [Action] {
        let port = port(interface)
        let hook = port[role] ?? .clsact
        return (port.hasXDP(role) ? [.detachXDP(role, interface: interface, name: name)] : [])
            + [.detach(role, interface: interface, name: name, hook: hook)]
    }
}
