import CPseudowireMNL
import SystemPackage

/// The numbers that the kernel has given to a family of generic netlink, and to its multicast groups by name.
struct GenericFamily {
    let number: Int
    let groups: [String: UInt32]
}

extension NetlinkSocket {
    /// Asks for a family's numbers.
    ///
    /// Errors: `ENOENT` without such a family.
    func genericFamily(_ name: String) throws(NetlinkError) -> GenericFamily {
        var family: UInt16?
        var groups: [String: UInt32] = [:]
        let operation = "find netlink family \(name)"
        try perform(Request.genericFamily(name), .socket, operation) { message throws(MalformedMessage) in
            var cursor = message.attributes(after: 4)
            while let attribute = cursor.next() {
                switch attribute.type {
                case Int(CTRL_ATTR_FAMILY_ID): family = try attribute.integer()
                case Int(CTRL_ATTR_MCAST_GROUPS):
                    var list = attribute.attributes
                    while let group = list.next() {
                        var fields = group.attributes
                        var (name, number) = ("", UInt32(0))
                        while let field = fields.next() {
                            if field.type == Int(CTRL_ATTR_MCAST_GRP_NAME) { name = field.text }
                            if field.type == Int(CTRL_ATTR_MCAST_GRP_ID) { number = try field.integer() }
                        }
                        groups[name] = number
                    }
                default: continue
                }
            }
        }
        guard let family else {
            throw NetlinkError(.noSuchFileOrDirectory, operation, message: "no number in the answer")
        }
        return GenericFamily(number: Int(family), groups: groups)
    }
}

extension Request {
    /// Asks for the number of a family.
    static func genericFamily(_ name: String) -> Request {
        // GENL_ID_CTRL, the first number that is not reserved
        var request = Request(0x10)
        request.genericHeader(UInt8(CTRL_CMD_GETFAMILY))
        request.attribute(Int(CTRL_ATTR_FAMILY_NAME), name)
        return request
    }

    /// Appends `struct genlmsghdr`.
    mutating func genericHeader(_ command: UInt8) {
        header {
            $0.append(command)
            $0.append(UInt8(1))
            $0.append(UInt16(0))
        }
    }
}

extension RouteClient {
    /// The socket for generic netlink, which all its families share; opened when first needed.
    func genericSocket() throws(NetlinkError) -> NetlinkSocket {
        if let generic { return generic }
        let opened =
            if let script {
                NetlinkSocket(script.makeGenericTransport(), isRoute: false)
            } else {
                try NetlinkSocket(NETLINK_GENERIC, in: namespace)
            }
        generic = opened
        return opened
    }
}
