extension Scanner {
    /// Letters and digits without quotes: a key, or one of the words that are values.
    mutating func name() -> String? {
        var name = ""
        while let scalar = next {
            if scalar == "\\" {
                let start = position
                advance()
                guard take("u"), let code = hexadecimal(4), let escaped = Unicode.Scalar(code),
                    name.isEmpty ? escaped.beginsName : escaped.continuesName
                else {
                    fault("only \\u and four hexadecimal digits that stand for a letter may be here", at: start)
                    return nil
                }
                name.unicodeScalars.append(escaped)
            } else if name.isEmpty ? scalar.beginsName : scalar.continuesName {
                name.unicodeScalars.append(scalar)
                advance()
            } else {
                break
            }
        }
        return name
    }

    /// `null`, `true`, `false`, `Infinity`, `NaN`; anything else should have had quotes.
    mutating func word() -> JSON5Value {
        let start = position
        guard var text = name() else { return .invalid }
        switch text {
        case "null": return .null
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "Infinity", "NaN": return .number(JSON5Number(text: text, integer: nil))
        default:
            text += rest()
            fault("a text needs quotes: \(JSON5.quoted(text))", at: start)
            return .invalid
        }
    }

    /// What goes on without a blank, a comma or a bracket.
    private mutating func rest() -> String {
        var text = ""
        while let scalar = next, !scalar.properties.isWhitespace, !",]}[{\"'".unicodeScalars.contains(scalar) {
            text.unicodeScalars.append(scalar)
            advance()
        }
        return text
    }

    mutating func number() -> JSON5Value {
        let start = position
        let text = rest()
        if let number = Self.number(Array(text.unicodeScalars)) { return .number(number) }
        fault("\(text) is no number; if it is meant as a text, it needs quotes: \(JSON5.quoted(text))", at: start)
        return .invalid
    }

    private static func number(_ text: [Unicode.Scalar]) -> JSON5Number? {
        let digits = text.first == "+" || text.first == "-" ? text.dropFirst() : text[...]
        var number = JSON5Number(text: String(String.UnicodeScalarView(text)), integer: nil)
        let word = String(String.UnicodeScalarView(digits))
        if word == "Infinity" || word == "NaN" { return number }
        let isNegative = text.first == "-"
        if digits.count > 1, digits.first == "0", digits.dropFirst().first == "x" || digits.dropFirst().first == "X" {
            let hexadecimal = digits.dropFirst(2)
            guard !hexadecimal.isEmpty, hexadecimal.allSatisfy({ $0.hexadecimalValue != nil }) else { return nil }
            if !isNegative { number.integer = UInt64(String(String.UnicodeScalarView(hexadecimal)), radix: 16) }
            return number
        }
        var remaining = digits
        let whole = remaining.prefix { $0.isDigit }
        // "010" is eight to some and ten to others: nothing to JSON5.
        if whole.count > 1, whole.first == "0" { return nil }
        remaining = remaining.dropFirst(whole.count)
        var isWhole = true
        var fraction: ArraySlice<Unicode.Scalar> = []
        if remaining.first == "." {
            isWhole = false
            fraction = remaining.dropFirst().prefix { $0.isDigit }
            remaining = remaining.dropFirst(1 + fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        if remaining.first == "e" || remaining.first == "E" {
            isWhole = false
            remaining = remaining.dropFirst()
            if remaining.first == "+" || remaining.first == "-" { remaining = remaining.dropFirst() }
            let exponent = remaining.prefix { $0.isDigit }
            guard !exponent.isEmpty else { return nil }
            remaining = remaining.dropFirst(exponent.count)
        }
        guard remaining.isEmpty else { return nil }
        if isWhole, !isNegative { number.integer = UInt64(String(String.UnicodeScalarView(whole))) }
        return number
    }

    /// A text in quotes of either kind; nil after a fault.
    mutating func string() -> String? {
        let start = position
        guard let quote = next else { return nil }
        advance()
        var text = String.UnicodeScalarView()
        var isFaulty = false
        while let scalar = next {
            if scalar == quote {
                advance()
                return isFaulty ? nil : String(text)
            }
            if scalar == "\n" || scalar == "\r" {
                fault("the text that begins here does not end on its line; end it with \(Character(quote))", at: start)
                return nil
            }
            if scalar != "\\" {
                text.append(scalar)
                advance()
            } else if !escape(into: &text) {
                isFaulty = true
            }
        }
        if !hasGivenUp {
            fault("the text that begins here does not end; end it with \(Character(quote))", at: start)
            giveUp()
        }
        return nil
    }

    /// What follows a backslash; false after a fault.
    private mutating func escape(into text: inout String.UnicodeScalarView) -> Bool {
        let start = position
        advance()
        guard let scalar = next else { return true }
        advance()
        switch scalar {
        case "b": text.append("\u{8}")
        case "f": text.append("\u{c}")
        case "n": text.append("\n")
        case "r": text.append("\r")
        case "t": text.append("\t")
        case "v": text.append("\u{b}")
        case "0" where next?.isDigit != true: text.append("\0")
        case "x":
            guard let code = hexadecimal(2), let escaped = Unicode.Scalar(code) else {
                fault("\\x needs two hexadecimal digits", at: start)
                return false
            }
            text.append(escaped)
        case "u": return unicodeEscape(from: start, into: &text)
        case "0"..."9":
            fault("a digit may not be escaped; leave the backslash out", at: start)
            return false
        // A backslash before the line's end goes with it.
        case "\r": _ = take("\n")
        case _ where scalar.endsLine: break
        default: text.append(scalar)
        }
        return true
    }

    private mutating func unicodeEscape(from start: JSON5Position, into text: inout String.UnicodeScalarView) -> Bool {
        guard let code = hexadecimal(4) else {
            fault("\\u needs four hexadecimal digits", at: start)
            return false
        }
        if let escaped = Unicode.Scalar(code) {
            text.append(escaped)
            return true
        }
        // Half of a pair; the other half has to follow.
        if code < 0xdc00, next == "\\", peek(1) == "u" {
            advance()
            advance()
            if let low = hexadecimal(4), (0xdc00...0xdfff).contains(low),
                let escaped = Unicode.Scalar(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00))
            {
                text.append(escaped)
                return true
            }
        }
        fault("this is half of a character; \\ud800 to \\udbff and \\udc00 to \\udfff come in pairs", at: start)
        return false
    }

    private mutating func hexadecimal(_ count: Int) -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = next?.hexadecimalValue else { return nil }
            value = value << 4 | digit
            advance()
        }
        return value
    }
}
