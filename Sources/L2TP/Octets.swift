/// Big-endian reads by distance from the start, whatever the collection's own indices are.
///
/// The caller has compared the offset with `count`: these are the only places that subscript wire data.
extension RandomAccessCollection<UInt8> {
    func octet(at offset: Int) -> UInt8 { self[index(startIndex, offsetBy: offset)] }

    func word16(at offset: Int) -> UInt16 {
        UInt16(octet(at: offset)) << 8 | UInt16(octet(at: offset + 1))
    }

    func word32(at offset: Int) -> UInt32 {
        UInt32(word16(at: offset)) << 16 | UInt32(word16(at: offset + 2))
    }
}

extension [UInt8] {
    /// Appends an integer with its most significant octet first.
    mutating func append(bigEndian value: some FixedWidthInteger) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Overwrites two octets, most significant first.
    mutating func replace(at offset: Int, with value: UInt16) {
        self[offset] = UInt8(truncatingIfNeeded: value >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}

/// The value of an ASCII hexadecimal digit; nil for any other character.
func hexadecimalDigit(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x41...0x46: character - 0x41 + 10
    case 0x61...0x66: character - 0x61 + 10
    default: nil
    }
}

/// Exactly `digits` lower-case digits, zeros kept.
func hexadecimal(_ value: some FixedWidthInteger, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
