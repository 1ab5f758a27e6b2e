internal import InternetAddress
internal import RouteNetlink

/// What the kernel was asked for one survey: thousands of pseudowires share a few interfaces, addresses and peers.
final class SurveyCache {
    private let client: RouteClient
    private var links: [Link]?
    private var addresses: [IPAddress: [LinkIndex]]?
    private var routes: [IPAddress: Route?] = [:]
    private var protection: IPsecProtection?
    private var byName: [String: Link] = [:]
    private var byIndex: [LinkIndex: Link] = [:]
    let drivers: DriverSurvey

    init(_ client: RouteClient) {
        self.client = client
        drivers = DriverSurvey(client)
    }

    func allLinks() throws(NetlinkError) -> [Link] {
        if let links { return links }
        let list = try client.links.list()
        links = list
        for link in list {
            byName[link.name] = link
            byIndex[link.index] = link
        }
        return list
    }

    func link(named name: String) throws(NetlinkError) -> Link? {
        _ = try allLinks()
        // An alternative name is not in the list.
        if let known = byName[name] { return known }
        return try client.links.find(named: name)
    }

    func link(_ index: LinkIndex) throws(NetlinkError) -> Link? {
        _ = try allLinks()
        return byIndex[index]
    }

    /// The interfaces that have an address, in the kernel's order.
    func holders(of address: IPAddress) throws(NetlinkError) -> [LinkIndex] {
        if let addresses { return addresses[address] ?? [] }
        var found: [IPAddress: [LinkIndex]] = [:]
        for entry in try client.addresses.list() {
            let holders = found[entry.prefix.address] ?? []
            if !holders.contains(entry.link) { found[entry.prefix.address] = holders + [entry.link] }
        }
        addresses = found
        return found[address] ?? []
    }

    func route(to peer: IPAddress) throws(NetlinkError) -> Route? {
        if let known = routes[peer] { return known }
        let route = try client.routes.lookup(to: peer, from: nil)
        routes[peer] = .some(route)
        return route
    }

    func ipsecProtection() throws(NetlinkError) -> IPsecProtection {
        if let protection { return protection }
        let found = try IPsecProtection(client)
        protection = found
        return found
    }
}
