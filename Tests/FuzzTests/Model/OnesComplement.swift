/// The Internet checksum's arithmetic (RFC 1071), on words in host order.
enum OnesComplement {
    /// The folded sum of the words in `octets`, the last one padded with a zero.
    static func sum(_ octets: ArraySlice<UInt8>, adding initial: UInt64 = 0) -> UInt64 {
        octets.withUnsafeBytes { buffer in
            var sum = initial
            var offset = 0
            // Four octets at a time: the tests are built without optimisation, and this is their innermost loop.
            while offset + 4 <= buffer.count {
                sum &+= UInt64(UInt32(bigEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                offset += 4
            }
            if offset + 2 <= buffer.count {
                sum &+= UInt64(buffer[offset]) << 8 | UInt64(buffer[offset + 1])
                offset += 2
            }
            if offset < buffer.count { sum &+= UInt64(buffer[offset]) << 8 }
            return fold(sum)
        }
    }

    /// Sixteen bits; zero only if everything added was.
    static func fold(_ sum: UInt64) -> UInt64 {
        var sum = sum
        while sum > 0xffff { sum = (sum & 0xffff) &+ (sum >> 16) }
        return sum
    }

    /// What is written into a header whose other words have this sum.
    static func checksum(_ sum: UInt64) -> UInt16 { ~UInt16(truncatingIfNeeded: fold(sum)) }

    /// The sum of addresses, protocol and length that TCP and UDP add to their own (RFC 9293, RFC 768, RFC 8200).
    static func pseudoHeader(_ addresses: ArraySlice<UInt8>, protocol number: UInt8, length: Int) -> UInt64 {
        sum(addresses, adding: UInt64(number) &+ UInt64(length))
    }
}

extension [UInt8] {
    func word(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }

    func long(at offset: Int) -> UInt32 { UInt32(word(at: offset)) << 16 | UInt32(word(at: offset + 2)) }

    mutating func append(word: UInt16) {
        append(UInt8(truncatingIfNeeded: word >> 8))
        append(UInt8(truncatingIfNeeded: word))
    }

    mutating func append(long: UInt32) {
        append(word: UInt16(truncatingIfNeeded: long >> 16))
        append(word: UInt16(truncatingIfNeeded: long))
    }

    mutating func set(word: UInt16, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: word >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: word)
    }

    mutating func set(long: UInt32, at offset: Int) {
        set(word: UInt16(truncatingIfNeeded: long >> 16), at: offset)
        set(word: UInt16(truncatingIfNeeded: long), at: offset + 2)
    }
}
