import CPseudowireMNL

/// Numbers of `linux/xfrm.h`, whose header clashes with the C library's.
enum IPsecMessage {
    static let newPolicy = 0x13
    static let getPolicy = 0x15
    static let getDefault = 0x28

    static let templates = 5
    static let policyType = 16
    static let mark = 21
    static let interfaceID = 31

    /// Bytes of `struct xfrm_userpolicy_info`.
    static let policyLength = 168
    /// Bytes of `struct xfrm_user_tmpl`.
    static let templateLength = 64
    /// `XFRM_POLICY_TYPE_SUB`.
    static let subPolicy: UInt8 = 1
    /// `XFRM_USERPOLICY_BLOCK`.
    static let block: UInt8 = 1
}

/// The requests about IPsec policies, as bytes.
enum IPsecRequest {
    static func list() -> Request { Request(IPsecMessage.getPolicy, flags: NLM_F_DUMP_FLAGS) }

    static func defaults() -> Request {
        var request = Request(IPsecMessage.getDefault)
        // struct xfrm_userpolicy_default: an answer's fields.
        request.header { for _ in 0..<3 { $0.append(UInt8(0)) } }
        return request
    }
}

extension IPsecPolicy {
    /// Reads an `XFRM_MSG_NEWPOLICY` of IPv4 or IPv6; nil for anything else.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == IPsecMessage.newPolicy else { return nil }
        try message.require(IPsecMessage.policyLength, "xfrm_userpolicy_info")
        guard let selector = try IPsecSelector(message) else { return nil }
        self.init(
            selector, Direction(rawValue: message.field(160)), action: Action(rawValue: message.field(161)),
            priority: message.field(152))
        var cursor = message.attributes(after: IPsecMessage.policyLength)
        while let attribute = cursor.next() {
            switch attribute.type {
            case IPsecMessage.templates:
                templateCount = attribute.payload.byteCount / IPsecMessage.templateLength
            case IPsecMessage.policyType: isSubPolicy = attribute.payload.integer(at: 0) == IPsecMessage.subPolicy
            case IPsecMessage.mark:
                guard let value: UInt32 = attribute.payload.integer(at: 0),
                    let mask: UInt32 = attribute.payload.integer(at: 4)
                else { throw MalformedMessage(what: "xfrm_mark has \(attribute.payload.byteCount) bytes") }
                mark = value
                markMask = mask
            case IPsecMessage.interfaceID: interfaceID = try attribute.integer()
            default: continue
            }
        }
    }
}

extension IPsecDefaults {
    /// Reads an `XFRM_MSG_GETDEFAULT`; nil for anything else.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == IPsecMessage.getDefault else { return nil }
        try message.require(3, "xfrm_userpolicy_default")
        blocksInput = message.field(0, UInt8.self) == IPsecMessage.block
        blocksForward = message.field(1, UInt8.self) == IPsecMessage.block
        blocksOutput = message.field(2, UInt8.self) == IPsecMessage.block
    }
}
