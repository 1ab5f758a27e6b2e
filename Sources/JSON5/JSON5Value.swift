/// A place in a text.
public struct JSON5Position: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// From 1.
    public var line: Int
    /// From 1, in Unicode scalars; a tab is one.
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public var description: String { "\(line):\(column)" }

    public static func < (left: JSON5Position, right: JSON5Position) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A value, and where it begins.
public struct JSON5Node: Hashable, Sendable {
    public var value: JSON5Value
    public var position: JSON5Position
}

/// What JSON5 can say.
public enum JSON5Value: Hashable, Sendable {
    case null
    case boolean(Bool)
    case number(JSON5Number)
    case string(String)
    case array([JSON5Node])
    /// In the order in which they are written; no key twice.
    case object([JSON5Member])
    /// Something that could not be read; the fault was reported.
    case invalid
}

/// A number as it is written: no digit is lost to a floating-point type.
public struct JSON5Number: Hashable, Sendable {
    /// The characters themselves.
    public var text: String
    /// Its value, if it is a whole number from 0 to 2^64 - 1, written in decimal or hexadecimal digits.
    public var integer: UInt64?

    public init(text: String, integer: UInt64?) {
        self.text = text
        self.integer = integer
    }
}

/// A key, where it stands, and its value.
public struct JSON5Member: Hashable, Sendable {
    public var key: String
    public var position: JSON5Position
    public var node: JSON5Node

    public init(key: String, position: JSON5Position, node: JSON5Node) {
        self.key = key
        self.position = position
        self.node = node
    }
}

/// Something that is wrong with a text.
public struct JSON5Fault: Error, Hashable, Sendable, CustomStringConvertible {
    public var position: JSON5Position
    /// What is wrong and what would be right: no full stop.
    public var message: String

    public init(position: JSON5Position, message: String) {
        self.position = position
        self.message = message
    }

    public var description: String { "\(position): \(message)" }
}
