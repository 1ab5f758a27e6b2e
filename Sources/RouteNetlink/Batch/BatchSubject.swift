import CPseudowireMNL

/// What a request of a batch is about, read back from its bytes: a name is wanted only when something fails.
struct BatchSubject {
    let object: NetlinkObject
    private let name: String

    init(_ request: [UInt8]) {
        let span = request.span
        var cursor = MessageCursor(span.bytes)
        guard let message = cursor.next() else {
            (object, name) = (.socket, "something")
            return
        }
        // Types come in fours: new, delete, get, set. The readers know the first.
        let type = message.type & ~3
        let present = Message(
            type: type, flags: message.flags, sequence: message.sequence, portID: message.portID,
            payload: message.payload)
        switch type {
        case Int(RTM_NEWROUTE):
            object = .route
            name = "route" + ((try? Route(present)).flatMap { $0 }.map { " \($0)" } ?? "")
        case Int(RTM_NEWNEIGH):
            object = .neighbor
            name =
                "neighbor" + ((try? Neighbor(present)).flatMap { $0 }.map { " \($0.address) on link \($0.link)" } ?? "")
        case Int(RTM_NEWADDR):
            object = .address
            name =
                "address"
                + ((try? InterfaceAddress(present)).flatMap { $0 }.map { " \($0.prefix) on link \($0.link)" } ?? "")
        default:
            object = .link
            name = "link \(message.field(4, UInt32.self))"
        }
    }

    /// The verb and the object, as `add route 192.0.2.0/24 dev 3`.
    func operation(_ verb: StaticString) -> String { "\(verb) \(name)" }
}
