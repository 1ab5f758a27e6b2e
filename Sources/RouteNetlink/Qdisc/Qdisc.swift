import CPseudowireMNL

/// A queueing discipline of an interface.
public struct Qdisc: Hashable, Sendable {
    /// As `clsact`, `ingress`, `fq_codel`, `noqueue`.
    public var kind: String
    /// Its own number, major in the upper half.
    public var handle: UInt32
    /// What it hangs under: `0xffff_fff1` for clsact and ingress, `0xffff_ffff` for the root.
    public var parent: UInt32
    public var link: LinkIndex

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
        }
    }
}
