import CPseudowireMNL

/// A queueing discipline of an interface.
public struct Qdisc: Hashable, Sendable {
    /// As `clsact`, `ingress`, `fq_codel`, `noqueue`.
    public var kind: String
    /// Its own number, major in the upper half.
    public var handle: UInt32
    /// What it hangs under: `0xffff_fff1` for clsact and ingress, `0xffff_ffff` for the root.
    public var parent: UInt32
    /// The interface that it is on, of the client's namespace.
    public var link: LinkIndex
    /// Its parameters, undecoded: the payload of `TCA_OPTIONS`; nil when it has none.
    public var options: [UInt8]?

    /// A discipline for `Qdiscs.add(_:)`; a handle of 0 lets the kernel choose.
    public init(
        kind: String, handle: UInt32 = 0, parent: UInt32 = Qdisc.root, link: LinkIndex, options: [UInt8]? = nil
    ) {
        self.kind = kind
        self.handle = handle
        self.parent = parent
        self.link = link
        self.options = options
    }

    /// In front of the driver.
    ///
    /// The corresponding C constant is `TC_H_ROOT`.
    public static let root: UInt32 = 0xffff_ffff
    /// Where clsact and ingress hang; they exclude each other.
    ///
    /// The corresponding C constant is `TC_H_CLSACT`.
    public static let clsactParent: UInt32 = 0xffff_fff1
    /// The handle that clsact always has.
    static let clsactHandle: UInt32 = 0xffff_0000
}

extension Qdisc {
    /// Reads an `RTM_NEWQDISC`; nil for anything else.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWQDISC else { return nil }
        try message.require(20, "tcmsg")
        guard let link = LinkIndex(message.field(4, Int32.self)) else { return nil }
        self.init(kind: "", handle: message.field(8), parent: message.field(12), link: link)
        var cursor = message.attributes(after: 20)
        while let attribute = cursor.next() {
            if attribute.type == TCA_KIND { kind = attribute.text }
            if attribute.type == TCA_OPTIONS { options = attribute.payload.array }
        }
    }
}
