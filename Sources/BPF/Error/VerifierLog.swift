internal import Glibc

/// What the kernel's verifier wrote about a program that it rejected.
///
/// The log of a real program has tens of thousands of lines, of which one is the reason; `summary` is that line.
public struct VerifierLog: Sendable {
    /// Everything that was written.
    public let full: String

    /// A log that was read elsewhere, as the verifier wrote it: lines of text, the oldest first.
    public init(_ full: String) {
        self.full = full
    }

    /// The reason, in one line.
    ///
    /// It is the last line that is neither statistics nor empty, with the one before it where it needs that. Newer
    /// kernels end with a structured report instead: there it is what follows `Reason:`, and `Suggestion:` if there is
    /// one. The source line is added if the log has it.
    public var summary: String {
        let lines = full.split(whereSeparator: \.isNewline).map(String.init)
        if let begin = lines.lastIndex(where: { $0.hasPrefix("Reason:") }) {
            let report = lines[begin...]
            let parts = ["Reason:", "Suggestion:"].compactMap { label in
                report.first { $0.hasPrefix(label) }.map { Self.trim($0.dropFirst(label.count)) }
            }
            return parts.filter { !$0.isEmpty }.joined(separator: "; ")
        }
        var useful = lines[...]
        while let last = useful.last, Self.isStatistics(last) { useful = useful.dropLast() }
        guard let reason = useful.last else { return "" }
        var text = reason
        if Self.needsPredecessor(reason), let before = useful.dropLast().last {
            text = "\(before) \(Self.trim(reason))"
        }
        // "; if (x > y) @ datapath.c:42": the last one is about the instruction that was refused.
        if let source = useful.last(where: { $0.hasPrefix("; ") && $0.contains(" @ ") }), source != reason {
            text += " [\(Self.trim(source.dropFirst(2)))]"
        }
        return text
    }

    /// How many instructions the verifier looked at before it gave up; nil if the log does not say.
    ///
    /// What a kernel's limit of a million counts.
    public var processedInstructions: Int? {
        let line = full.split(whereSeparator: \.isNewline).last { $0.hasPrefix("processed ") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    /// The last `count` lines.
    public func tail(_ count: Int) -> [String] {
        full.split(separator: "\n").suffix(max(count, 0)).map(String.init)
    }

    private static func isStatistics(_ line: String) -> Bool {
        line.allSatisfy(\.isWhitespace)
            || ["processed ", "verification time", "stack depth"].contains { line.hasPrefix($0) }
    }

    /// Whether a line speaks of what the line before it shows.
    private static func needsPredecessor(_ line: String) -> Bool {
        if line.hasPrefix("\t") || line.hasPrefix("invalid bpf_context access") { return true }
        let characters = Array(line.prefix(2))
        return characters.count == 2 && characters[0] == "R" && characters[1].isNumber
    }

    private static func trim(_ text: some StringProtocol) -> String {
        var rest = text.drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        return String(rest)
    }
}

extension VerifierLog {
    /// Asks for a log with ever more room, until it fits.
    ///
    /// A log that does not fit makes the kernel answer `ENOSPC` whatever it thinks of the program, so that the true
    /// reason is only known once there is room.
    ///
    /// - Parameter load: loads with a log of this room and returns what the kernel returned. It may succeed: a program
    ///   that was refused once need not be refused again (`EAGAIN`).
    static func collect(
        from capacity: Int = 64 << 10, load: (UnsafeMutableBufferPointer<CChar>) -> Int32
    ) -> (result: Int32, log: VerifierLog?) {
        var capacity = capacity
        while true {
            let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: capacity)
            defer { buffer.deallocate() }
            buffer[0] = 0
            let result = load(buffer)
            if result == 0 - Int32(ENOSPC), capacity < limit {
                capacity *= 4
                continue
            }
            return (result, VerifierLog(written: buffer))
        }
    }

    /// What the kernel wrote up to the first NUL; nil if nothing.
    init?(written buffer: UnsafeMutableBufferPointer<CChar>) {
        guard let first = buffer.baseAddress else { return nil }
        let text = UnsafeRawBufferPointer(start: first, count: strnlen(first, buffer.count))
        guard !text.isEmpty else { return nil }
        self.init(String(decoding: text, as: UTF8.self))
    }

    /// Beyond this the log's end has to do, which newer kernels keep (Linux 6.4); they accept up to 1 GiB.
    static var limit: Int { 64 << 20 }
}
