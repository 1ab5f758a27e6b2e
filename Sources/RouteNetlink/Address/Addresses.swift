import CPseudowireMNL
public import InternetAddress
import SystemPackage

/// The addresses of a client's namespace.
///
/// ```swift
/// try client.addresses.add("192.0.2.1/24", to: index)
/// try client.addresses.add("2001:db8::1/64", to: index, flags: .noDuplicateDetection)
/// ```
public struct Addresses {
    let client: RouteClient

    /// Gives an interface an address, and by it a route to the address's network.
    ///
    /// The local route of an IPv6 address comes a moment later, from a work queue of the kernel's.
    ///
    /// - Throws: `isAlreadyPresent` when it has that address, `isNotFound` when there is no such interface.
    public func add(
        _ prefix: IPPrefix, to link: LinkIndex, flags: AddressFlags = [], peer: IPAddress? = nil,
        scope: Scope = .universe
    ) throws(NetlinkError) {
        try change(
            AddressRequest.change(Int(RTM_NEWADDR), createNew, prefix, link, flags: flags, peer: peer, scope: scope),
            "add address \(prefix) to link \(link)")
    }

    /// Gives an interface an address, or changes the properties of the one it has.
    ///
    /// The kernel changes the flags of IPv6 addresses only; an IPv4 one keeps those that it was added with.
    public func replace(
        _ prefix: IPPrefix, on link: LinkIndex, flags: AddressFlags = [], peer: IPAddress? = nil,
        scope: Scope = .universe
    ) throws(NetlinkError) {
        try change(
            AddressRequest.change(
                Int(RTM_NEWADDR), createOrReplace, prefix, link, flags: flags, peer: peer, scope: scope),
            "replace address \(prefix) on link \(link)")
    }

    /// Takes an address away; a point-to-point one needs its `peer`.
    ///
    /// - Throws: `isNotFound` when the interface does not have it.
    public func delete(_ prefix: IPPrefix, from link: LinkIndex, peer: IPAddress? = nil) throws(NetlinkError) {
        try change(
            AddressRequest.change(
                Int(RTM_DELADDR), 0, prefix, link, flags: [], peer: peer, scope: .universe),
            "delete address \(prefix) from link \(link)")
    }

    /// The IPv4 and IPv6 addresses of one interface, or of all.
    public func list(on link: LinkIndex? = nil) throws(NetlinkError) -> [InterfaceAddress] {
        let request = AddressRequest.list(on: link)
        let found = try client.socket.dump(request, .address, "list addresses") { message throws(MalformedMessage) in
            try InterfaceAddress(message)
        }
        guard let link else { return found }
        return found.filter { $0.link == link }
    }

    private func change(_ request: Request, _ operation: @autoclosure () -> String) throws(NetlinkError) {
        try client.socket.perform(request, .address, operation())
    }
}
