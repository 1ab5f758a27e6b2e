internal import Pseudowire

extension Create {
    /// The words, not yet understood.
    var options: PseudowireOptions {
        var options = PseudowireOptions(name: name)
        options.access = access
        options.interface = interface
        options.encap = encap
        options.local = local
        options.peer = peer
        options.localPort = localPort
        options.peerPort = peerPort
        options.sessionID = sessionID
        options.peerSessionID = peerSessionID
        options.underlay = underlay
        options.sendCookie = sendCookie
        options.expectCookie = expectCookie
        options.sublayer = sublayer
        options.sequence = sequence
        options.vlan = vlan
        options.vlanProtocol = vlanProtocol
        options.vlanTag = vlanTag
        options.mtu = mtu
        options.oversize = oversize
        options.icmp = icmp
        options.mssClamp = mssClamp
        options.df = df
        options.udpChecksum = udpChecksum
        options.ttl = ttl
        options.dscp = dscp
        options.ecn = ecn
        options.flowLabel = flowLabel
        options.portEntropy = portEntropy
        options.offload = offload
        options.maxSessions = maxSessions
        return options
    }
}
