extension IPAddress: LosslessStringConvertible, ExpressibleByStringLiteral {
    /// Reads an address as people write it; nil when the text is not exactly one address.
    public init?(_ description: String) {
        let text = Array(description.utf8)
        if text.contains(UInt8(ascii: ":")) {
            guard let address = Self.parseIPv6(text[...]) else { return nil }
            self = address
        } else {
            guard let word = Self.parseIPv4(text[...]) else { return nil }
            self.init(family: .v4, high: UInt64(word) << 32, low: 0)
        }
    }

    /// An address known when the program is written; a literal that is no address is a programmer's error.
    public init(stringLiteral value: StaticString) {
        guard let address = IPAddress("\(value)") else { preconditionFailure("\"\(value)\" is not an IP address") }
        self = address
    }

    public var description: String {
        switch family {
        case .v4: describeIPv4()
        case .v6: describeIPv6()
        }
    }

    private static func parseIPv4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var word: UInt32 = 0
        for part in parts {
            guard let octet = decimalOctet(part) else { return nil }
            word = word << 8 | UInt32(octet)
        }
        return word
    }

    private static func decimalOctet(_ text: ArraySlice<UInt8>) -> UInt8? {
        guard (1...3).contains(text.count), text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        // "010" is ten to one reader and eight to another, so it is nothing to us.
        guard text.count == 1 || text.first != 0x30 else { return nil }
        let value = text.reduce(UInt16(0)) { $0 * 10 + UInt16($1 - 0x30) }
        return UInt8(exactly: value)
    }

    private static func parseIPv6(_ text: ArraySlice<UInt8>) -> IPAddress? {
        let colon = UInt8(ascii: ":")
        // At most one "::" splits the text into a head and a tail.
        var head: ArraySlice<UInt8> = text
        var tail: ArraySlice<UInt8>?
        for index in text.indices.dropLast() where text[index] == colon && text[index + 1] == colon {
            guard tail == nil else { return nil }
            head = text[..<index]
            tail = text[(index + 2)...]
        }
        guard let left = groups(head, mayEndInIPv4: tail == nil) else { return nil }
        let right: [UInt16]
        if let tail {
            guard let parsed = groups(tail, mayEndInIPv4: true), left.count + parsed.count <= 7 else { return nil }
            right = parsed
        } else {
            guard left.count == 8 else { return nil }
            right = []
        }
        let words = left + Array(repeating: 0, count: 8 - left.count - right.count) + right
        return IPAddress(
            family: .v6, high: words[..<4].reduce(0) { $0 << 16 | UInt64($1) },
            low: words[4...].reduce(0) { $0 << 16 | UInt64($1) })
    }

    private static func groups(_ text: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var words: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let word = parseIPv4(part) else { return nil }
                words += [UInt16(word >> 16), UInt16(truncatingIfNeeded: word)]
                continue
            }
            guard (1...4).contains(part.count), let value = hexadecimal(part) else { return nil }
            words.append(value)
        }
        return words.count <= 8 ? words : nil
    }

    private static func hexadecimal(_ text: ArraySlice<UInt8>) -> UInt16? {
        var value: UInt16 = 0
        for character in text {
            let digit: UInt8
            switch character {
            case 0x30...0x39: digit = character - 0x30
            case 0x61...0x66: digit = character - 0x61 + 10
            case 0x41...0x46: digit = character - 0x41 + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// Written straight into the text's own memory: lists have thousands of them.
    private func describeIPv4() -> String {
        String(unsafeUninitializedCapacity: 15) { text in
            var count = 0
            func append(_ octet: UInt8) {
                text[count] = octet
                count += 1
            }
            for index in 0..<4 {
                let octet = octet(at: index)
                if index > 0 { append(UInt8(ascii: ".")) }
                if octet >= 100 { append(0x30 + octet / 100) }
                if octet >= 10 { append(0x30 + octet / 10 % 10) }
                append(0x30 + octet % 10)
            }
            return count
        }
    }

    /// RFC 5952: lower case, the longest run of two or more zero groups as "::", the first of equals.
    private func describeIPv6() -> String {
        let words = (0..<8).map { UInt16(octet(at: 2 * $0)) << 8 | UInt16(octet(at: 2 * $0 + 1)) }
        if isIPv4Mapped {
            return "::ffff:\(octet(at: 12)).\(octet(at: 13)).\(octet(at: 14)).\(octet(at: 15))"
        }
        var best = 0..<0
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, words[end] == 0 { end += 1 }
            if end - index > max(best.count, 1) { best = index..<end }
            index = max(end, index + 1)
        }
        func text(_ range: Range<Int>) -> String {
            words[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
    }
}

extension IPAddress: Comparable {
    /// IPv4 before IPv6, then by value.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        (left.family.rawValue, left.high, left.low) < (right.family.rawValue, right.high, right.low)
    }
}
