/// An interface's number in its namespace. Never 0; names change, numbers do not.
public struct LinkIndex: RawRepresentable, Hashable, Sendable, Comparable, BitwiseCopyable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public var description: String { String(rawValue) }

    public static func < (left: LinkIndex, right: LinkIndex) -> Bool { left.rawValue < right.rawValue }
}
