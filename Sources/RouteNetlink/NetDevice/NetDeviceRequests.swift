/// The requests of the generic netlink family `netdev`, as bytes.
///
/// The numbers are those of `linux/netdev.h`, which came with Linux 6.3.
enum NetDeviceRequest {
    /// `NETDEV_CMD_DEV_GET`.
    private static let get: UInt8 = 1
    /// `NETDEV_CMD_DEV_ADD_NTF`, `_DEL_NTF`, `_CHANGE_NTF`.
    static let added: UInt8 = 2, removed: UInt8 = 3, changed: UInt8 = 4
    /// `NETDEV_A_DEV_IFINDEX`.
    static let interface = 1
    /// `NETDEV_A_DEV_XDP_FEATURES`.
    static let xdpFeatures = 3

    static func device(_ family: Int, _ link: LinkIndex) -> Request {
        var request = Request(family)
        request.genericHeader(get)
        request.attribute(interface, link.rawValue)
        return request
    }

    static func devices(_ family: Int) -> Request {
        var request = Request(family, flags: NLM_F_DUMP_FLAGS)
        request.genericHeader(get)
        return request
    }
}
