import CPseudowireMNL

/// What `NLMSG_ERROR` and the `NLMSG_DONE` of a dump say about a request.
///
/// The attributes of the extended acknowledgement follow the echoed request, whose length depends on
/// `NLM_F_CAPPED`, or, in a DONE, directly the errno. Source: `net/netlink/af_netlink.c`, `netlink_ack`.
struct ExtendedAcknowledgement: Equatable {
    /// Zero for success, else a positive errno.
    var code: Int32
    /// The kernel's own words.
    var text: String?
    /// Where the attribute at fault begins, in bytes from the start of the request.
    var offset: UInt32?
    /// The type of an attribute that should have been there.
    var missingType: UInt32?
    /// Where the nest begins in which it is missing; absent for the top level.
    var missingNest: UInt32?
    /// What the attribute at fault should have been.
    var policy: AttributePolicy?

    /// Reads an `NLMSG_ERROR` or `NLMSG_DONE`; nil when it is too short to hold an errno.
    init?(_ message: borrowing Message) {
        guard let code = message.payload.integer(at: 0, as: Int32.self) else { return nil }
        self.code = code == .min ? .max : abs(code)
        guard message.flags & UInt16(NLM_F_ACK_TLVS) != 0 else { return }
        var start = 4
        if message.type == Int(NLMSG_ERROR) {
            if message.flags & UInt16(NLM_F_CAPPED) != 0 {
                start += Request.headerLength
            } else {
                guard let echoed = message.payload.integer(at: 4, as: UInt32.self) else { return }
                start += (Int(echoed) + 3) & ~3
            }
        }
        var cursor = AttributeCursor(message.payload, after: start)
        while let attribute = cursor.next() {
            switch attribute.type {
            case Int(NLMSGERR_ATTR_MSG.rawValue): text = attribute.text
            case Int(NLMSGERR_ATTR_OFFS.rawValue): offset = attribute.payload.integer(at: 0)
            case Int(NLMSGERR_ATTR_MISS_TYPE.rawValue): missingType = attribute.payload.integer(at: 0)
            case Int(NLMSGERR_ATTR_MISS_NEST.rawValue): missingNest = attribute.payload.integer(at: 0)
            case Int(NLMSGERR_ATTR_POLICY.rawValue): policy = AttributePolicy(attribute)
            default: continue
            }
        }
    }
}
