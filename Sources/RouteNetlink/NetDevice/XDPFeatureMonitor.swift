import CPseudowireMNL
import SystemPackage

/// Tells when what a driver can do for XDP programs changes (Linux 6.3).
///
/// ```swift
/// if let monitor = try XDPFeatureMonitor(in: namespace) {
///     // when monitor.fileDescriptor is readable:
///     while let event = try monitor.next() { print(event) }
/// }
/// ```
///
/// It subscribes when it is made, to the group `mgmt` of the family `netdev`: ask afterwards what is so, and no change
/// falls in between. It owns one socket, opened in its namespace by a plain thread that has ended by then. One thread
/// or task at a time.
public final class XDPFeatureMonitor {
    /// What has happened.
    public enum Event: Hashable, Sendable {
        /// An interface has come, or its driver can do something else than before.
        case changed(LinkIndex, XDPFeatures)
        /// It has gone.
        case removed(LinkIndex)
        /// Events were lost: ask again what is so.
        case resynchronise
    }

    private let socket: NetlinkSocket
    private let family: Int
    private var pending: [Event] = []

    /// Subscribes in `namespace`; nil where the kernel has no such family.
    public convenience init?(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        let transport = try KernelTransport(NETLINK_GENERIC, in: namespace)
        let family: GenericFamily
        do throws(NetlinkError) {
            family = try NetlinkSocket(transport, isRoute: false).genericFamily("netdev")
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
        guard let group = family.groups["mgmt"].flatMap(Int32.init(exactly:)) else { return nil }
        try transport.join(group)
        self.init(over: transport, family: family.number)
    }

    /// Listens to a transport that is subscribed.
    package init(over transport: any NetlinkTransport, family: Int) {
        socket = NetlinkSocket(transport, isRoute: false)
        self.family = family
    }

    /// Readable when an event may be there; call `next()` until it returns nil before you wait for it.
    public var fileDescriptor: Int32 { socket.fileDescriptor }

    /// The next event; nil when there is none yet.
    ///
    /// Never waits for one.
    public func next() throws(NetlinkError) -> Event? {
        while pending.isEmpty {
            let outcome = try socket.notifications { message in
                if let event = event(message) { pending.append(event) }
            }
            switch outcome {
            case .taken: continue
            case .nothing: return nil
            case .lost:
                pending = []
                return .resynchronise
            }
        }
        return pending.removeFirst()
    }

    /// What cannot be read is as good as lost.
    private func event(_ message: borrowing Message) -> Event? {
        guard message.type == family else { return nil }
        let command = message.field(0, UInt8.self)
        guard (NetDeviceRequest.added...NetDeviceRequest.changed).contains(command) else { return nil }
        do throws(MalformedMessage) {
            guard let found = try NetDeviceSocket.read(message) else { return .resynchronise }
            return command == NetDeviceRequest.removed ? .removed(found.link) : .changed(found.link, found.features)
        } catch {
            return .resynchronise
        }
    }
}
