import Glibc
import InternetAddress
import RouteNetlink
import Testing

/// Datagrams that arrive all at once: one `sendto`, which the kernel cuts (`UDP_SEGMENT`) just before the cable, so
/// that the far end takes all of them in before it does anything else.
///
/// All have the same length.
final class DatagramBurst {
    private let descriptor: Int32
    private static let segmentOption: Int32 = 103  // UDP_SEGMENT

    /// - Parameter interface: whose own cutting of datagrams is switched off.
    init(
        from local: IPAddress, port: UInt16, via interface: String, in namespace: borrowing NetworkNamespace
    ) throws {
        let client = try RouteClient(in: namespace)
        let index = try #require(try client.links.find(named: interface)).index
        try client.links.setFeatures(index, ["tx-udp-segmentation": false, "tx-generic-segmentation": false])
        descriptor = try namespace.run { socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }
        try #require(descriptor >= 0)
        var address = Self.address(local, port)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(bound == 0)
    }

    deinit { close(descriptor) }

    func send(_ datagrams: [[UInt8]], to peer: IPAddress, port: UInt16) throws {
        let size = try #require(datagrams.first?.count)
        try #require(datagrams.allSatisfy { $0.count == size } && size * datagrams.count < 65_000)
        var segment = Int32(size)
        try #require(
            setsockopt(
                descriptor, Int32(IPPROTO_UDP), Self.segmentOption, &segment, socklen_t(MemoryLayout<Int32>.size)) == 0)
        var address = Self.address(peer, port)
        let octets = datagrams.flatMap { $0 }
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, octets, octets.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(sent == octets.count, "\(String(cString: strerror(errno)))")
    }

    private static func address(_ address: IPAddress, _ port: UInt16) -> sockaddr_in {
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_port = port.bigEndian
        withUnsafeMutableBytes(of: &value.sin_addr) { $0.copyBytes(from: address.bytes) }
        return value
    }
}
