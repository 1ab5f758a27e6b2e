/// Work that an interface can take over from the stack, in the groups that `ethtool -K` knows by short names.
public enum LinkOffload: Hashable, Sendable, CaseIterable {
    /// `tso`: TCP segmentation.
    case tcpSegmentation
    /// `gso`: segmentation by the kernel, but late.
    case genericSegmentation
    /// `gro`: putting received segments together.
    case genericReceive
    /// `tx`: checksums of what is sent.
    case transmitChecksum
}
