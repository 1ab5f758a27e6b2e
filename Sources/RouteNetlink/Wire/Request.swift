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

    /// How the kernel says that a request is done.
    enum Ending {
        /// By an acknowledgement, `NLM_F_ACK`, after whatever else it answers.
        case acknowledgement
        /// By the one object that was asked for, or by an errno: an acknowledgement would be a datagram for nothing.
        ///
        /// Only for what the kernel never leaves without an answer: `RTM_GETQDISC` it does, without `NLM_F_ECHO`.
        case object
    }

    let ending: Ending

    /// `NLM_F_REQUEST` is always added: every request is answered.
    init(_ type: Int, flags: Int32 = 0, ending: Ending = .acknowledgement) {
        self.ending = ending
        let acknowledgement = ending == .acknowledgement ? NLM_F_ACK : 0
        bytes = []
        bytes.reserveCapacity(160)
        append(UInt32(0))
        append(UInt16(truncatingIfNeeded: type))
        append(UInt16(truncatingIfNeeded: flags | NLM_F_REQUEST | acknowledgement))
        append(UInt32(0))
        append(UInt32(0))
        patchLength()
    }

    /// Bytes of `struct nlmsghdr`.
    static let headerLength = 16

    /// The message type of a request, as `RTM_NEWLINK`.
    static func type(of bytes: [UInt8]) -> Int {
        guard bytes.count >= headerLength else { return 0 }
        return Int(bytes[4]) | Int(bytes[5]) << 8
    }

    /// Gives the request its sequence number, just before it is sent.
    mutating func setSequence(_ sequence: UInt32) { Self.setSequence(sequence, in: &bytes, at: 0) }

    /// Gives the request at `start` its sequence number.
    static func setSequence(_ sequence: UInt32, in bytes: inout [UInt8], at start: Int) {
        patch(sequence, in: &bytes, at: start + 8)
    }

    /// Has the request at `start` acknowledged without a failure too, or not: `NLM_F_ACK`.
    static func setAcknowledged(_ isAcknowledged: Bool, in bytes: inout [UInt8], at start: Int) {
        guard start + headerLength <= bytes.count else { return }
        let bit = UInt8(NLM_F_ACK)
        bytes[start + 6] = isAcknowledged ? bytes[start + 6] | bit : bytes[start + 6] & ~bit
    }

    /// Appends a fixed header, as `struct ifinfomsg`: the caller's bytes, padded to four.
    mutating func header(_ build: (inout Request) -> Void) {
        build(&self)
        pad()
        patchLength()
    }

    /// Appends an integer of a fixed header in the machine's byte order.
    mutating func append(_ value: some FixedWidthInteger) {
        // One by one: for so few, the array's append of a sequence costs several times as much.
        withUnsafeBytes(of: value) { for byte in $0 { bytes.append(byte) } }
    }

    /// Appends an attribute with a raw payload.
    mutating func attribute(_ type: Int, bytes payload: some Collection<UInt8>) {
        attribute(type, length: payload.count) { $0.append(contentsOf: payload) }
    }

    /// Appends an integer attribute in the machine's byte order.
    mutating func attribute(_ type: Int, _ value: some FixedWidthInteger) {
        attribute(type, length: MemoryLayout.size(ofValue: value)) { bytes in
            withUnsafeBytes(of: value) { for byte in $0 { bytes.append(byte) } }
        }
    }

    /// Appends a string with its terminating NUL, as the kernel's `NLA_NUL_STRING` wants it.
    mutating func attribute(_ type: Int, _ value: String) {
        let text = value.utf8
        guard !text.contains(0) else { return refuse(.nulInString) }
        attribute(type, length: text.count + 1) {
            $0.append(contentsOf: text)
            $0.append(0)
        }
    }

    /// Appends an address in network order: 4 or 16 bytes.
    mutating func attribute(_ type: Int, _ value: IPAddress) {
        attribute(type, length: value.family.byteCount) { bytes in
            for index in 0..<value.family.byteCount { bytes.append(value.octet(at: index)) }
        }
    }

    /// Appends a hardware address: 6 bytes.
    mutating func attribute(_ type: Int, _ value: MACAddress) { attribute(type, bytes: value.bytes) }

    /// Appends an attribute of exactly the `length` bytes that `body` appends.
    private mutating func attribute(_ type: Int, length: Int, _ body: (inout [UInt8]) -> Void) {
        guard length <= Int(UInt16.max) - 4 else { return refuse(.tooLong) }
        append(UInt16(4 + length))
        append(UInt16(truncatingIfNeeded: type))
        body(&bytes)
        pad()
        patchLength()
    }

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
        Self.patch(UInt16(length), in: &bytes, at: start)
        patchLength()
    }

    /// Remembers the first reason why this request must not be sent.
    mutating func refuse(_ reason: RequestFault) {
        if fault == nil { fault = reason }
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    private mutating func patchLength() { Self.patch(UInt32(truncatingIfNeeded: bytes.count), in: &bytes, at: 0) }

    private static func patch<Value: FixedWidthInteger & BitwiseCopyable>(
        _ value: Value, in bytes: inout [UInt8], at offset: Int
    ) {
        bytes.withUnsafeMutableBytes { bytes in
            guard offset >= 0, offset <= bytes.count - MemoryLayout<Value>.size else { return }
            bytes.storeBytes(of: value, toByteOffset: offset, as: Value.self)
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
