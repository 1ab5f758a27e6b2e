internal import InternetAddress
internal import L2TP

extension PseudowireConfiguration {
    /// What is wrong with which frames are carried and what is done to them.
    var faultsOfFrames: [ConfigurationFault] {
        var found: [ConfigurationFault] = []
        func fault(_ field: String, _ message: String) { found.append(ConfigurationFault(.usage, field, message)) }

        if case .id(let id, _) = vlan, !Self.vlanIDs.contains(id) { fault("vlan", Self.faultOfVLAN("\(id)")) }
        if case .rewrite(let id) = vlanTag, !Self.vlanIDs.contains(id) { fault("vlan-tag", Self.faultOfVLAN("\(id)")) }
        if vlanTag != .keep, !vlan.isTagged { fault("vlan-tag", Self.needsNumericVLAN(vlan)) }
        if let mtu, !Self.mtus.contains(mtu) {
            fault("mtu", "\(mtu) is less than any IP packet's; \(Self.mtus.lowerBound) to \(Self.mtus.upperBound)")
        }
        return found
    }

    /// What is wrong with the outer headers' options, some of which only one family or encapsulation has.
    var faultsOfOuterPackets: [ConfigurationFault] {
        var found: [ConfigurationFault] = []
        func fault(_ field: String, _ message: String) { found.append(ConfigurationFault(.usage, field, message)) }

        if session.sequencing != .none, session.sublayer == .none {
            fault("sequence", "\"\(session.sequencing.rawValue)\" needs a place for the number: --sublayer default")
        }
        if tunnel.encapsulation == .ip {
            if tunnel.portEntropy != .none { fault("port-entropy", Self.needsUDP) }
            if tunnel.udpChecksum != .auto { fault("udp-checksum", Self.needsUDP) }
        }
        let isIPv6 = tunnel.local.family == .v6
        if isIPv6, !dontFragment { fault("df", Self.needsIPv4) }
        if !isIPv6, flowLabel != .auto { fault("flow-label", Self.needsIPv6) }
        return found
    }

    static func faultOfVLAN(_ text: String) -> String {
        "\(text) is no VLAN; \(vlanIDs.lowerBound) to \(vlanIDs.upperBound)"
    }

    static func needsNumericVLAN(_ vlan: VLANSelection) -> String {
        "has no meaning with --vlan \(vlan); leave it out or give --vlan a number"
    }

    static let needsUDP = "has no meaning with --encap ip; leave it out or use --encap udp"
    static let needsIPv4 = "has no meaning over IPv6, whose packets no router fragments; leave it out"
    static let needsIPv6 = "has no meaning over IPv4, which has no flow label; leave it out"
}
