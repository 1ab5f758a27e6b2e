import SystemPackage

/// The `netdev` family of generic netlink (Linux 6.3).
final class NetDeviceSocket {
    private let socket: NetlinkSocket
    private let family: Int

    init(_ socket: NetlinkSocket) throws(NetlinkError) {
        self.socket = socket
        family = try socket.genericFamily("netdev").number
    }

    func xdpFeatures(_ link: LinkIndex) throws(NetlinkError) -> XDPFeatures? {
        let request = NetDeviceRequest.device(family, link)
        let found = try socket.object(request, .link, "read XDP features of link \(link)") {
            message throws(MalformedMessage) in try Self.read(message)
        }
        return found?.features
    }

    func xdpFeatures() throws(NetlinkError) -> [LinkIndex: XDPFeatures] {
        let request = NetDeviceRequest.devices(family)
        let found = try socket.dump(request, .link, "read XDP features") { message throws(MalformedMessage) in
            try Self.read(message)
        }
        return Dictionary(found.map { ($0.link, $0.features) }) { first, _ in first }
    }

    /// Reads what answers `NETDEV_CMD_DEV_GET`, and what tells of a change; nil without an interface.
    static func read(_ message: borrowing Message) throws(MalformedMessage)
        -> (link: LinkIndex, features: XDPFeatures)?
    {
        var link: LinkIndex?
        var features = XDPFeatures()
        var cursor = message.attributes(after: 4)
        while let attribute = cursor.next() {
            switch attribute.type {
            case NetDeviceRequest.interface: link = LinkIndex(rawValue: try attribute.integer())
            case NetDeviceRequest.xdpFeatures: features = XDPFeatures(rawValue: try attribute.integer())
            default: continue
            }
        }
        return link.map { ($0, features) }
    }
}
