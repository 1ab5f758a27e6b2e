/// The kernel's words about a request that it carried out.
///
/// ```swift
/// client.onWarning = { print($0) }   // add filter on 7 ingress …: Skip_sw not supported, …
/// ```
public struct NetlinkWarning: Hashable, Sendable, CustomStringConvertible {
    /// What was asked, with its object, as in `NetlinkError`.
    public var operation: String
    /// The kernel's own words, in English.
    public var message: String

    public init(operation: String, message: String) {
        self.operation = operation
        self.message = message
    }

    public var description: String { "\(operation): \(message)" }
}
