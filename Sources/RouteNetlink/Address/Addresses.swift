internal import CPseudowireMNL
public import InternetAddress

/// The addresses of the interfaces of a client's namespace.
///
/// ```swift
/// try client.addresses.add("192.0.2.1/24", to: link.index)
/// try client.addresses.add("2001:db8::1/64", to: link.index, flags: .noDuplicateDetection)
/// ```
///
/// Errors: `NetlinkError`; `isNotFound` is `EADDRNOTAVAIL`, `isAlreadyPresent` is `EEXIST`.
public struct Addresses {
    let client: RouteClient

    /// Gives an interface an address; fails if it has it.
    public func add(
        _ prefix: IPPrefix, to link: LinkIndex, flags: AddressFlags = [], peer: IPAddress? = nil, scope: UInt8 = 0
    ) throws(NetlinkError) {
        let request = AddressMessage.change(
            RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, prefix, link, flags, peer: peer, scope: scope)
        try client.socket.perform(request, .address, "add address \(prefix) to link \(link)")
    }

    /// Gives an interface an address; if it has it, changes its flags.
    public func replace(
        _ prefix: IPPrefix, on link: LinkIndex, flags: AddressFlags = [], peer: IPAddress? = nil, scope: UInt8 = 0
    ) throws(NetlinkError) {
        let request = AddressMessage.change(
            RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_REPLACE, prefix, link, flags, peer: peer, scope: scope)
        try client.socket.perform(request, .address, "replace address \(prefix) on link \(link)")
    }

    /// Takes an address from an interface.
    public func delete(_ prefix: IPPrefix, from link: LinkIndex) throws(NetlinkError) {
        let request = AddressMessage.change(RTM_DELADDR, flags: 0, prefix, link)
        try client.socket.perform(request, .address, "delete address \(prefix) from link \(link)")
    }

    /// The addresses of one interface, or of all.
    public func list(on link: LinkIndex? = nil) throws(NetlinkError) -> [InterfaceAddress] {
        try client.socket.dump(
            AddressMessage.list(on: link), .address, "list addresses", parse: AddressMessage.parse)
    }
}
