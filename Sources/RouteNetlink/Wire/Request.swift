import CPseudowireMNL
import InternetAddress
import SystemPackage

/// One netlink request under construction: header, family header, attributes.
///
/// ```swift
/// var request = Request(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL)
/// request.header(LinkHeader())
/// request.attribute(IFLA_IFNAME, "veth0")
/// request.nest(IFLA_LINKINFO) { $0.attribute(IFLA_INFO_KIND, "bridge") }
/// ```
///
/// An attribute that does not fit is remembered and refused when the request is sent, so that builders need no
/// `try` on every line.
struct Request {
    /// The bytes so far; the length field is always right.
    private(set) var bytes: [UInt8]
    /// Why this request cannot be sent, when it cannot.
    private(set) var fault: RequestFault?

    /// `NLM_F_REQUEST` and `NLM_F_ACK` are always added: every request is answered.
    init(_ type: Int, flags: Int32 = 0) {
        bytes = []
        bytes.reserveCapacity(160)
        append(UInt32(0))
        append(UInt16(truncatingIfNeeded: type))
        append(UInt16(truncatingIfNeeded: flags | NLM_F_REQUEST | NLM_F_ACK))
        append(UInt32(0))
        append(UInt32(0))
        patchLength()
    }

    /// Bytes of `struct nlmsghdr`.
    static let headerLength = 16

    /// The message type, as `RTM_NEWLINK`.
    var type: Int { Int(bytes[4]) | Int(bytes[5]) << 8 }

    /// Gives the request its sequence number, just before it is sent.
    mutating func setSequence(_ sequence: UInt32) { patch(sequence, at: 8) }

    /// Appends a fixed header, as `struct ifinfomsg`: the caller's bytes, padded to four.
    mutating func header(_ build: (inout Request) -> Void) {
        build(&self)
        pad()
        patchLength()
    }

    /// Appends an integer of a fixed header in the machine's byte order.
    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }

    /// Appends an attribute with a raw payload.
    mutating func attribute(_ type: Int, bytes payload: some Collection<UInt8>) {
        let length = 4 + payload.count
        guard length <= Int(UInt16.max) else { return refuse(.tooLong) }
        append(UInt16(length))
        append(UInt16(truncatingIfNeeded: type))
        bytes.append(contentsOf: payload)
        pad()
        patchLength()
    }

    /// Appends an integer attribute in the machine's byte order.
    mutating func attribute(_ type: Int, _ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { attribute(type, bytes: $0) }
    }

    /// Appends a string with its terminating NUL, as the kernel's `NLA_NUL_STRING` wants it.
    mutating func attribute(_ type: Int, _ value: String) {
        guard !value.utf8.contains(0) else { return refuse(.nulInString) }
        attribute(type, bytes: Array(value.utf8) + [0])
    }

    /// Appends an address in network order: 4 or 16 bytes.
    mutating func attribute(_ type: Int, _ value: IPAddress) { attribute(type, bytes: value.bytes) }

    /// Appends a hardware address: 6 bytes.
    mutating func attribute(_ type: Int, _ value: MACAddress) { attribute(type, bytes: value.bytes) }

    /// Appends an attribute without payload, whose presence is the message.
    mutating func flag(_ type: Int) { attribute(type, bytes: EmptyCollection()) }

    /// Appends an attribute that holds what `body` appends.
    ///
    /// `isMarked` sets `NLA_F_NESTED`. The few containers that begin with a struct of their own leave it out.
    mutating func nest(_ type: Int, isMarked: Bool = true, _ body: (inout Request) -> Void) {
        let start = bytes.count
        append(UInt16(0))
        append(UInt16(truncatingIfNeeded: isMarked ? type | Int(NLA_F_NESTED) : type))
        body(&self)
        let length = bytes.count - start
        guard length <= Int(UInt16.max) else { return refuse(.tooLong) }
        patch(UInt16(length), at: start)
        patchLength()
    }

    /// Remembers the first reason why this request must not be sent.
    mutating func refuse(_ reason: RequestFault) {
        if fault == nil { fault = reason }
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    private mutating func patchLength() { patch(UInt32(truncatingIfNeeded: bytes.count), at: 0) }

    private mutating func patch(_ value: some FixedWidthInteger, at offset: Int) {
        withUnsafeBytes(of: value) { source in
            for (index, byte) in source.enumerated() where offset + index < bytes.count {
                bytes[offset + index] = byte
            }
        }
    }
}

/// Why a request is refused before it reaches the kernel.
enum RequestFault: Sendable, Equatable {
    case tooLong
    case nulInString
    case invalid(String)

    var errno: Errno {
        switch self {
        case .tooLong: .argListTooLong
        case .nulInString, .invalid: .invalidArgument
        }
    }

    var message: String {
        switch self {
        case .tooLong: "an attribute is longer than 65,531 bytes"
        case .nulInString: "a text holds a NUL byte"
        case .invalid(let why): why
        }
    }
}
