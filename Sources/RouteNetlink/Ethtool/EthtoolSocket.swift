internal import CPseudowireLinux
internal import Glibc
internal import SystemPackage

/// A socket in a namespace, for the ethtool ioctl: it reaches the interfaces of the namespace it was opened in.
final class EthtoolSocket {
    private let descriptor: Int32

    init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let result = try namespace.run {
            let descriptor = socket(AF_INET, type, 0)
            return descriptor < 0 ? -errno : descriptor
        }
        guard result >= 0 else { throw NetlinkError(Errno(rawValue: -result), "open socket for ethtool") }
        descriptor = result
    }

    deinit {
        close(descriptor)
    }

    func get(_ offload: LinkOffload, of name: String) throws(NetlinkError) -> Bool {
        var value: UInt32 = 0
        let result = pseudowire_ethtool_get(descriptor, name, offload.getCommand, &value)
        guard result == 0 else {
            throw NetlinkError(Errno(rawValue: -result), "get offload \(offload) of \(name)", object: .link)
        }
        return value != 0
    }

    func set(_ offload: LinkOffload, of name: String, to isOn: Bool) throws(NetlinkError) {
        let result = pseudowire_ethtool_set(descriptor, name, offload.setCommand, isOn ? 1 : 0)
        guard result == 0 else {
            throw NetlinkError(Errno(rawValue: -result), "set offload \(offload) of \(name)", object: .link)
        }
    }
}

extension LinkOffload {
    /// `ETHTOOL_GTSO` and its like, `linux/ethtool.h`.
    fileprivate var getCommand: UInt32 {
        switch self {
        case .tcpSegmentation: 0x1e
        case .genericSegmentation: 0x23
        case .genericReceive: 0x2b
        case .transmitChecksum: 0x16
        }
    }

    /// `ETHTOOL_STSO` and its like.
    fileprivate var setCommand: UInt32 { getCommand + 1 }
}
