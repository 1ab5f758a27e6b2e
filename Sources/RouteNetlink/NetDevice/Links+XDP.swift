import SystemPackage

extension Links {
    /// What an interface's driver can do for XDP programs; nil where the kernel does not say (before Linux 6.3).
    ///
    /// Errors: `ENODEV` without such an interface.
    public func xdpFeatures(_ index: LinkIndex) throws(NetlinkError) -> XDPFeatures? {
        try client.netDeviceSocket()?.xdpFeatures(index)
    }

    /// The same of every interface of the namespace; nil where the kernel does not say.
    public func xdpFeatures() throws(NetlinkError) -> [LinkIndex: XDPFeatures]? {
        try client.netDeviceSocket()?.xdpFeatures()
    }

    /// What an interface's driver is called, as `virtio_net` or `veth`: what `ethtool -i` says.
    ///
    /// Asked by the interface's name, for want of a message that takes its index.
    /// Errors: `ENODEV` without such an interface; `EOPNOTSUPP` where its driver does not say.
    public func driver(named name: String) throws(NetlinkError) -> String {
        do throws(Errno) {
            return try client.socket.transport.driver(of: name).get()
        } catch {
            throw NetlinkError(error, "ask for the driver of \(name)", object: .link)
        }
    }
}

extension RouteClient {
    /// Opened when first needed; nil where the kernel has no such family.
    func netDeviceSocket() throws(NetlinkError) -> NetDeviceSocket? {
        if let netDevices { return netDevices }
        let socket = try genericSocket()
        do throws(NetlinkError) {
            let opened = try NetDeviceSocket(socket)
            netDevices = opened
            return opened
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
    }
}
