/// A request as your code sent it.
///
/// ```swift
/// kernel.expect(.newLink, where: { $0.attribute(3)?.text == "left" })   // IFLA_IFNAME
/// ```
public struct RecordedRequest: Hashable, Sendable {
    /// What was asked, and of which kind of object.
    public let type: MessageType
    /// `NLM_F_*`.
    public let flags: UInt16
    /// Its number, which the answer repeats.
    public let sequence: UInt32
    /// The whole message, in the machine's byte order.
    public let bytes: [UInt8]

    /// `NLM_F_ROOT | NLM_F_MATCH`: asks for a list.
    public var isDump: Bool { flags & 0x300 == 0x300 }

    /// `NLM_F_ACK`: whether a success is answered too, and not only a failure.
    ///
    /// Of a batch only the last of each datagram asks for it, and a question for one object never does.
    public var wantsAcknowledgement: Bool { flags & 4 != 0 }

    /// The struct between message header and attributes, as `struct ifinfomsg`.
    public var header: [UInt8] { Array(bytes.dropFirst(16).prefix(type.headerLength)) }

    /// The attributes of the top level, in order.
    public var attributes: [Attribute] { Attribute.parse(bytes, 16 + type.headerLength..<bytes.count) }

    /// The first attribute that a path of types leads to, as `attribute(18, 1)` to `IFLA_LINKINFO`, `IFLA_INFO_KIND`.
    public func attribute(_ type: Int, _ path: Int...) -> Attribute? {
        var found = attributes.first { $0.type == type }
        for type in path { found = found?.attributes.first { $0.type == type } }
        return found
    }

    /// An attribute of the request, at the top level or inside another one.
    public struct Attribute: Hashable, Sendable {
        /// Without its two flag bits.
        public let type: Int
        /// The payload in the machine's byte order, without header and padding.
        public let bytes: [UInt8]
        /// Where it begins in the request: what a refusal may point at.
        public let offset: Int

        /// The payload as text, up to its NUL.
        public var text: String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

        /// The payload as an integer in the machine's byte order; nil unless it has exactly its size.
        public func integer<T: FixedWidthInteger>(_: T.Type = T.self) -> T? {
            guard bytes.count == MemoryLayout<T>.size else { return nil }
            return bytes.native(at: 0, T.self)
        }

        /// The attributes inside it.
        public var attributes: [Attribute] {
            Self.parse(bytes, 0..<bytes.count).map {
                Attribute(type: $0.type, bytes: $0.bytes, offset: offset + 4 + $0.offset)
            }
        }

        /// Ends at the first that does not fit.
        static func parse(_ bytes: [UInt8], _ range: Range<Int>) -> [Attribute] {
            var found: [Attribute] = []
            var offset = range.lowerBound
            while offset + 4 <= range.upperBound {
                let length = Int(bytes.native(at: offset, UInt16.self))
                guard length >= 4, offset + length <= range.upperBound else { break }
                found.append(
                    Attribute(
                        type: Int(bytes.native(at: offset + 2, UInt16.self) & 0x3fff),
                        bytes: Array(bytes[offset + 4..<offset + length]), offset: offset))
                offset += (length + 3) & ~3
            }
            return found
        }
    }

    /// The requests of one datagram; ends at the first that does not fit.
    package static func parse(_ datagram: [UInt8]) -> [RecordedRequest] {
        var found: [RecordedRequest] = []
        var rest = datagram[...]
        while rest.count >= 16 {
            let bytes = Array(rest)
            let length = Int(bytes.native(at: 0, UInt32.self))
            guard length >= 16, length <= bytes.count else { break }
            found.append(
                RecordedRequest(
                    type: MessageType(rawValue: bytes.native(at: 4, UInt16.self)),
                    flags: bytes.native(at: 6, UInt16.self), sequence: bytes.native(at: 8, UInt32.self),
                    bytes: Array(bytes.prefix(length))))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }
}

extension [UInt8] {
    /// An integer in the machine's byte order; the caller has checked that it is there.
    func native<T: FixedWidthInteger>(at offset: Int, _: T.Type) -> T {
        var value: T = 0
        Swift.withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: self[offset..<offset + MemoryLayout<T>.size]) }
        return value
    }

    /// Appends an integer in the machine's byte order.
    mutating func append(native value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value) { append(contentsOf: $0) }
    }
}
