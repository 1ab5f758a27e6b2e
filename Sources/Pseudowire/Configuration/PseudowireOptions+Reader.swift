internal import InternetAddress
internal import L2TP

extension PseudowireOptions {
    /// Reads one option after the other and remembers what was wrong.
    struct Reader {
        var faults: [ConfigurationFault] = []

        mutating func fault(_ field: String, _ message: String) {
            faults.append(ConfigurationFault(.usage, field, message))
        }

        func isFaulty(_ field: String) -> Bool { faults.contains { $0.field == field } }

        mutating func choice<Choice: RawRepresentable & CaseIterable>(_ field: String, _ text: String?) -> Choice?
        where Choice.RawValue == String {
            guard let text else { return nil }
            if let choice = Choice(rawValue: text) { return choice }
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            fault(field, "\"\(text)\" is none of \(known)")
            return nil
        }

        mutating func address(_ field: String, _ text: String?) -> IPAddress? {
            guard let text else {
                fault(field, "is missing; an IPv4 or IPv6 address")
                return nil
            }
            if let address = IPAddress(text) { return address }
            fault(field, "\"\(text)\" is no IPv4 or IPv6 address")
            return nil
        }

        mutating func session(_ field: String, _ text: String?) -> SessionID? {
            guard let text else {
                fault(field, "is missing; 1 to 4294967295")
                return nil
            }
            if let id = SessionID(text) { return id }
            let problem = Self.unsigned(text) == 0 ? "0 is kept for control messages" : "\"\(text)\" is no session id"
            fault(field, "\(problem); 1 to 4294967295\(Self.spelling(text))")
            return nil
        }

        mutating func number(_ field: String, _ text: String?, _ range: ClosedRange<UInt64>) -> UInt64? {
            guard let text else { return nil }
            if let value = Self.unsigned(text), range.contains(value) { return value }
            fault(
                field,
                "\"\(text)\" is not a number from \(range.lowerBound) to \(range.upperBound)\(Self.spelling(text))")
            return nil
        }

        mutating func cookie(_ field: String, _ text: String) -> Cookie? {
            if let cookie = Cookie(text), cookie != .empty { return cookie }
            fault(field, "\"\(text)\" is no cookie; 8 or 16 hexadecimal digits")
            return nil
        }

        /// One of two words; nil if none was given.
        mutating func toggle(_ field: String, _ text: String?, _ on: String = "on", _ off: String = "off") -> Bool? {
            guard let text else { return nil }
            if text == on || text == off { return text == on }
            fault(field, "\"\(text)\" is none of \(on), \(off)")
            return nil
        }

        /// A number; nil also for one of the words.
        mutating func number(
            _ field: String, _ text: String?, orOneOf words: [String], _ range: ClosedRange<UInt64>
        ) -> UInt64? {
            guard let text, !words.contains(text) else { return nil }
            if let value = Self.unsigned(text), range.contains(value) { return value }
            let known = words.joined(separator: ", ")
            fault(
                field,
                "\"\(text)\" is neither \(known) nor a number from \(range.lowerBound) to \(range.upperBound)"
                    + Self.spelling(text))
            return nil
        }

        /// Decimal digits, or hexadecimal ones after `0x`: of one spelling with session ids.
        private static func unsigned(_ text: String) -> UInt64? {
            if text.hasPrefix("0x") || text.hasPrefix("0X") {
                let digits = text.dropFirst(2)
                return digits.first?.isHexDigit == true ? UInt64(digits, radix: 16) : nil
            }
            // "010" is eight to iproute2 and ten to people: nothing to us.
            guard text == "0" || !text.hasPrefix("0"), text.first?.isNumber == true else { return nil }
            return UInt64(text)
        }

        /// The cure of what would be a number, were it not for its sign or for zeros before it; empty for all else.
        private static func spelling(_ text: String) -> String {
            guard unsigned(text) == nil, UInt64(text) != nil else { return "" }
            return ", written without a sign or leading zeros"
        }
    }
}
