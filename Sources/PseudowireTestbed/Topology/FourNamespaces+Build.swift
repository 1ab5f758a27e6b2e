import Glibc
import InternetAddress
import RouteNetlink
import SystemPackage

extension FourNamespaces {
    /// Lays the cables, gives addresses, brings everything up and waits until it is.
    borrowing func build(underlayMTU: Int, innerMTU: Int) throws(TestbedError) {
        let underlayMTU = try Self.checked(mtu: underlayMTU)
        let innerMTU = try Self.checked(mtu: innerMTU)
        for place in Place.allCases {
            try withNamespace(place) { (namespace) throws(TestbedError) in try Self.silenceIPv6(in: namespace) }
        }
        // As every interface begins: not smaller than that, so that the pseudowire decides what fits.
        let accessMTU = max(innerMTU, 1500)
        try netlink { () throws(NetlinkError) in
            try Self.lay("veth01", innerMTU, in: host0, to: "veth10", accessMTU, in: edge1)
            try Self.lay("veth12", underlayMTU, in: edge1, to: "veth21", underlayMTU, in: edge2)
            try Self.lay("veth23", accessMTU, in: edge2, to: "veth32", innerMTU, in: host3)
        }
        for place in Place.allCases {
            try withNamespace(place) { (namespace) throws(TestbedError) in try Self.bringUp(place, in: namespace) }
        }
        for place in Place.allCases {
            try withNamespace(place) { (namespace) throws(TestbedError) in try Self.await(place, in: namespace) }
        }
    }

    /// One veth pair, both ends made where they belong in one request.
    private static func lay(
        _ name: String, _ mtu: UInt32, in namespace: borrowing NetworkNamespace, to peer: String, _ peerMTU: UInt32,
        in peerNamespace: borrowing NetworkNamespace
    ) throws(NetlinkError) {
        let descriptor = peerNamespace.fileDescriptor
        var specification = LinkSpecification.veth(name, peer: .init(name: peer, namespace: descriptor, mtu: peerMTU))
        specification.mtu = mtu
        _ = try RouteClient(in: namespace).links.create(specification)
    }

    private static func bringUp(_ place: Place, in namespace: borrowing NetworkNamespace) throws(TestbedError) {
        try netlink { () throws(NetlinkError) in
            let client = try RouteClient(in: namespace)
            for name in ["lo"] + place.interfaces {
                let link = try client.links.require(name)
                try client.links.update(link.index, LinkUpdate(isUp: true))
                guard name == place.addressedInterface else { continue }
                try client.addresses.add(place.prefix(.v4), to: link.index)
                try client.addresses.add(place.prefix(.v6), to: link.index, flags: [.noDuplicateDetection])
            }
        }
    }

    /// Waits for the carrier: until the kernel's link watcher has seen it, an interface that is up drops what it sends.
    private static func await(_ place: Place, in namespace: borrowing NetworkNamespace) throws(TestbedError) {
        let deadline = Deadline(after: .seconds(5))
        let client = try netlink { () throws(NetlinkError) in try RouteClient(in: namespace) }
        for name in place.interfaces {
            while true {
                let link = try netlink { () throws(NetlinkError) in try client.links.require(name) }
                if link.operationalState == .up { break }
                guard !deadline.hasPassed else { throw .refused("\(name) in \(place.name) got no carrier within 5 s") }
                usleep(1000)
            }
        }
    }

    /// Lets new interfaces of the namespace neither solicit routers nor look for duplicates of their addresses, and
    /// report their multicast groups at once instead of over the first seconds.
    ///
    /// That is for quiet captures and counters alone, so a system whose `/proc/sys` is read-only is none the worse.
    private static func silenceIPv6(in namespace: borrowing NetworkNamespace) throws(TestbedError) {
        try netlink { () throws(NetlinkError) in
            try namespace.run {
                let settings = [
                    ("router_solicitations", "0"), ("accept_dad", "0"), ("mldv2_unsolicited_report_interval", "1"),
                ]
                for (name, value) in settings {
                    // Which namespace's file this is depends on the thread that opens it.
                    let file = Glibc.open("/proc/sys/net/ipv6/conf/default/\(name)", O_WRONLY | O_CLOEXEC)
                    guard file >= 0 else { continue }
                    _ = write(file, value, value.utf8.count)
                    close(file)
                }
            }
        }
    }
}

extension Links {
    /// The interface with this name, which is there unless somebody took it away.
    func require(_ name: String) throws(NetlinkError) -> Link {
        if let link = try find(named: name) { return link }
        throw NetlinkError(
            Errno(rawValue: ENODEV), "find link \(name)", object: .link, message: "the test network is no longer whole")
    }
}
