import CPseudowireMNL
import InternetAddress

/// A reply that does not have the shape that the kernel documents.
struct MalformedMessage: Error {
    /// The struct or attribute that is wrong, and how.
    var what: String
}

/// One attribute of a message, its payload lent from the receive buffer.
struct Attribute: ~Escapable {
    /// The type without its two flag bits, to be compared with `IFLA_MTU` and the like.
    let type: Int
    let payload: RawSpan

    @_lifetime(copy payload)
    init(type: Int, payload: RawSpan) {
        self.type = type
        self.payload = payload
    }

    /// The payload as an integer in the machine's byte order, of exactly its size.
    func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type = T.self) throws(MalformedMessage) -> T {
        guard payload.byteCount == MemoryLayout<T>.size, let value = payload.integer(at: 0, as: T.self) else {
            throw MalformedMessage(
                what: "attribute \(type) has \(payload.byteCount) bytes where \(MemoryLayout<T>.size) belong")
        }
        return value
    }

    /// The payload as text, its terminating NUL optional.
    var text: String { payload.text }

    /// The payload as an address, nil unless it has 4 or 16 bytes.
    var ipAddress: IPAddress? { payload.withUnsafeBytes { IPAddress(bytes: $0) } }

    /// The payload as an Ethernet address, nil unless it has 6 bytes: tunnels and InfiniBand have other sizes.
    var macAddress: MACAddress? { payload.withUnsafeBytes { MACAddress(bytes: $0) } }

    /// The attributes inside this one.
    var attributes: AttributeCursor {
        @_lifetime(copy self) get { AttributeCursor(payload) }
    }
}

/// Walks a row of attributes; ends silently at the first one that does not fit its surroundings.
///
/// ```swift
/// var cursor = AttributeCursor(payload, after: 16)
/// while let attribute = cursor.next() { … }
/// ```
///
/// An attribute of an unknown type is an ordinary attribute: newer kernels send more than we know. Padding may be
/// missing after the last one.
struct AttributeCursor: ~Escapable {
    private let bytes: RawSpan
    private var offset: Int

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, after headerLength: Int = 0) {
        self.bytes = bytes
        offset = headerLength
    }

    @_lifetime(copy self)
    mutating func next() -> Attribute? {
        guard let length = bytes.integer(at: offset, as: UInt16.self),
            let type = bytes.integer(at: offset + 2, as: UInt16.self),
            length >= 4, Int(length) <= bytes.byteCount - offset
        else { return nil }
        let payload = bytes.extracting(offset + 4..<offset + Int(length))
        offset += (Int(length) + 3) & ~3
        // NLA_F_NESTED and NLA_F_NET_BYTEORDER are remarks about the payload, not part of its type.
        return Attribute(type: Int(type & 0x3fff), payload: payload)
    }
}
