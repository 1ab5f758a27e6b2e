import CPseudowireMNL
import SystemPackage

/// Tells what happens to the links, addresses, routes, … of one namespace.
///
/// ```swift
/// let monitor = try RouteMonitor([.links, .neighbors], in: namespace)
/// // whenever monitor.fileDescriptor is readable:
/// while let event = try monitor.next() {
///     if event == .resynchronise { /* read again */ }
/// }
/// ```
///
/// It subscribes when it is made: list afterwards what is there, and no change falls in between. It owns one socket,
/// opened in its namespace by a plain thread that has ended by then, and keeps that namespace alive. One thread at a
/// time; nothing is read ahead of you but one datagram.
public final class RouteMonitor {
    private let socket: NetlinkSocket
    private var pending: [RouteEvent] = []
    private var position = 0

    /// What to be told of, the multicast groups `RTNLGRP_*`.
    public struct Topics: OptionSet, Hashable, Sendable {
        public var rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        private init(_ groups: Int...) { rawValue = groups.reduce(0) { $0 | 1 << UInt64($1) } }

        public static let links = Topics(1)
        public static let addresses = Topics(5, 9)
        public static let routes = Topics(7, 11)
        public static let neighbors = Topics(3)
        /// Queueing disciplines and filters, which share a group.
        public static let trafficControl = Topics(4)
        public static let namespaceIDs = Topics(28)
        public static let all: Topics = [.links, .addresses, .routes, .neighbors, .trafficControl, .namespaceIDs]
    }

    /// Subscribes in `namespace`.
    ///
    /// `receiveBuffer` is how many bytes of events may wait; the system's default holds 92 of links. Beyond
    /// `net.core.rmem_max` it needs `CAP_NET_ADMIN`, and is cut to that without.
    public convenience init(
        _ topics: Topics, in namespace: borrowing NetworkNamespace, receiveBuffer: Int32 = 8 << 20
    ) throws(NetlinkError) {
        let transport = try KernelTransport(NETLINK_ROUTE, in: namespace)
        transport.setReceiveBuffer(receiveBuffer)
        for group in 0..<64 where topics.rawValue >> UInt64(group) & 1 == 1 { try transport.join(Int32(group)) }
        self.init(transport)
    }

    init(_ transport: any NetlinkTransport) { socket = NetlinkSocket(transport, isRoute: true) }

    /// Readable when an event may be there, for a poll loop of your own; also while `next()` has not returned nil.
    public var fileDescriptor: Int32 { socket.fileDescriptor }

    /// The next event; nil when there is none yet.
    ///
    /// Never waits.
    public func next() throws(NetlinkError) -> RouteEvent? {
        while position >= pending.count {
            pending.removeAll(keepingCapacity: true)
            position = 0
            do throws(NetlinkSocket.Loss) {
                _ = try socket.receive(waits: false) { message -> Void? in
                    if let event = RouteEvent(message) { pending.append(event) }
                    return nil
                }
            } catch {
                switch error.errno {
                case .resourceTemporarilyUnavailable: return nil
                case .noBufferSpace, .messageTooLong:
                    // What waits is older than what the caller will read now, and would undo it.
                    socket.drain()
                    pending.removeAll(keepingCapacity: true)
                    return .resynchronise
                default: throw NetlinkError(error.errno, "read events", message: error.message)
                }
            }
        }
        defer { position += 1 }
        return pending[position]
    }
}
