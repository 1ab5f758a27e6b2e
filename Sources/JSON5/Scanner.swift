/// Goes through a text once, scalar by scalar, and knows where it is.
struct Scanner {
    private let text: [Unicode.Scalar]
    private var index = 0
    private(set) var position = JSON5Position(line: 1, column: 1)
    private(set) var faults: [JSON5Fault] = []
    /// Set once the rest makes no sense any more.
    private(set) var hasGivenUp = false

    init(_ octets: [UInt8]) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(octets.count)
        var decoder = UTF8()
        var iterator = octets.makeIterator()
        var isBroken = false
        // What is read before the first broken octet says where that is.
        decoding: while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): scalars.append(scalar)
            case .emptyInput: break decoding
            case .error:
                isBroken = true
                break decoding
            }
        }
        // A byte order mark is no part of the text.
        if scalars.first == "\u{feff}" { scalars.removeFirst() }
        text = scalars
        if isBroken {
            while next != nil { advance() }
            fault("this is not UTF-8; save the text in that encoding")
            giveUp()
        }
    }

    /// The scalar that comes next; nil at the end.
    var next: Unicode.Scalar? { peek(0) }

    func peek(_ distance: Int) -> Unicode.Scalar? {
        !hasGivenUp && distance < text.count - index ? text[index + distance] : nil
    }

    mutating func advance() {
        guard let scalar = next else { return }
        index += 1
        // CR LF is one line's end.
        if scalar == "\n" || scalar == "\u{2028}" || scalar == "\u{2029}" || (scalar == "\r" && next != "\n") {
            position.line += 1
            position.column = 1
        } else {
            position.column += 1
        }
    }

    /// Takes the next scalar if it is this one.
    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        advance()
        return true
    }

    mutating func fault(_ message: String, at place: JSON5Position? = nil) {
        faults.append(JSON5Fault(position: place ?? position, message: message))
        if faults.count >= JSON5.maximumFaults { giveUp() }
    }

    /// Nothing is read any more: as if the text ended here.
    mutating func giveUp() { hasGivenUp = true }

    /// The next scalar, for a sentence.
    var nextInWords: String {
        guard let next else { return "the text ends here" }
        if next == "\n" || next == "\r" { return "the line ends here" }
        return next.value < 0x20 || next.value == 0x7f
            ? "there is a control character" : "there is '\(Character(next))'"
    }

    /// Blanks and comments.
    mutating func skipBlanks() {
        while let scalar = next {
            if scalar == "/", peek(1) == "/" {
                while let inside = next, !inside.endsLine { advance() }
            } else if scalar == "/", peek(1) == "*" {
                skipComment()
            } else if scalar == " " || scalar == "\n" || scalar == "\u{feff}"
                || scalar.properties.isWhitespace && scalar != "\u{85}"
            {
                advance()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() {
        let start = position
        advance()
        advance()
        while next != nil {
            if next == "*", peek(1) == "/" {
                advance()
                advance()
                return
            }
            advance()
        }
        if !hasGivenUp {
            fault("a comment begins here that does not end; end it with */", at: start)
            giveUp()
        }
    }
}

extension Unicode.Scalar {
    /// A line terminator of ECMAScript's.
    var endsLine: Bool { self == "\n" || self == "\r" || self == "\u{2028}" || self == "\u{2029}" }

    var isDigit: Bool { ("0"..."9").contains(self) }

    /// 0…15; nil for what is no hexadecimal digit.
    var hexadecimalValue: UInt32? {
        switch self {
        case "0"..."9": value - 0x30
        case "a"..."f": value - 0x61 + 10
        case "A"..."F": value - 0x41 + 10
        default: nil
        }
    }

    /// Whether a key without quotes may begin with it.
    var beginsName: Bool {
        isASCII
            ? ("a"..."z").contains(self) || ("A"..."Z").contains(self) || self == "$" || self == "_"
            : properties.isIDStart
    }

    /// Whether a key without quotes may go on with it.
    var continuesName: Bool {
        if isASCII { return beginsName || isDigit }
        return properties.isIDContinue || self == "\u{200c}" || self == "\u{200d}"
    }
}
