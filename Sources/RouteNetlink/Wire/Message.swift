import CPseudowireMNL

/// One message of a datagram, lent from the receive buffer.
struct Message: ~Escapable {
    let type: Int
    let flags: UInt16
    let sequence: UInt32
    let portID: UInt32
    /// What follows `struct nlmsghdr`.
    let payload: RawSpan

    @_lifetime(copy payload)
    init(type: Int, flags: UInt16, sequence: UInt32, portID: UInt32, payload: RawSpan) {
        self.type = type
        self.flags = flags
        self.sequence = sequence
        self.portID = portID
        self.payload = payload
    }

    /// The attributes behind a family header of `headerLength` bytes.
    @_lifetime(copy self)
    func attributes(after headerLength: Int) -> AttributeCursor {
        AttributeCursor(payload, after: (headerLength + 3) & ~3)
    }

    /// Refuses a payload that is too short to hold its family header.
    func require(_ headerLength: Int, _ name: StaticString) throws(MalformedMessage) {
        guard payload.byteCount >= headerLength else {
            throw MalformedMessage(what: "\(name) has \(payload.byteCount) bytes where \(headerLength) belong")
        }
    }

    /// An integer of the family header; zero beyond the end, which `require` has excluded.
    func field<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: T.Type = T.self) -> T {
        payload.integer(at: offset, as: T.self) ?? 0
    }
}

/// Walks the messages of one datagram; ends at the first that does not fit.
struct MessageCursor: ~Escapable {
    private let bytes: RawSpan
    private var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    @_lifetime(copy self)
    mutating func next() -> Message? {
        let header = Request.headerLength
        guard let length = bytes.integer(at: offset, as: UInt32.self),
            let type = bytes.integer(at: offset + 4, as: UInt16.self),
            let flags = bytes.integer(at: offset + 6, as: UInt16.self),
            let sequence = bytes.integer(at: offset + 8, as: UInt32.self),
            let portID = bytes.integer(at: offset + 12, as: UInt32.self),
            length >= UInt32(header), Int(length) <= bytes.byteCount - offset
        else { return nil }
        let payload = bytes.extracting(offset + header..<offset + Int(length))
        offset += (Int(length) + 3) & ~3
        return Message(type: Int(type), flags: flags, sequence: sequence, portID: portID, payload: payload)
    }
}
