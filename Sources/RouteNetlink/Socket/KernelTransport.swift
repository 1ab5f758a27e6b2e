import CPseudowireLinux
import CPseudowireMNL
import Glibc
import SystemPackage

/// A netlink socket of the running kernel.
final class KernelTransport: NetlinkTransport {
    private let handle: OpaquePointer
    let portID: UInt32
    private(set) var lastNamespace: Int32?
    private var listensEverywhere = false

    /// The kernel answers before `send` returns; only a dump of very many objects takes longer than an instant.
    static let timeout = timeval(tv_sec: 10, tv_usec: 0)

    /// Opens a socket of `netlinkProtocol` in `namespace`.
    convenience init(_ netlinkProtocol: Int32, in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        try self.init(netlinkProtocol, try namespace.run { Self.open(netlinkProtocol) })
    }

    /// Opens a socket of `netlinkProtocol` in the calling thread's namespace, which needs no privilege.
    convenience init(_ netlinkProtocol: Int32) throws(NetlinkError) {
        try self.init(netlinkProtocol, Self.open(netlinkProtocol))
    }

    /// A descriptor or a negated errno.
    private static func open(_ netlinkProtocol: Int32) -> Int32 {
        let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), netlinkProtocol)
        return descriptor < 0 ? -errno : descriptor
    }

    /// Takes over what `open` returned.
    private init(_ netlinkProtocol: Int32, _ result: Int32) throws(NetlinkError) {
        let operation = "open netlink socket"
        guard result >= 0 else { throw NetlinkError(Errno(rawValue: -result), operation) }
        guard let handle = mnl_socket_fdopen(result) else {
            let code = Errno(rawValue: errno)
            close(result)
            throw NetlinkError(code, operation)
        }
        self.handle = handle
        guard mnl_socket_bind(handle, 0, 0) == 0 else {
            let code = Errno(rawValue: errno)
            mnl_socket_close(handle)
            throw NetlinkError(code, operation)
        }
        portID = mnl_socket_get_portid(handle)
        try configure(isRoute: netlinkProtocol == NETLINK_ROUTE)
    }

    deinit { mnl_socket_close(handle) }

    var fileDescriptor: Int32 { mnl_socket_get_fd(handle) }

    var receiveCapacity: Int {
        var size: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(fileDescriptor, SOL_SOCKET, SO_RCVBUF, &size, &length) == 0 ? Int(size) : 0
    }

    private func configure(isRoute: Bool) throws(NetlinkError) {
        var options = [NETLINK_EXT_ACK, NETLINK_CAP_ACK]
        if isRoute { options.append(NETLINK_GET_STRICT_CHK) }
        for option in options { try set(option, 1) }
        var timeout = Self.timeout
        let size = socklen_t(MemoryLayout<timeval>.size)
        guard setsockopt(fileDescriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size) == 0 else {
            throw NetlinkError(Errno(rawValue: errno), "set receive timeout of a netlink socket")
        }
    }

    private func set(_ option: Int32, _ value: Int32) throws(NetlinkError) {
        var value = value
        guard mnl_socket_setsockopt(handle, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw NetlinkError(Errno(rawValue: errno), "set netlink option \(option)")
        }
    }

    /// Subscribes to a multicast group, `RTNLGRP_*`.
    func join(_ group: Int32) throws(NetlinkError) { try set(NETLINK_ADD_MEMBERSHIP, group) }

    /// Asks for room for `bytes` of unread messages: beyond the system's limit where we may, else up to it.
    func setReceiveBuffer(_ bytes: Int32) {
        var bytes = bytes
        let size = socklen_t(MemoryLayout<Int32>.size)
        if setsockopt(fileDescriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, size) != 0 {
            setsockopt(fileDescriptor, SOL_SOCKET, SO_RCVBUF, &bytes, size)
        }
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Errno? {
        while true {
            if mnl_socket_sendto(handle, bytes.baseAddress, bytes.count) >= 0 { return nil }
            if errno != EINTR { return Errno(rawValue: errno) }
        }
    }

    func driver(of interface: String) -> Result<String, Errno> {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PSEUDOWIRE_DRIVER_NAME_SIZE)) { name in
            guard let start = name.baseAddress else { return .failure(.invalidArgument) }
            let result = pseudowire_driver_name(fileDescriptor, interface, start)
            return result == 0 ? .success(String(cString: start)) : .failure(Errno(rawValue: -result))
        }
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer, waits: Bool) -> ReceivedDatagram {
        while true {
            var sender = sockaddr_nl()
            // MSG_TRUNC returns the datagram's true length, also where that exceeds the buffer.
            let flags = Int32(MSG_TRUNC) | (waits ? 0 : Int32(MSG_DONTWAIT))
            let count: Int
            if listensEverywhere {
                count = receive(buffer, flags, &sender)
            } else {
                var size = socklen_t(MemoryLayout<sockaddr_nl>.size)
                count = withUnsafeMutablePointer(to: &sender) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(fileDescriptor, buffer.baseAddress, buffer.count, flags, $0, &size)
                    }
                }
            }
            if count >= 0 { return .datagram(length: count, sender: sender.nl_pid) }
            if errno != EINTR { return .failed(Errno(rawValue: errno)) }
        }
    }
}

/// Events of other namespaces, those that the socket's own has numbers for.
extension KernelTransport {
    /// Listens to them too; needs `CAP_NET_BROADCAST` (Linux 4.2).
    func listenEverywhere() throws(NetlinkError) {
        try set(NETLINK_LISTEN_ALL_NSID, 1)
        listensEverywhere = true
    }

    /// Receives a datagram with the number of the namespace that it comes from.
    private func receive(
        _ buffer: UnsafeMutableRawBufferPointer, _ flags: Int32, _ sender: inout sockaddr_nl
    ) -> Int {
        lastNamespace = nil
        return withUnsafeMutablePointer(to: &sender) { sender in
            withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { control in
                var part = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_name = UnsafeMutableRawPointer(sender)
                    message.msg_namelen = socklen_t(MemoryLayout<sockaddr_nl>.size)
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    let count = recvmsg(fileDescriptor, &message, flags)
                    if count >= 0 {
                        let bytes = UnsafeRawBufferPointer(control).prefix(message.msg_controllen)
                        lastNamespace = Self.namespace(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes)))
                    }
                    return count
                }
            }
        }
    }

    /// What a row of `struct cmsghdr` says about the namespace.
    static func namespace(_ control: RawSpan) -> Int32? {
        let header = MemoryLayout<cmsghdr>.size
        var offset = 0
        while let length = control.integer(at: offset, as: Int.self), length >= header,
            let level = control.integer(at: offset + 8, as: Int32.self),
            let type = control.integer(at: offset + 12, as: Int32.self), length <= control.byteCount - offset
        {
            if level == SOL_NETLINK, type == NETLINK_LISTEN_ALL_NSID {
                return control.integer(at: offset + header, as: Int32.self)
            }
            offset += (length + 7) & ~7
        }
        return nil
    }
}
