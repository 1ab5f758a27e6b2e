/// Whether an interface can carry frames, RFC 2863 `ifOperStatus`.
public struct OperationalState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The driver does not say.
    ///
    /// The corresponding C constant is `IF_OPER_UNKNOWN`.
    public static let unknown = OperationalState(rawValue: 0)
    /// Something of it is missing; Linux does not use it.
    ///
    /// The corresponding C constant is `IF_OPER_NOTPRESENT`.
    public static let notPresent = OperationalState(rawValue: 1)
    /// Switched off, or without a carrier.
    ///
    /// The corresponding C constant is `IF_OPER_DOWN`.
    public static let down = OperationalState(rawValue: 2)
    /// The interface underneath has no carrier, as a VLAN's, or a veth's other end is down.
    ///
    /// The corresponding C constant is `IF_OPER_LOWERLAYERDOWN`.
    public static let lowerLayerDown = OperationalState(rawValue: 3)
    /// The driver tests the device.
    ///
    /// The corresponding C constant is `IF_OPER_TESTING`.
    public static let testing = OperationalState(rawValue: 4)
    /// With a carrier, but waiting for something outside, as authentication.
    ///
    /// The corresponding C constant is `IF_OPER_DORMANT`.
    public static let dormant = OperationalState(rawValue: 5)
    /// It can carry frames.
    ///
    /// The corresponding C constant is `IF_OPER_UP`.
    public static let up = OperationalState(rawValue: 6)

    /// As `ip -j link` prints it, in lower case.
    public var description: String {
        let names = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"]
        return Int(rawValue) < names.count ? names[Int(rawValue)] : "state \(rawValue)"
    }
}
