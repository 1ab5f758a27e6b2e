internal import CPseudowireObject
internal import InternetAddress
internal import L2TP

extension PseudowireConfiguration {
    /// `PW_FLAG_*` of both directions, but for those that the control plane finds out or keeps for itself.
    var flags: UInt32 {
        let isIPv6 = tunnel.local.family == .v6
        var flags: UInt32 = 0
        func hold(_ isHeld: Bool, _ flag: some BinaryInteger) { if isHeld { flags |= UInt32(flag) } }
        hold(isIPv6, PW_FLAG_IPV6)
        hold(tunnel.encapsulation == .udp, PW_FLAG_UDP)
        hold(fillsUDPChecksum, PW_FLAG_UDP_CHECKSUM)
        hold(session.sublayer == .default, PW_FLAG_SUBLAYER)
        hold(session.sequencing.sends, PW_FLAG_SEQUENCE_SEND)
        hold(session.sequencing.receives, PW_FLAG_SEQUENCE_RECEIVE)
        hold(tunnel.portEntropy.sends, PW_FLAG_ENTROPY_SEND)
        hold(tunnel.portEntropy.receives, PW_FLAG_ENTROPY_RECEIVE)
        hold(isIPv6 && flowLabel == .auto, PW_FLAG_FLOW_LABEL)
        hold(dscp == .inherit, PW_FLAG_DSCP_INHERIT)
        hold(ecn == .normal, PW_FLAG_ECN)
        hold(clampsMSS, PW_FLAG_MSS_CLAMP)
        hold(repliesTooBig, PW_FLAG_TOO_BIG_REPLY)
        hold(oversize == .fragment, PW_FLAG_FRAGMENT_INNER)
        hold(oversize == .outer, PW_FLAG_FRAGMENT_OUTER)
        hold(!dontFragment, PW_FLAG_MAY_FRAGMENT)
        return flags
    }

    /// Takes over what flags alone tell; the opposite of ``flags``, where they are not told by something else.
    mutating func take(flags: UInt32) {
        func has(_ flag: some BinaryInteger) -> Bool { flags & UInt32(flag) != 0 }
        makesInterface = has(PW_FLAG_OWNS_ACCESS)
        session.sublayer = has(PW_FLAG_SUBLAYER) ? .default : .none
        session.sequencing = Direction(sends: has(PW_FLAG_SEQUENCE_SEND), receives: has(PW_FLAG_SEQUENCE_RECEIVE))
        tunnel.portEntropy = Direction(sends: has(PW_FLAG_ENTROPY_SEND), receives: has(PW_FLAG_ENTROPY_RECEIVE))
        // Without IPv6 the flag says nothing.
        flowLabel = has(PW_FLAG_FLOW_LABEL) || !has(PW_FLAG_IPV6) ? .auto : .zero
        if has(PW_FLAG_DSCP_INHERIT) { dscp = .inherit }
        ecn = has(PW_FLAG_ECN) ? .normal : .compatibility
        clampsMSS = has(PW_FLAG_MSS_CLAMP)
        repliesTooBig = has(PW_FLAG_TOO_BIG_REPLY)
        oversize = has(PW_FLAG_FRAGMENT_INNER) ? .fragment : has(PW_FLAG_FRAGMENT_OUTER) ? .outer : .drop
        dontFragment = !has(PW_FLAG_MAY_FRAGMENT)
    }
}
