public import SystemPackage

/// What the kernel, or libbpf, refused.
///
/// ```swift
/// do { _ = try object.load() } catch { print(error) }
/// // load program pw_encap: Permission denied: R2 !read_ok (129 instructions processed)
/// ```
public struct BPFError: Error, Sendable, CustomStringConvertible {
    /// What was attempted, as a verb: "look up", "pin", "load".
    public let operation: String
    /// On what: a map's or program's name, a path.
    public let subject: String
    /// The kernel's answer.
    public let errno: Errno
    /// What it usually means, where the number alone misleads.
    public let hint: String?
    /// The verifier's words, if it was the verifier that refused.
    public let verifier: VerifierLog?
    /// What was found instead of what was asked for, if it was not the kernel that refused.
    public let cause: Cause?

    /// Why something that exists cannot be used as asked.
    public enum Cause: Sendable, Equatable {
        /// A pin stands for something else; `found` is nil for a kind that this module does not know.
        case wrongKind(expected: ObjectKind, found: ObjectKind?)
        /// Everything in which a map is not as expected.
        case mapDiffers([MapDifference])
    }

    public init(
        _ operation: String, _ subject: String, _ errno: Errno, hint: String? = nil, verifier: VerifierLog? = nil,
        cause: Cause? = nil
    ) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
        self.hint = hint
        self.verifier = verifier
        self.cause = cause
    }

    /// The object asked for does not exist.
    public var isNotFound: Bool { errno == .noSuchFileOrDirectory }

    public var description: String {
        var text = "\(operation) \(subject): \(errno)"
        if let verifier, !verifier.summary.isEmpty { text += ": \(verifier.summary)" }
        if let cause { text += ": \(cause)" }
        if let hint { text += " (\(hint))" }
        return text
    }
}

extension BPFError.Cause: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongKind(let expected, let found):
            "it is a \(found?.rawValue ?? "thing unknown here"), not a \(expected)"
        case .mapDiffers(let differences): differences.map(\.description).joined(separator: "; ")
        }
    }
}

extension BPFError {
    /// libbpf returns the negative errno; anything from zero up is success.
    @discardableResult
    static func check(
        _ result: some BinaryInteger, _ operation: String, _ subject: @autoclosure () -> String, hint: String? = nil
    ) throws(BPFError) -> Int32 {
        let value = Int32(truncatingIfNeeded: result)
        guard value < 0 else { return value }
        throw BPFError(operation, subject(), Errno(rawValue: 0 - value), hint: hint)
    }
}
