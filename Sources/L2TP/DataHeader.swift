/// What stands between the IP header, or the UDP header, and the customer's frame.
///
/// ```swift
/// let header = DataHeader(encapsulation: .ip, session: 0x16, sublayer: SublayerWord(sequence: 3))
/// header.bytes   // 00 00 00 16  40 00 00 03
/// let read = try DataHeader(decoding: header.bytes, encapsulation: .ip, cookieLength: .zero, sublayer: .default)
/// ```
///
/// All fields are big-endian. Source: RFC 3931, sections 4.1.1.1 (over IP) and 4.1.2.1 (over UDP).
public struct DataHeader: Hashable, Sendable {
    /// Over UDP the header begins with a word of flags and version; over IP with the session ID.
    public var encapsulation: Encapsulation
    /// The receiver's number for the session.
    public var session: SessionID
    /// The receiver's cookie.
    public var cookie: Cookie
    /// Nil for sublayer `none`.
    public var sublayer: SublayerWord?

    public init(
        encapsulation: Encapsulation, session: SessionID, cookie: Cookie = .empty, sublayer: SublayerWord? = nil
    ) {
        self.encapsulation = encapsulation
        self.session = session
        self.cookie = cookie
        self.sublayer = sublayer
    }

    /// Octets that such a header takes: 4…16 over IP, 8…20 over UDP (the UDP header not counted).
    public static func byteCount(
        encapsulation: Encapsulation, cookieLength: Cookie.Length, sublayer: Sublayer
    ) -> Int {
        (encapsulation == .udp ? 4 : 0) + 4 + cookieLength.byteCount + sublayer.byteCount
    }

    /// Octets that this header takes, the UDP header not counted.
    public var byteCount: Int {
        Self.byteCount(
            encapsulation: encapsulation, cookieLength: cookie.length, sublayer: sublayer == nil ? .none : .default)
    }

    /// The header as it is sent.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        // T = 0, Ver = 3, everything reserved zero.
        if encapsulation == .udp { bytes.append(bigEndian: 0x0003_0000 as UInt32) }
        bytes.append(bigEndian: session.rawValue)
        bytes += cookie.bytes
        if let sublayer { bytes.append(bigEndian: sublayer.rawValue) }
        return bytes
    }

    /// Reads a header from the octets after the IP header, or after the UDP header.
    ///
    /// The cookie's length and the sublayer come from the session's configuration: the wire announces neither.
    /// Octets beyond the header are left alone. Reserved bits are ignored, as RFC 3931 asks of receivers.
    public init(
        decoding bytes: some RandomAccessCollection<UInt8>, encapsulation: Encapsulation,
        cookieLength: Cookie.Length, sublayer: Sublayer
    ) throws(DataHeaderError) {
        var offset = 0
        if encapsulation == .udp {
            guard bytes.count >= 2 else { throw .truncated(needed: 2, have: bytes.count) }
            let flags = bytes.word16(at: 0)
            // Version first: L2TPv2 control messages set T as well and are another protocol's business.
            guard flags & 0xf == 3 else { throw .version(UInt8(truncatingIfNeeded: flags & 0xf)) }
            guard flags & 0x8000 == 0 else { throw .controlMessage }
            offset = 4
        }
        guard bytes.count >= offset + 4 else { throw .truncated(needed: offset + 4, have: bytes.count) }
        guard let session = SessionID(rawValue: bytes.word32(at: offset)) else {
            // Over IP a session ID of zero is how control messages are told apart; over UDP it means nothing.
            throw encapsulation == .ip ? .controlMessage : .sessionZero
        }
        let needed = Self.byteCount(encapsulation: encapsulation, cookieLength: cookieLength, sublayer: sublayer)
        guard bytes.count >= needed else { throw .truncated(needed: needed, have: bytes.count) }
        offset += 4
        let start = bytes.index(bytes.startIndex, offsetBy: offset)
        let end = bytes.index(start, offsetBy: cookieLength.byteCount)
        guard let cookie = Cookie(bytes: bytes[start..<end]) else {
            throw .truncated(needed: needed, have: bytes.count)
        }
        offset += cookieLength.byteCount
        self.init(
            encapsulation: encapsulation, session: session, cookie: cookie,
            sublayer: sublayer == .none ? nil : SublayerWord(rawValue: bytes.word32(at: offset)))
    }
}

/// Why octets are no L2TPv3 data header.
public enum DataHeaderError: Error, Hashable, Sendable {
    /// The octets end before the header does.
    case truncated(needed: Int, have: Int)
    /// A control message: T is set (over UDP) or the session ID is zero (over IP).
    case controlMessage
    /// The version over UDP is not 3; L2TPv2 says 2.
    case version(UInt8)
    /// A data message over UDP without a session.
    case sessionZero
}

extension DataHeaderError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let needed, let have): "the L2TP header needs \(needed) octets, there are \(have)"
        case .controlMessage: "this is a control message"
        case .version(let version): "the L2TP version is \(version), not 3"
        case .sessionZero: "the session ID is zero"
        }
    }
}
