/// What the kernel's verifier wrote about a program that it rejected.
///
/// The log of a real program has tens of thousands of lines, of which one is the reason; `summary` is that line.
public struct VerifierLog: Sendable {
    /// Everything that was written.
    public let full: String

    public init(_ full: String) {
        self.full = full
    }

    /// The reason: the last line that is neither statistics nor empty, with the one before it where it needs that.
    ///
    /// Newer kernels end with a structured report instead; then it is the line that begins with `Reason:`.
    public var summary: String {
        let lines = full.split(separator: "\n").map(String.init)
        if let reason = lines.last(where: { $0.hasPrefix("Reason:") }) {
            let text = reason.dropFirst("Reason:".count)
            return String(text.drop(while: { $0 == " " }))
        }
        var useful = lines[...]
        while let last = useful.last, Self.isStatistics(last) { useful = useful.dropLast() }
        guard let reason = useful.last else { return "" }
        guard reason.hasPrefix("\t") || Self.startsWithRegister(reason), let before = useful.dropLast().last else {
            return reason
        }
        return "\(before) \(reason)"
    }

    /// The last `count` lines.
    public func tail(_ count: Int) -> [String] {
        full.split(separator: "\n").suffix(max(count, 0)).map(String.init)
    }

    private static func isStatistics(_ line: String) -> Bool {
        line.allSatisfy(\.isWhitespace) || line.hasPrefix("processed ") || line.hasPrefix("verification time")
            || line.hasPrefix("stack depth")
    }

    private static func startsWithRegister(_ line: String) -> Bool {
        let characters = Array(line.prefix(2))
        return characters.count == 2 && characters[0] == "R" && characters[1].isNumber
    }
}
