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
