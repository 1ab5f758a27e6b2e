package import SystemPackage

/// What carries requests to a kernel and its answers back: a netlink socket, or a script in a test.
package protocol NetlinkTransport: AnyObject {
    /// Readable when something is there to receive.
    var fileDescriptor: Int32 { get }
    /// The port that answers bear.
    var portID: UInt32 { get }
    /// How many bytes of unread answers it holds, by the kernel's way to count (`SO_RCVBUF`).
    var receiveCapacity: Int { get }

    /// Hands over one datagram; nil when it went out.
    func send(_ bytes: UnsafeRawBufferPointer) -> Errno?

    /// The number of the namespace that the last datagram came from, where that is not the transport's own.
    ///
    /// Only where `NETLINK_LISTEN_ALL_NSID` is on.
    var lastNamespace: Int32? { get }

    /// What the driver of the interface of that name is called.
    func driver(of interface: String) -> Result<String, Errno>

    /// Takes the next datagram; without `waits`, `EAGAIN` when there is none.
    func receive(into buffer: UnsafeMutableRawBufferPointer, waits: Bool) -> ReceivedDatagram
}

extension NetlinkTransport {
    package var lastNamespace: Int32? { nil }
}

/// What came of an attempt to receive.
package enum ReceivedDatagram {
    /// `length` is the datagram's own, also where that exceeds the buffer; a `sender` of 0 is the kernel.
    case datagram(length: Int, sender: UInt32)
    case failed(Errno)
}

/// What stands in a kernel's place: a transport for each socket that a client opens.
package protocol NetlinkScript: AnyObject {
    func makeRouteTransport() -> any NetlinkTransport
    func makeGenericTransport() -> any NetlinkTransport
}
