/// Work that the driver does for the stack, as `ethtool -K` groups it.
public enum LinkOffload: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// `tso`: every feature whose name begins with `tx-tcp`.
    case tcpSegmentation
    /// `gso`: `tx-generic-segmentation`.
    case genericSegmentation
    /// `gro`: `rx-gro`.
    case genericReceive
    /// `tx`: every feature whose name begins with `tx-checksum-`.
    case transmitChecksum

    public var description: String { rawValue }

    /// Whether a feature of the kernel's (`netdev_features_strings`) belongs to this group.
    func includes(_ feature: String) -> Bool {
        switch self {
        case .tcpSegmentation: feature.hasPrefix("tx-tcp")
        case .genericSegmentation: feature == "tx-generic-segmentation"
        case .genericReceive: feature == "rx-gro"
        case .transmitChecksum: feature.hasPrefix("tx-checksum-")
        }
    }
}
