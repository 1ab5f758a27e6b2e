@testable import RouteNetlink

/// Reads hexadecimal digits; blanks and line ends are ignored.
func bytes(_ text: String) -> [UInt8] {
    let digits = text.filter(\.isHexDigit).compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// Calls `body` with every message of a datagram.
func forEachMessage<E: Error>(_ datagram: [UInt8], _ body: (borrowing Message) throws(E) -> Void) throws(E) {
    let span = datagram.span
    var cursor = MessageCursor(span.bytes)
    while let message = cursor.next() { try body(message) }
}

/// A request as readable lines, so that two ways to write the same thing compare equal.
///
/// Two remarks without meaning are dropped: `NLA_F_NESTED`, which iproute2 sets only where it must, and the NUL at
/// the end of a text, which it leaves out of `IFLA_INFO_KIND`.
func lines(_ request: [UInt8]) -> [String] {
    guard request.count >= 16 else { return ["truncated"] }
    guard let schema = AttributeSchema.of(request) else { return [hex(request)] }
    let start = min(16 + schema.headerLength, request.count)
    return ["length-free header \(hex(request[4..<8]))", "family header \(hex(request[16..<start]))"]
        + lines(Array(request[start...]), schema, "")
}

/// A request with zeros between its attributes, where ethtool leaves what was in its buffer before.
func withoutStalePadding(_ request: [UInt8]) -> [UInt8] {
    guard request.count >= 16 else { return request }
    let type = Int(request[4]) | Int(request[5]) << 8
    let header = AttributeSchema.of(request)?.headerLength ?? (type < 32 ? 4 : nil)
    guard let header, request.count > 16 + header else { return request }
    return Array(request[..<(16 + header)]) + withPaddingCleared(Array(request[(16 + header)...]))
}

private func withPaddingCleared(_ attributes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var rest = attributes[...]
    while rest.count >= 4 {
        let first = rest.startIndex
        let length = Int(rest[first]) | Int(rest[first + 1]) << 8
        guard length >= 4, length <= rest.count else { break }
        let payload = Array(rest[first + 4..<first + length])
        let isNest = rest[first + 3] & 0x80 != 0
        result += rest[first..<first + 4] + (isNest ? withPaddingCleared(payload) : payload)
        let padded = min((length + 3) & ~3, rest.count)
        result += repeatElement(0, count: padded - length)
        rest = rest.dropFirst(padded)
    }
    return result + rest
}

private let texts: Set = ["IFLA_IFNAME", "IFLA_IFALIAS", "IFLA_INFO_KIND", "TCA_KIND", "TCA_BPF_NAME", "RTAX_CC_ALGO"]

private func lines(_ attributes: [UInt8], _ schema: AttributeSchema, _ path: String) -> [String] {
    var lines: [String] = []
    var kind: String?
    var rest = attributes[...]
    while rest.count >= 4 {
        let first = rest.startIndex
        let length = Int(rest[first]) | Int(rest[first + 1]) << 8
        let type = (Int(rest[first + 2]) | Int(rest[first + 3]) << 8) & 0x3fff
        guard length >= 4, length <= rest.count else { return lines + ["\(path)broken"] }
        var payload = rest[first + 4..<first + length]
        let name = schema.name(type)
        if texts.contains(name) { payload = payload.prefix { $0 != 0 } }
        if type == 1 { kind = String(decoding: payload, as: UTF8.self) }
        let inside: AttributeSchema? =
            switch schema.contents[type] {
            case .nest(let schema): schema
            case .byKind(let schemas): kind.flatMap { schemas[$0] }
            case nil: nil
            }
        if let inside, payload.count >= inside.headerLength {
            lines.append("\(path)\(name) \(hex(payload.prefix(inside.headerLength)))")
            lines += RouteNetlinkTests.lines(Array(payload.dropFirst(inside.headerLength)), inside, "\(path)\(name).")
        } else {
            lines.append("\(path)\(name) = \(hex(payload))")
        }
        rest = rest.dropFirst((length + 3) & ~3)
    }
    return rest.isEmpty ? lines : lines + ["\(path)left over \(hex(rest))"]
}
