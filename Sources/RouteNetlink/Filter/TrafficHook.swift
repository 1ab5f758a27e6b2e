/// One of clsact's two places on an interface.
public struct TrafficHook: Hashable, Sendable {
    public var link: LinkIndex
    public var direction: TrafficDirection

    public init(link: LinkIndex, direction: TrafficDirection) {
        self.link = link
        self.direction = direction
    }

    /// The hook as a filter's parent: `TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)` or `…EGRESS`.
    var parent: UInt32 {
        switch direction {
        case .ingress: 0xffff_fff2
        case .egress: 0xffff_fff3
        }
    }
}

/// Which way a frame goes.
public enum TrafficDirection: String, Hashable, Sendable {
    /// Into this machine.
    case ingress
    /// Out of it.
    case egress
}
