public import InternetAddress
import RouteNetlink

extension FourNamespaces {
    /// Builds the network in namespaces that `ip netns` shows as `<prefix>0` to `<prefix>3`, and that stay.
    ///
    /// ```swift
    /// try FourNamespaces.create(named: "pw-")     // ip netns exec pw-0 ping 192.0.1.103
    /// try FourNamespaces.delete(named: "pw-")
    /// ```
    ///
    /// A failure leaves nothing behind.
    ///
    /// - Throws: `TestbedError.refused` when one of the names is taken.
    @discardableResult
    public static func create(
        named prefix: String, underlayMTU: Int = 1500, innerMTU: Int = 1500
    ) throws(TestbedError) -> FourNamespaces {
        var made: [String] = []
        do {
            for name in names(prefix) {
                try create(name, prefix)
                made.append(name)
            }
            let network = try FourNamespaces.open(named: prefix)
            try network.build(underlayMTU: underlayMTU, innerMTU: innerMTU)
            return network
        } catch {
            for name in made { try? NetworkNamespace.delete(named: name) }
            throw error
        }
    }

    private static func create(_ name: String, _ prefix: String) throws(TestbedError) {
        do {
            try NetworkNamespace.create(named: name)
        } catch {
            guard error.isAlreadyPresent else { throw .netlink(error) }
            throw .refused(
                "network namespace \(name) exists already; choose another prefix than \"\(prefix)\", or delete it")
        }
    }

    /// Finds the network that `create(named:)` has made.
    ///
    /// - Throws: `TestbedError.refused` when one of the four is missing.
    public static func open(named prefix: String) throws(TestbedError) -> FourNamespaces {
        let names = names(prefix)
        do throws(NetlinkError) {
            return try FourNamespaces(
                host0: NetworkNamespace(named: names[0]), edge1: NetworkNamespace(named: names[1]),
                edge2: NetworkNamespace(named: names[2]), host3: NetworkNamespace(named: names[3]))
        } catch {
            guard error.isNotFound else { throw .netlink(error) }
            throw .refused("not all of the network namespaces \(names[0]) to \(names[3]) exist")
        }
    }

    /// Removes the names, and with them the network, unless somebody still works in it.
    ///
    /// Takes what there is of the four, so that it also cleans up after a creator that was killed.
    ///
    /// - Returns: the names that were removed.
    /// - Throws: `TestbedError.refused` when there is none of them.
    @discardableResult
    public static func delete(named prefix: String) throws(TestbedError) -> [String] {
        var deleted: [String] = []
        for name in names(prefix) {
            do {
                try NetworkNamespace.delete(named: name)
                deleted.append(name)
            } catch {
                if !error.isNotFound { throw .netlink(error) }
            }
        }
        guard !deleted.isEmpty else {
            throw .refused("there is no network namespace \(prefix)0 to \(prefix)3")
        }
        return deleted
    }

    /// `<prefix>0` to `<prefix>3`.
    public static func names(_ prefix: String) -> [String] { Place.allCases.map { "\(prefix)\($0.rawValue)" } }

    /// An interface of the network as it is now.
    public struct Interface: Hashable, Sendable {
        public let name: String
        /// The largest IP packet that it sends, in octets.
        public let mtu: Int
        /// It is up and has a carrier.
        public let isUp: Bool
        /// With the lengths of their networks; of both families, link-local ones included.
        public let addresses: [IPPrefix]
    }

    /// What interfaces a place has now, loopback left out.
    public borrowing func interfaces(of place: Place) throws(TestbedError) -> [Interface] {
        try withNamespace(place) { (namespace) throws(TestbedError) in
            try netlink { () throws(NetlinkError) in
                let client = try RouteClient(in: namespace)
                let addresses = try client.addresses.list()
                return try client.links.list().filter { !$0.flags.contains(.loopback) }.map { link in
                    Interface(
                        name: link.name, mtu: Int(link.mtu), isUp: link.operationalState == .up,
                        addresses: addresses.filter { $0.link == link.index }.map(\.prefix))
                }
            }
        }
    }
}
