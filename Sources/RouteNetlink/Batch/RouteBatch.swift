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
    /// One change: where its request lies, and what it is called in an error.
    struct Entry {
        /// The bytes of its request; empty when it must not be sent.
        let range: Range<Int>
        let verb: StaticString
    }

    private(set) var entries: [Entry] = []
    /// The requests, one behind the other.
    private(set) var bytes: [UInt8] = []
    /// Why a change, by its place, must not be sent: rarely any.
    private(set) var refusals: [Int: NetlinkError] = [:]

    public init() {}

    /// How many changes it holds.
    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }

    /// See `Routes.add(_:)`.
    public mutating func add(_ route: Route) {
        append(RouteRequest.change(Int(RTM_NEWROUTE), createNew, route), "add")
    }

    /// See `Routes.replace(_:)`.
    public mutating func replace(_ route: Route) {
        append(RouteRequest.change(Int(RTM_NEWROUTE), createOrReplace, route), "replace")
    }

    /// See `Routes.delete(_:)`.
    public mutating func delete(_ route: Route) {
        append(RouteRequest.change(Int(RTM_DELROUTE), 0, route), "delete")
    }

    /// See `Neighbors.add(_:)`.
    public mutating func add(_ neighbor: Neighbor) {
        append(NeighborRequest.change(createNew, neighbor), "add")
    }

    /// See `Neighbors.replace(_:)`.
    public mutating func replace(_ neighbor: Neighbor) {
        append(NeighborRequest.change(createOrReplace, neighbor), "replace")
    }

    /// See `Neighbors.delete(_:on:)`.
    public mutating func deleteNeighbor(_ address: IPAddress, on link: LinkIndex) {
        append(NeighborRequest.name(Int(RTM_DELNEIGH), address, link), "delete")
    }

    /// See `Addresses.add(_:to:flags:peer:scope:)`.
    public mutating func add(_ prefix: IPPrefix, to link: LinkIndex, flags: AddressFlags = []) {
        append(
            AddressRequest.change(
                Int(RTM_NEWADDR), createNew, prefix, link, flags: flags, peer: nil, scope: .universe), "add")
    }

    /// See `Addresses.delete(_:from:peer:)`.
    public mutating func delete(_ prefix: IPPrefix, from link: LinkIndex) {
        append(
            AddressRequest.change(Int(RTM_DELADDR), 0, prefix, link, flags: [], peer: nil, scope: .universe), "delete")
    }

    /// See `Links.update(_:_:)`.
    public mutating func update(_ index: LinkIndex, _ update: LinkUpdate) {
        append(LinkRequest.update(index, update), "update", link: index)
    }

    /// See `Links.delete(_:)`.
    public mutating func deleteLink(_ index: LinkIndex) {
        append(LinkRequest.delete(index), "delete", link: index)
    }

    private mutating func append(_ request: consuming Request, _ verb: StaticString, link: LinkIndex? = nil) {
        if link?.rawValue == 0 { request.refuse(.invalid("0 is no interface's index")) }
        if let fault = request.fault {
            let subject = BatchSubject(request.bytes)
            refusals[entries.count] = NetlinkError(
                fault.errno, subject.operation(verb), object: subject.object, message: fault.message)
            entries.append(Entry(range: bytes.endIndex..<bytes.endIndex, verb: verb))
            return
        }
        let start = bytes.count
        bytes.append(contentsOf: request.bytes)
        entries.append(Entry(range: start..<bytes.count, verb: verb))
    }
}

extension RouteClient {
    /// Sends a batch and returns one result for each of its changes, in order.
    ///
    /// Up to 64 changes share one message to the kernel and one acknowledgement: those that it does not complain of
    /// were done. It paces itself: even if every change failed, no more answers are on their way than the socket has
    /// room for. If the kernel loses an answer all the same, it says so (`ENOBUFS`), and the changes of that message
    /// that it did not complain of fail with `isOutcomeUnknown`.
    public func perform(_ batch: RouteBatch) -> [Result<Void, NetlinkError>] {
        socket.perform(batch)
    }
}
