internal import SystemPackage

extension Links {
    /// Which offloads are on.
    public func offloads(_ index: LinkIndex) throws(NetlinkError) -> [LinkOffload: Bool] {
        let (socket, name) = try ethtool(index)
        var found: [LinkOffload: Bool] = [:]
        for offload in LinkOffload.allCases { found[offload] = try socket.get(offload, of: name) }
        return found
    }

    /// Switches offloads on or off. `EOPNOTSUPP` where the interface cannot do it.
    public func setOffloads(_ index: LinkIndex, _ wanted: [LinkOffload: Bool]) throws(NetlinkError) {
        let (socket, name) = try ethtool(index)
        // Segmentation depends on checksums: on in this order, off in the other, whatever the dictionary's.
        let order: [LinkOffload] = [.transmitChecksum, .genericSegmentation, .tcpSegmentation, .genericReceive]
        for offload in order.reversed() where wanted[offload] == false { try socket.set(offload, of: name, to: false) }
        for offload in order where wanted[offload] == true { try socket.set(offload, of: name, to: true) }
    }

    private func ethtool(_ index: LinkIndex) throws(NetlinkError) -> (EthtoolSocket, name: String) {
        guard let link = try get(index) else {
            throw NetlinkError(.noSuchDevice, "find link \(index)", object: .link)
        }
        if let socket = client.ethtool { return (socket, link.name) }
        let socket = try EthtoolSocket(in: client.namespace)
        client.ethtool = socket
        return (socket, link.name)
    }
}
