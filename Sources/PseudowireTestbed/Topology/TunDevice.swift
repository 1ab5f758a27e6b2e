import CPseudowireLinux
import Glibc
public import RouteNetlink
import SystemPackage

/// A tun device: an interface without link headers, whose other side is this process.
///
/// ```swift
/// let tun = try TunDevice("tun0", in: network.edge1)
/// try tun.send(packet)                                // the namespace receives it
/// let packet = try tun.receive()                      // what the namespace has sent, or nil
/// ```
///
/// It is gone with this value. Needs `CAP_NET_ADMIN` and `/dev/net/tun`.
public struct TunDevice: ~Copyable, Sendable {
    let descriptor: Int32
    /// The interface's name in the namespace that it was made in.
    public let name: String

    /// Makes the device; it is down, and has no addresses.
    ///
    /// - Throws: `TestbedError` with `EBUSY` when the name is taken.
    public init(_ name: String, in namespace: borrowing NetworkNamespace) throws(TestbedError) {
        let result: Int32
        do {
            result = try namespace.run { () -> Int32 in pseudowire_tun_open(name) }
        } catch {
            throw .netlink(error)
        }
        guard result >= 0 else { throw .system("make the tun device \(name)", Errno(rawValue: -result)) }
        descriptor = result
        self.name = name
    }

    deinit { close(descriptor) }

    /// Lets the namespace receive a packet, IP header first.
    ///
    /// - Throws: `TestbedError` with `EIO` while the device is down.
    public borrowing func send(_ packet: [UInt8]) throws(TestbedError) {
        guard write(descriptor, packet, packet.count) < 0 else { return }
        throw .system("send \(packet.count) octets on \(name)", Errno(rawValue: errno))
    }

    /// The next packet that the namespace has sent; nil when there is none.
    public borrowing func receive() throws(TestbedError) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(descriptor, &buffer, buffer.count)
        if count >= 0 { return Array(buffer[..<count]) }
        if errno == EAGAIN || errno == EINTR { return nil }
        throw .system("receive on \(name)", Errno(rawValue: errno))
    }
}
