import Glibc
import InternetAddress
import RouteNetlink
import SystemPackage

/// A non-blocking socket, closed with its last user.
///
/// It is opened on a thread in its namespace and stays there, whichever thread uses it afterwards.
final class NetworkSocket {
    let descriptor: Int32

    init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    init(
        in namespace: borrowing NetworkNamespace, family: IPAddress.Family, type: __socket_type, protocolNumber: Int32
    ) throws(TestbedError) {
        let domain = family == .v4 ? AF_INET : AF_INET6
        let kind = Int32(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let result: Int32
        do {
            result = try namespace.run { () -> Int32 in
                let descriptor = socket(domain, kind, protocolNumber)
                return descriptor < 0 ? -errno : descriptor
            }
        } catch {
            throw .netlink(error)
        }
        guard result >= 0 else { throw .system("open a socket", Errno(rawValue: -result)) }
        descriptor = result
    }

    deinit { close(descriptor) }

    /// Sets an option that is an integer.
    func set(_ level: Int32, _ option: Int32, to value: Int32) throws(TestbedError) {
        var value = value
        guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .system("set option \(option) of a socket", Errno(rawValue: errno))
        }
    }

    /// The error that a connection has run into, read once.
    func pendingError() -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
    }
}

/// An address as the socket calls want it: `sockaddr_in` or `sockaddr_in6`.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length: socklen_t

    init(_ address: IPAddress, port: UInt16) {
        length = socklen_t(address.family == .v4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
        withUnsafeMutableBytes(of: &storage) { octets in
            let family = UInt16(address.family == .v4 ? AF_INET : AF_INET6)
            octets.storeBytes(of: family, as: UInt16.self)
            octets.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            // sin_addr follows the port, sin6_addr follows four octets of flow information.
            let offset = address.family == .v4 ? 4 : 8
            for (index, octet) in address.bytes.enumerated() { octets[offset + index] = octet }
        }
    }

    func withPointer<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// The port that a socket is bound to; 0 when it cannot be told.
    static func localPort(of descriptor: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return 0 }
        return withUnsafeBytes(of: storage) { UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) }
    }

    /// The address that `recvfrom` has filled in; nil for another family.
    static func address(in storage: sockaddr_storage) -> IPAddress? {
        withUnsafeBytes(of: storage) { octets in
            switch Int32(storage.ss_family) {
            case AF_INET: IPAddress(bytes: octets[4..<8])
            case AF_INET6: IPAddress(bytes: octets[8..<24])
            default: nil
            }
        }
    }
}
