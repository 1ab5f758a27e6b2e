internal import CPseudowireMNL
internal import InternetAddress

/// Address requests and replies as bytes. Source: `net/ipv4/devinet.c`, `net/ipv6/addrconf.c`.
enum AddressMessage {
    static let headerLength = 8

    static func change(
        _ type: Int, flags: Int32, _ prefix: IPPrefix, _ link: LinkIndex, _ addressFlags: AddressFlags = [],
        peer: IPAddress? = nil, scope: UInt8 = 0
    ) -> Request {
        var request = Request(type, flags: flags)
        // The header's field has eight bits; what does not fit goes into an attribute, and the field stays empty.
        let fits = addressFlags.rawValue <= 0xff
        request.header { header in
            header.append(UInt8(prefix.address.family == .v4 ? AF_INET : AF_INET6))
            header.append(prefix.length)
            header.append(fits ? UInt8(addressFlags.rawValue) : 0)
            header.append(scope)
            header.append(link.rawValue)
        }
        request.attribute(Int(IFA_LOCAL), prefix.address)
        if !fits { request.attribute(Int(IFA_FLAGS), addressFlags.rawValue) }
        request.attribute(Int(IFA_ADDRESS), peer ?? prefix.address)
        return request
    }

    static func list(on link: LinkIndex?) -> Request {
        var request = Request(RTM_GETADDR, flags: NLM_F_DUMP)
        request.header { header in
            header.append(UInt8(AF_UNSPEC))
            header.append(UInt8(0))
            header.append(UInt8(0))
            header.append(UInt8(0))
            header.append(link?.rawValue ?? 0)
        }
        return request
    }

    static func parse(_ message: borrowing Message) throws(MalformedMessage) -> InterfaceAddress? {
        guard message.type == Int(RTM_NEWADDR) else { return nil }
        try message.require(headerLength, "struct ifaddrmsg")
        var flags = UInt32(message.field(2, UInt8.self))
        var local: IPAddress?
        var address: IPAddress?
        var label: String?
        var attributes = message.attributes(after: headerLength)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Int(IFA_LOCAL): local = attribute.ipAddress
            case Int(IFA_ADDRESS): address = attribute.ipAddress
            case Int(IFA_LABEL): label = attribute.text
            case Int(IFA_FLAGS): flags = try attribute.integer()
            default: continue
            }
        }
        // IFA_LOCAL is the interface's; where it is absent (IPv6 without a peer) IFA_ADDRESS is.
        guard let own = local ?? address, let prefix = IPPrefix(own, length: message.field(1)) else { return nil }
        return InterfaceAddress(
            prefix: prefix, link: LinkIndex(rawValue: message.field(4)), peer: address == own ? nil : address,
            flags: AddressFlags(rawValue: flags), scope: message.field(3), label: label)
    }
}
