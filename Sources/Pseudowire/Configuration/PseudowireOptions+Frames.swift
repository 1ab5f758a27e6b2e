internal import InternetAddress
internal import L2TP

/// The options about frames and outer packets, each written into a configuration that has the defaults.
///
/// What was misunderstood, or has no place beside other options, keeps its default: one reason is enough for one
/// option.
extension PseudowireOptions {
    /// An interface that is there, or one to be made: one of the two.
    func readAccess(_ reader: inout Reader) {
        if access != nil, interface != nil {
            reader.fault("interface", "makes an interface, --access names one that is there; one of them, not both")
        } else if access == nil, interface == nil {
            reader.fault(
                "access", "is missing; the interface whose frames are to be carried, or --interface to make one")
        }
    }

    func readFrames(_ reader: inout Reader, _ configuration: inout PseudowireConfiguration) {
        let ids =
            UInt64(PseudowireConfiguration.vlanIDs.lowerBound)...UInt64(PseudowireConfiguration.vlanIDs.upperBound)
        let kind: PseudowireConfiguration.VLANProtocol? = reader.choice("vlan-protocol", vlanProtocol)
        let id = reader.number("vlan", vlan, orOneOf: ["any", "none"], ids)
        if let id { configuration.vlan = .id(UInt16(id), kind ?? .customer) }
        if vlan == "none" { configuration.vlan = .none }
        let tag = reader.number("vlan-tag", vlanTag, orOneOf: ["keep", "strip"], ids)
        if id != nil {
            if let tag { configuration.vlanTag = .rewrite(UInt16(tag)) }
            if vlanTag == "strip" { configuration.vlanTag = .strip }
        } else if !reader.isFaulty("vlan") {
            for (field, value) in [("vlan-protocol", vlanProtocol), ("vlan-tag", vlanTag)]
            where value != nil && !reader.isFaulty(field) {
                reader.fault(field, PseudowireConfiguration.needsNumericVLAN(configuration.vlan))
            }
        }
        let mtus = UInt64(PseudowireConfiguration.mtus.lowerBound)...UInt64(PseudowireConfiguration.mtus.upperBound)
        configuration.mtu = reader.number("mtu", mtu, orOneOf: ["auto"], mtus).map(UInt16.init)
        configuration.oversize = reader.choice("oversize", oversize) ?? .fragment
        configuration.repliesTooBig = reader.toggle("icmp", icmp) ?? true
        configuration.clampsMSS = reader.toggle("mss-clamp", mssClamp) ?? true
    }

    func readMarking(_ reader: inout Reader, _ configuration: inout PseudowireConfiguration) {
        if dscp == "inherit" {
            configuration.dscp = .inherit
        } else if let value = reader.number("dscp", dscp, orOneOf: ["inherit"], 0...63) {
            configuration.dscp = .fixed(UInt8(value))
        }
        configuration.ecn = reader.choice("ecn", ecn) ?? .compatibility
    }

    /// The options that only one family of outer addresses has; nil if neither address could be read.
    func readFamily(
        _ reader: inout Reader, _ configuration: inout PseudowireConfiguration, _ family: IPAddress.Family?
    ) {
        let label: PseudowireConfiguration.FlowLabel? = reader.choice("flow-label", flowLabel)
        let forbids = reader.toggle("df", df, "set", "clear")
        switch family {
        case .v4:
            if label != nil { reader.fault("flow-label", PseudowireConfiguration.needsIPv6) }
            if forbids == true, configuration.oversize == .outer {
                reader.fault("df", "\"set\" forbids the fragments that --oversize outer makes; leave it out")
            }
            configuration.dontFragment = forbids ?? true
        case .v6:
            if forbids != nil { reader.fault("df", PseudowireConfiguration.needsIPv4) }
            configuration.flowLabel = label ?? .auto
        case nil: break
        }
        // Of which family the stand-ins are says nothing.
        if family != configuration.tunnel.local.family {
            configuration.oversize = .fragment
            configuration.dontFragment = true
            configuration.flowLabel = .auto
        }
    }
}
