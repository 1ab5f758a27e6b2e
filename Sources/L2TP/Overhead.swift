public import InternetAddress

/// What a pseudowire adds to each frame, and the MTU it leaves for its customer.
///
/// ```swift
/// let overhead = Overhead(outer: .v4, encapsulation: .udp, cookieLength: .zero, sublayer: .default)
/// overhead.byteCount                       // 54, the inner Ethernet header included
/// overhead.pseudowireMTU(underlay: 1500)   // 1446
/// ```
///
/// All figures are octets. An MTU is the largest IP packet, as Linux counts it: without the Ethernet header. The
/// outer headers have no IP options and no extension headers. Checked against Linux's own answers.
public struct Overhead: Hashable, Sendable {
    /// The family of the outer addresses.
    public var outer: IPAddress.Family
    /// UDP takes 12 octets more than IP: its header, and the word of flags and version.
    public var encapsulation: Encapsulation
    /// Of the cookie that is sent, which the peer has chosen: 0, 4 or 8 octets.
    public var cookieLength: Cookie.Length
    /// The default one takes 4 octets, `none` none.
    public var sublayer: Sublayer
    /// VLAN tags that the customer's frames carry: 0…2, each takes 4 octets.
    public var innerTags: UInt8

    public init(
        outer: IPAddress.Family, encapsulation: Encapsulation, cookieLength: Cookie.Length, sublayer: Sublayer,
        innerTags: UInt8 = 0
    ) {
        self.outer = outer
        self.encapsulation = encapsulation
        self.cookieLength = cookieLength
        self.sublayer = sublayer
        self.innerTags = innerTags
    }

    /// Octets in front of the customer's frame, from the outer IP header on: what encapsulation prepends.
    public var prependedByteCount: Int {
        (outer == .v4 ? 20 : 40) + (encapsulation == .udp ? 8 : 0)
            + DataHeader.byteCount(encapsulation: encapsulation, cookieLength: cookieLength, sublayer: sublayer)
    }

    /// Octets that an underlay packet spends before the customer's IP header: also the inner Ethernet header and tags.
    public var byteCount: Int { prependedByteCount + 14 + 4 * Int(innerTags) }

    /// The largest inner IP packet that crosses an underlay of this MTU unfragmented; 0 when none does.
    public func pseudowireMTU(underlay: Int) -> Int {
        let (rest, overflow) = underlay.subtractingReportingOverflow(byteCount)
        return overflow ? 0 : max(0, rest)
    }

    /// The MTU that the underlay needs for inner IP packets of this size.
    public func underlayMTU(pseudowire: Int) -> Int {
        let (sum, overflow) = pseudowire.addingReportingOverflow(byteCount)
        return overflow ? .max : sum
    }
}
