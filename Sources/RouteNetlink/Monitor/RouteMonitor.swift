import CPseudowireMNL
import SystemPackage

/// Tells what happens to the links, addresses, routes, … of one namespace.
///
/// ```swift
/// let monitor = try RouteMonitor([.links, .neighbors], in: namespace)
/// for try await event in monitor {
///     if event == .resynchronise { /* read again */ }
/// }
/// ```
///
/// It subscribes when it is made: list afterwards what is there, and no change falls in between; or let it do so by
/// `includingPresent`. It owns one socket, opened in its namespace by a plain thread that has ended by then, and keeps
/// that namespace alive. One thread or task at a time; nothing is read ahead of you but one datagram. Without
/// concurrency, ask for `next()` whenever `fileDescriptor` is readable.
public final class RouteMonitor {
    private let socket: NetlinkSocket
    private var snapshot: Snapshot?
    private var pending: [RouteEvent] = []
    private var position = 0

    /// Subscribes in `namespace`.
    ///
    /// With `includingPresent` it first tells what is there, as `present`, and then `.synchronised`; and again after
    /// each `.resynchronise`. Something that changed meanwhile may be told twice, in the right order.
    ///
    /// With `listeningEverywhere` it tells of the namespaces too that `namespace` has numbers for, as `.elsewhere`;
    /// what is there already it tells of `namespace` alone. Needs `CAP_NET_BROADCAST`.
    ///
    /// `receiveBuffer` is how many bytes of events may wait; the system's default holds 92 of links. Beyond
    /// `net.core.rmem_max` it needs `CAP_NET_ADMIN`, and is cut to that without.
    public convenience init(
        _ topics: Topics, in namespace: borrowing NetworkNamespace, includingPresent: Bool = false,
        listeningEverywhere: Bool = false, receiveBuffer: Int32 = 8 << 20
    ) throws(NetlinkError) {
        let transport = try KernelTransport(NETLINK_ROUTE, in: namespace)
        if listeningEverywhere { try transport.listenEverywhere() }
        transport.setReceiveBuffer(receiveBuffer)
        for group in 0..<64 where topics.rawValue >> UInt64(group) & 1 == 1 { try transport.join(Int32(group)) }
        self.init(over: transport, includingPresent: includingPresent ? try RouteClient(in: namespace) : nil, topics)
    }

    /// Listens to a transport that is subscribed, and asks `client` for what is there.
    package init(
        over transport: any NetlinkTransport, includingPresent client: RouteClient? = nil, _ topics: Topics = []
    ) {
        socket = NetlinkSocket(transport, isRoute: true)
        snapshot = client.map { Snapshot(of: topics, $0) }
    }

    /// Readable when an event may be there, for a poll loop of your own; call `next()` until it returns nil before
    /// you wait for it.
    public var fileDescriptor: Int32 { socket.fileDescriptor }

    /// The next event; nil when there is none yet.
    ///
    /// Never waits for one.
    public func next() throws(NetlinkError) -> RouteEvent? {
        while position >= pending.count {
            pending.removeAll(keepingCapacity: true)
            position = 0
            if snapshot?.isComplete == false, let events = try snapshot?.next() {
                pending = events
                continue
            }
            let outcome = try socket.notifications { message in
                guard let event = RouteEvent(message) else { return }
                let elsewhere = socket.transport.lastNamespace.map(NamespaceID.init)
                pending.append(elsewhere.map { .elsewhere($0, event) } ?? event)
            }
            switch outcome {
            case .taken: continue
            case .nothing: return nil
            case .lost:
                pending.removeAll(keepingCapacity: true)
                snapshot?.restart()
                return .resynchronise
            }
        }
        defer { position += 1 }
        return pending[position]
    }
}
