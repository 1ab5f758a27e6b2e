import CPseudowireMNL
public import InternetAddress

/// Many changes that go to the kernel together, each with a result of its own.
///
/// ```swift
/// var batch = RouteBatch()
/// for network in networks { batch.add(Route(to: network, via: router)) }
/// for (network, result) in zip(networks, client.perform(batch)) {
///     if case .failure(let error) = result { print(network, error) }
/// }
/// ```
///
/// The kernel works in order and goes on after a failure: a batch is faster than its parts, not atomic. What answers
/// with an object of its own (creating a link, attaching a filter) is no part of a batch.
public struct RouteBatch {
    struct Entry {
        let request: Request
        let object: NetlinkObject
        let operation: () -> String
    }

    private(set) var entries: [Entry] = []

    public init() {}

    /// How many changes it holds.
    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }

    /// See `Routes.add(_:)`.
    public mutating func add(_ route: Route) {
        append(RouteRequest.change(Int(RTM_NEWROUTE), createNew, route), .route, "add route \(route)")
    }

    /// See `Routes.replace(_:)`.
    public mutating func replace(_ route: Route) {
        append(RouteRequest.change(Int(RTM_NEWROUTE), createOrReplace, route), .route, "replace route \(route)")
    }

    /// See `Routes.delete(_:)`.
    public mutating func delete(_ route: Route) {
        append(RouteRequest.change(Int(RTM_DELROUTE), 0, route), .route, "delete route \(route)")
    }

    /// See `Neighbors.add(_:)`.
    public mutating func add(_ neighbor: Neighbor) {
        append(
            NeighborRequest.change(createNew, neighbor), .neighbor,
            "add neighbor \(neighbor.address) on link \(neighbor.link)")
    }

    /// See `Neighbors.replace(_:)`.
    public mutating func replace(_ neighbor: Neighbor) {
        append(
            NeighborRequest.change(createOrReplace, neighbor), .neighbor,
            "replace neighbor \(neighbor.address) on link \(neighbor.link)")
    }

    /// See `Neighbors.delete(_:on:)`.
    public mutating func deleteNeighbor(_ address: IPAddress, on link: LinkIndex) {
        append(
            NeighborRequest.name(Int(RTM_DELNEIGH), address, link), .neighbor,
            "delete neighbor \(address) on link \(link)")
    }

    /// See `Addresses.add(_:to:flags:peer:scope:)`.
    public mutating func add(_ prefix: IPPrefix, to link: LinkIndex, flags: AddressFlags = []) {
        append(
            AddressRequest.change(
                Int(RTM_NEWADDR), createNew, prefix, link, flags: flags, peer: nil, scope: .universe),
            .address, "add address \(prefix) to link \(link)")
    }

    /// See `Addresses.delete(_:from:peer:)`.
    public mutating func delete(_ prefix: IPPrefix, from link: LinkIndex) {
        append(
            AddressRequest.change(Int(RTM_DELADDR), 0, prefix, link, flags: [], peer: nil, scope: .universe),
            .address, "delete address \(prefix) from link \(link)")
    }

    /// See `Links.update(_:_:)`.
    public mutating func update(_ index: LinkIndex, _ update: LinkUpdate) {
        append(LinkRequest.update(index, update), .link, "update link \(index)", link: index)
    }

    /// See `Links.delete(_:)`.
    public mutating func deleteLink(_ index: LinkIndex) {
        append(LinkRequest.delete(index), .link, "delete link \(index)", link: index)
    }

    private mutating func append(
        _ request: Request, _ object: NetlinkObject, _ operation: @escaping @autoclosure () -> String,
        link: LinkIndex? = nil
    ) {
        var request = request
        if link?.rawValue == 0 { request.refuse(.invalid("0 is no interface's index")) }
        entries.append(Entry(request: request, object: object, operation: operation))
    }
}

extension RouteClient {
    /// Sends a batch and returns one result for each of its changes, in order.
    ///
    /// It paces itself: at no time are more answers on their way than the socket has room for. If the kernel drops
    /// answers all the same, exactly the changes whose answers were lost fail with `isOutcomeUnknown`.
    public func perform(_ batch: RouteBatch) -> [Result<Void, NetlinkError>] {
        socket.perform(batch.entries)
    }
}
