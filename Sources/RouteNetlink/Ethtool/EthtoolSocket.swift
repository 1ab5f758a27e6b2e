import CPseudowireMNL
import SystemPackage

/// The `ethtool` family of generic netlink (features: Linux 5.8).
final class EthtoolSocket {
    private let socket: NetlinkSocket
    private let family: Int

    init(_ socket: NetlinkSocket) throws(NetlinkError) {
        self.socket = socket
        family = try socket.genericFamily("ethtool").number
    }

    /// The names of all features that the kernel knows, in the order of its bits.
    func featureNames() throws(NetlinkError) -> [String] {
        var names: [String] = []
        let request = EthtoolRequest.strings(family, 4)  // ETH_SS_FEATURES
        try socket.perform(request, .link, "read the names of features") { message throws(MalformedMessage) in
            names = try LinkFeatures.strings(message)
        }
        return names
    }

    /// Which features a link has on, and which of them can be changed.
    func features(_ link: LinkIndex) throws(NetlinkError) -> LinkFeatures {
        var features = LinkFeatures()
        let request = EthtoolRequest.features(family, .index(link))
        try socket.perform(request, .link, "read offloads of link \(link)") { message in
            features = LinkFeatures(message)
        }
        return features
    }

    /// Switches features by name, and returns what the kernel says became of it.
    func set(_ link: LinkIndex, _ wanted: [(name: String, isOn: Bool)]) throws(NetlinkError) -> FeatureChange {
        var change = FeatureChange()
        let request = EthtoolRequest.set(family, .index(link), wanted)
        try socket.perform(request, .link, "set offloads of link \(link)") { message in
            change = FeatureChange(message)
        }
        return change
    }
}
