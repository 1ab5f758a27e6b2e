import CPseudowireMNL
import SystemPackage

extension Links {
    /// Which offloads an interface has on; a group counts as on when one of its features is.
    ///
    /// Groups that are off and that the device cannot switch on are left out.
    public func offloads(_ index: LinkIndex) throws(NetlinkError) -> [LinkOffload: Bool] {
        let features = try client.ethtoolSocket().features(index)
        var offloads: [LinkOffload: Bool] = [:]
        for offload in LinkOffload.allCases {
            let isOn = features.active.contains(where: offload.includes)
            let isKnown = isOn || features.changeable.contains(where: offload.includes)
            if isKnown { offloads[offload] = isOn }
        }
        return offloads
    }

    /// The kernel's names of all single features, as `tx-tcp-segmentation`, of which a device has some.
    ///
    /// In the order of the kernel's bits; those without a name are left out.
    public func featureNames() throws(NetlinkError) -> [String] {
        try client.ethtoolSocket().featureNames().filter { !$0.isEmpty }
    }

    /// Switches offloads on or off, as `ethtool -K` does, and looks whether the driver obeyed.
    ///
    /// ```swift
    /// try client.links.setOffloads(index, [.tcpSegmentation: false, .transmitChecksum: false])
    /// ```
    ///
    /// Needs `CAP_NET_ADMIN`. Switching checksums off takes the segmentation that depends on them along: what is
    /// returned says so, feature by feature.
    ///
    /// - Throws: `EOPNOTSUPP`, naming the group, when it is not as asked afterwards.
    @discardableResult
    public func setOffloads(
        _ index: LinkIndex, _ offloads: [LinkOffload: Bool]
    ) throws(NetlinkError) -> FeatureChange {
        guard !offloads.isEmpty else { return FeatureChange() }
        let ethtool = try client.ethtoolSocket()
        let before = try ethtool.features(index)
        // Only what the device lets change: asking for the rest is reported as a failure.
        let wanted = offloads.flatMap { offload, isOn in
            before.changeable.filter(offload.includes).sorted().map { (name: $0, isOn: isOn) }
        }
        let change = wanted.isEmpty ? FeatureChange() : try ethtool.set(index, wanted)
        let after = try ethtool.features(index)
        for (offload, isOn) in offloads where after.isOn(offload) != isOn {
            throw NetlinkError(
                .notSupportedOnSocket, "set offloads of link \(index)", object: .link,
                message: "the driver keeps \(offload) \(isOn ? "off" : "on")")
        }
        return change
    }

    /// The single features of an interface.
    public func features(_ index: LinkIndex) throws(NetlinkError) -> LinkFeatures {
        try client.ethtoolSocket().features(index)
    }

    /// Switches single features by the kernel's names, and returns what became of it.
    ///
    /// What the driver refuses is no error: see `FeatureChange.refused`. Needs `CAP_NET_ADMIN`.
    ///
    /// - Throws: `EOPNOTSUPP`, "bit name not found", for a feature that the kernel does not know, `EINVAL` for one that
    ///   is `LinkFeatures.fixed`; then nothing is switched.
    @discardableResult
    public func setFeatures(_ index: LinkIndex, _ wanted: [String: Bool]) throws(NetlinkError) -> FeatureChange {
        guard !wanted.isEmpty else { return FeatureChange() }
        return try client.ethtoolSocket().set(index, wanted.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
}

extension RouteClient {
    /// Opened when first needed.
    func ethtoolSocket() throws(NetlinkError) -> EthtoolSocket {
        if let ethtool { return ethtool }
        let opened = try EthtoolSocket(try genericSocket())
        ethtool = opened
        return opened
    }
}
