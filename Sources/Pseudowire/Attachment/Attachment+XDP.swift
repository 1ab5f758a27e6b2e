internal import BPF
internal import CPseudowireObject
internal import Glibc
internal import RouteNetlink
internal import SystemPackage

/// The XDP programs that are before the filters.
///
/// What they do not send themselves they pass, and the filter does the same for it: so they are put on when the filter
/// is there, taken off before it goes, and whatever happens to them costs nothing but speed.
extension Attachment {
    /// The program that our XDP link to an interface runs; nil without one, or when it has come off.
    static func xdpProgramID(
        _ role: Role, on interface: UInt32, _ manager: PseudowireManager
    ) throws(PseudowireError) -> UInt32? {
        try linkInfo(at: manager.directory.xdpPin(role, interface), interface)?.programID
    }

    /// Puts the program before a filter, in the driver; one of ours that is there already is adopted.
    static func attachXDP(
        _ role: Role, to interface: UInt32, _ state: DatapathState, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        let link = try require(interface, manager.client)
        guard var port = try bpf({ () throws(BPFError) in try state.ports[interface] }), port[role] != nil else {
            throw .refused("\(link.name) has no filter that an XDP program could be before")
        }
        port.flags |= role.xdpFlag
        let value = port
        try bpf { () throws(BPFError) in try state.ports.update(key: interface, value: value) }
        do throws(PseudowireError) {
            try FaultPoint.accelerationWritten.reach()
            try putXDP(role, on: link, state, manager)
            try FaultPoint.accelerated.reach()
        } catch {
            try? detachXDP(role, from: interface, state, manager)
            throw error
        }
    }

    /// Takes the program off; no program, or no interface, is no error.
    static func detachXDP(
        _ role: Role, from interface: UInt32, _ state: DatapathState, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        guard var port = try bpf({ () throws(BPFError) in try state.ports[interface] }), port.hasXDP(role) else {
            return
        }
        try takeXDP(role, from: interface, &port, manager)
        let value = port
        try bpf { () throws(BPFError) in try state.ports.update(key: interface, value: value) }
    }

    /// The same; the caller writes down that it is gone.
    static func takeXDP(
        _ role: Role, from interface: UInt32, _ port: inout pw_port, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        guard port.hasXDP(role) else { return }
        try removeLink(at: manager.directory.xdpPin(role, interface))
        try FaultPoint.decelerated.reach()
        port.flags &= ~role.xdpFlag
        if role == .underlay { port.flags &= ~UInt32(PW_PORT_SHEDS) }
    }

    private static func putXDP(
        _ role: Role, on link: Link, _ state: DatapathState, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        let interface = link.index.rawValue
        let path = manager.directory.xdpPin(role, interface)
        guard let held = state.programs.xdp(role) else { throw .refused("this datapath has no XDP programs") }
        if try xdpProgramID(role, on: interface, manager) == held.program.id { return }
        // What is left is a link that was taken off, or whose interface went.
        try removeLink(at: path)
        // An attachment is made in the namespace of the thread that asks for it.
        let outcome: Result<Void, BPFError> = try netlink { () throws(NetlinkError) in
            try manager.namespace.run {
                Result { () throws(BPFError) in
                    try ProgramLink(xdp: held.program, interfaceIndex: interface, mode: .driver).pin(at: path)
                }
            }
        }
        guard case .failure(let error) = outcome else { return }
        throw refusal(error, link, manager)
    }

    /// The kernel's numbers, which are all that it says to who asks by `bpf(2)`, in words.
    private static func refusal(_ error: BPFError, _ link: Link, _ manager: PseudowireManager) -> PseudowireError {
        let leftOut = "leave --attach xdp out: filters carry the same frames"
        switch error.errno.rawValue {
        case EBUSY, EEXIST:
            let present = (try? manager.client.links.get(link.index))?.xdp?.first
            let what = present.map { ", \(DriverSurvey.describe($0))," } ?? ""
            return .refused(
                "somebody else's XDP program\(what) is on \(link.name) already, where there can be one only; remove that, "
                    + "or \(leftOut)")
        case EOPNOTSUPP, ENOTSUP:
            return .refused("the driver of \(link.name) has no native XDP; \(leftOut)")
        case ERANGE, EINVAL:
            return .refused(
                "the driver of \(link.name) refuses XDP programs as it is set up (MTU \(link.mtu), or the other end's, "
                    + "which may be too large for it: \(error)); \(leftOut)")
        default: return .bpf(error)
        }
    }

    /// Has another datapath's program run in the place of this one's; each frame meets one or the other.
    static func exchangeXDP(
        _ role: Role, on link: Link, from old: DatapathPrograms, to new: DatapathPrograms, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        let interface = link.index.rawValue
        guard let before = old.xdp(role), let after = new.xdp(role),
            // It may be the new one already; and where there is none, mending is for that.
            try xdpProgramID(role, on: interface, manager) == before.program.id
        else { return }
        do throws(BPFError) {
            let attached = try ProgramLink(pinnedAt: manager.directory.xdpPin(role, interface))
            try attached.replaceProgram(with: after.program, expecting: before.program)
        } catch {
            // The interface has gone in this moment.
            guard error.errno.rawValue == ENOLINK else { throw .bpf(error) }
        }
    }
}
