import CPseudowireMNL

/// The XDP programs of an interface, by number: one for each place where it can run, whoever has put it there.
///
/// ```swift
/// if let program = try client.links.find(named: "eth0")?.xdp?.driver { print("program \(program) runs in the driver") }
/// ```
public struct XDPPrograms: Hashable, Sendable {
    /// In the driver, before the stack.
    public var driver: UInt32?
    /// In the stack, which every driver can have.
    public var generic: UInt32?
    /// In the network card.
    public var hardware: UInt32?

    public init(driver: UInt32? = nil, generic: UInt32? = nil, hardware: UInt32? = nil) {
        self.driver = driver
        self.generic = generic
        self.hardware = hardware
    }

    /// One of them, from the network card upwards.
    public var first: UInt32? { hardware ?? driver ?? generic }
}

extension XDPPrograms {
    /// Reads an `IFLA_XDP`; nil when it says that there is no program.
    init?(_ attribute: borrowing Attribute) throws(MalformedMessage) {
        self.init()
        var fields = attribute.attributes
        while let field = fields.next() {
            switch field.type {
            case Int(IFLA_XDP_DRV_PROG_ID): driver = try field.integer()
            case Int(IFLA_XDP_SKB_PROG_ID): generic = try field.integer()
            case Int(IFLA_XDP_HW_PROG_ID): hardware = try field.integer()
            default: continue
            }
        }
        if first == nil { return nil }
    }
}
