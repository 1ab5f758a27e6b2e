/// Reads JSON5 (json5.org, 1.0): JSON as people write it, with comments, trailing commas, unquoted keys.
///
/// ```swift
/// let (node, faults) = JSON5.read(Array("{ answer: 0x2a, /* why? */ }".utf8))
/// for fault in faults { print(fault) }             // 1:9: …
/// ```
///
/// Strict where it matters to configuration: a key that is there twice is a fault, text that is not UTF-8 is one, and
/// so is a lone surrogate. Values are nested ``JSON5/maximumDepth`` deep at most. Nothing that a text contains traps.
/// Memory grows with the text alone.
public enum JSON5 {
    /// How deep arrays and objects may be nested.
    public static let maximumDepth = 64
    /// After so many faults the rest is not looked at: it would be noise.
    public static let maximumFaults = 50

    /// The value that a text is, and everything that is wrong with it.
    ///
    /// Where only a part could not be read that part is ``JSON5Value/invalid``; nil if nothing could be.
    public static func read(_ text: [UInt8]) -> (node: JSON5Node?, faults: [JSON5Fault]) {
        var scanner = Scanner(text)
        let node = scanner.document()
        return (node, scanner.faults)
    }

    /// The value that a text is.
    ///
    /// - Throws: the first of what is wrong with it.
    public static func value(of text: String) throws(JSON5Fault) -> JSON5Node {
        let (node, faults) = read(Array(text.utf8))
        if let first = faults.first { throw first }
        guard let node else { throw JSON5Fault(position: .init(line: 1, column: 1), message: "there is nothing") }
        return node
    }

    /// A text as a JSON string, quotes included.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f || (0x2028...0x2029).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
