internal import InternetAddress
internal import L2TP
internal import RouteNetlink

/// A pseudowire's outer packets, one way, as a policy's selector sees them.
struct OuterFlow {
    let source: IPAddress
    let destination: IPAddress
    let `protocol`: UInt8
    /// Nil: any, since it is chosen for each flow inside.
    ///
    /// Protocol 115 has no ports, and selectors see zero there.
    let sourcePort: UInt16?
    let destinationPort: UInt16
    let interfaces: Set<LinkIndex>

    /// How many of the packets a policy is about.
    enum Fit {
        case none
        case part
        case whole
    }

    /// - Parameter direction: `output` or `input`.
    init(
        _ configuration: PseudowireConfiguration, _ direction: IPsecPolicy.Direction, _ interfaces: Set<LinkIndex>
    ) {
        let tunnel = configuration.tunnel
        let isUDP = tunnel.encapsulation == .udp
        let isOutput = direction == .output
        source = isOutput ? tunnel.local : tunnel.peer
        destination = isOutput ? tunnel.peer : tunnel.local
        `protocol` = isUDP ? 17 : 115
        let isAnyPort = isUDP && (isOutput ? tunnel.portEntropy.sends : tunnel.portEntropy.receives)
        sourcePort = isAnyPort ? nil : isUDP ? (isOutput ? tunnel.localPort : tunnel.peerPort) : 0
        destinationPort = isUDP ? (isOutput ? tunnel.peerPort : tunnel.localPort) : 0
        self.interfaces = interfaces
    }

    /// Our packets have no mark.
    func fit(_ policy: IPsecPolicy) -> Fit {
        let selector = policy.selector
        guard policy.mark == 0, selector.source.contains(source), selector.destination.contains(destination),
            selector.protocol == 0 || selector.protocol == `protocol`,
            (destinationPort ^ selector.destinationPort) & selector.destinationPortMask == 0
        else { return .none }
        var fit = Fit.whole
        if let sourcePort {
            guard (sourcePort ^ selector.sourcePort) & selector.sourcePortMask == 0 else { return .none }
        } else if selector.sourcePortMask != 0 {
            fit = .part
        }
        if let interface = selector.interface {
            guard interfaces.contains(interface) else { return .none }
            if interfaces.count > 1 { fit = .part }
        }
        return fit
    }
}
