/// The way of a frame through an interface, as the host sees it.
public enum TrafficDirection: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// Received by the interface.
    case ingress
    /// Sent by the interface.
    case egress

    public var description: String { rawValue }

    /// `TC_H_MIN_INGRESS` or `TC_H_MIN_EGRESS` under clsact.
    var parent: UInt32 { self == .ingress ? 0xffff_fff2 : 0xffff_fff3 }
}

/// A place for filters: one direction of one interface that has a clsact.
public struct TrafficHook: Hashable, Sendable, CustomStringConvertible {
    public var link: LinkIndex
    /// Which of the two hooks of the clsact it is.
    public var direction: TrafficDirection

    public init(link: LinkIndex, direction: TrafficDirection) {
        self.link = link
        self.direction = direction
    }

    public var description: String { "link \(link) \(direction)" }
}
