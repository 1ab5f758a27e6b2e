/// How far an address or a route reaches, `enum rt_scope_t`.
public struct Scope: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Everywhere.
    ///
    /// The corresponding C constant is `RT_SCOPE_UNIVERSE`.
    public static let universe = Scope(rawValue: 0)
    /// The corresponding C constant is `RT_SCOPE_SITE`.
    public static let site = Scope(rawValue: 200)
    /// Neighbours on the link.
    ///
    /// The corresponding C constant is `RT_SCOPE_LINK`.
    public static let link = Scope(rawValue: 253)
    /// This host.
    ///
    /// The corresponding C constant is `RT_SCOPE_HOST`.
    public static let host = Scope(rawValue: 254)
    /// In a deletion: any.
    ///
    /// The corresponding C constant is `RT_SCOPE_NOWHERE`.
    public static let nowhere = Scope(rawValue: 255)
}
