import CPseudowireMNL

/// One VLAN, or several in a row, of a bridge's port or of the bridge itself.
///
/// ```swift
/// try client.links.update(bridge, LinkUpdate(bridge: BridgeSettings(vlanFiltering: true)))
/// try client.links.addVLAN(BridgeVLAN(10, isDefault: true, isUntagged: true), to: port)
/// try client.links.addVLAN(BridgeVLAN(20...29), to: port)
/// ```
///
/// For a kernel with `BRIDGE_VLAN_FILTERING`. Source: `net/bridge/br_netlink.c`.
public struct BridgeVLAN: Hashable, Sendable {
    /// 1…4094.
    public var range: ClosedRange<UInt16>
    /// Whether frames that arrive without a tag belong to it; one VLAN of a port, not a row, can be that.
    ///
    /// The corresponding C constant is `BRIDGE_VLAN_INFO_PVID`.
    public var isDefault: Bool
    /// Whether its frames leave without a tag.
    ///
    /// The corresponding C constant is `BRIDGE_VLAN_INFO_UNTAGGED`.
    public var isUntagged: Bool

    public init(_ range: ClosedRange<UInt16>, isDefault: Bool = false, isUntagged: Bool = false) {
        self.range = range
        self.isDefault = isDefault
        self.isUntagged = isUntagged
    }

    public init(_ id: UInt16, isDefault: Bool = false, isUntagged: Bool = false) {
        self.init(id...id, isDefault: isDefault, isUntagged: isUntagged)
    }
}

extension Links {
    /// Lets a port of a bridge have a VLAN; or the bridge itself, with `isBridge`, whose stack then takes part.
    ///
    /// One that is there already gets the new properties.
    ///
    /// - Throws: `EOPNOTSUPP` when the interface has no bridge as its master, or the kernel no VLANs for bridges.
    public func addVLAN(_ vlan: BridgeVLAN, to port: LinkIndex, isBridge: Bool = false) throws(NetlinkError) {
        try client.socket.perform(
            BridgeVLANRequest.change(Int(RTM_SETLINK), vlan, port, isBridge: isBridge), .link,
            "add VLAN \(vlan) to link \(port)")
    }

    /// Takes a VLAN from a port of a bridge, or from the bridge itself; one that is not there is no error.
    ///
    /// - Throws: as `addVLAN(_:to:isBridge:)`.
    public func deleteVLAN(_ vlan: BridgeVLAN, from port: LinkIndex, isBridge: Bool = false) throws(NetlinkError) {
        var vlan = vlan
        // Only the numbers count.
        (vlan.isDefault, vlan.isUntagged) = (false, false)
        try client.socket.perform(
            BridgeVLANRequest.change(Int(RTM_DELLINK), vlan, port, isBridge: isBridge), .link,
            "delete VLAN \(vlan) from link \(port)")
    }

    /// The VLANs of all bridges and their ports that have any, in a row where they agree.
    public func listVLANs() throws(NetlinkError) -> [LinkIndex: [BridgeVLAN]] {
        let found = try client.socket.dump(BridgeVLANRequest.list(), .link, "list VLANs of bridges") {
            message throws(MalformedMessage) in try BridgeVLANRequest.read(message)
        }
        return Dictionary(found.map { ($0.link, $0.vlans) }, uniquingKeysWith: +)
    }
}

extension BridgeVLAN: CustomStringConvertible {
    public var description: String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }
}
