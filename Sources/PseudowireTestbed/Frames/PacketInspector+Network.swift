import InternetAddress

extension Inspection {
    mutating func ip(_ bytes: ArraySlice<UInt8>) {
        guard require(1, bytes, "IP") else { return }
        switch bytes.byte(0) >> 4 {
        case 4: ipv4(bytes)
        case 6: ipv6(bytes)
        case let version: fault("IP", "version \(version) is neither 4 nor 6")
        }
    }

    func address(_ bytes: ArraySlice<UInt8>) -> String { IPAddress(bytes: bytes)?.description ?? "?" }

    private mutating func ipv4(_ bytes: ArraySlice<UInt8>) {
        guard require(20, bytes, "IPv4") else { return }
        let header = Int(bytes.byte(0) % 16) * 4
        guard header >= 20 else {
            fault("IPv4", "a header of \(header) octets is too short")
            return
        }
        guard require(header, bytes, "IPv4") else { return }
        checksum("IPv4", bytes.prefix(header), field: 10)
        words.append("IPv4 \(address(bytes.part(12, 4))) > \(address(bytes.part(16, 4)))")
        options("IPv4", bytes.part(20, header - 20))
        commonChecks("IPv4", hopLimit: bytes.byte(8), source: bytes.part(12, 4))
        let total = Int(bytes.half(2))
        guard (header...max(header, bytes.count)).contains(total) else {
            fault("IPv4", "the length claims \(total) octets, there are \(bytes.count), \(header) of them header")
            return
        }
        let payload = trim(bytes, to: total, "IPv4").dropFirst(header)
        let word = bytes.half(6)
        if word >= 0x8000 { fault("IPv4", "the reserved flag is set") }
        let isLast = word & 0x2000 == 0
        let offset = Int(word % 0x2000) * 8
        let carrier = PseudoHeader(
            source: bytes.part(12, 4), destination: bytes.part(16, 4), protocolNumber: bytes.byte(9))
        if offset > 0 || !isLast {
            if word & 0x4000 != 0 { fault("IPv4", "a fragment says that it must not be one") }
            fragment("IPv4", offset: offset, isLast: isLast, payload)
        } else {
            transport(payload, carrier, isIPv4: true, hopLimit: bytes.byte(8))
        }
    }

    private mutating func ipv6(_ bytes: ArraySlice<UInt8>) {
        guard require(40, bytes, "IPv6") else { return }
        words.append("IPv6 \(address(bytes.part(8, 16))) > \(address(bytes.part(24, 16)))")
        commonChecks("IPv6", hopLimit: bytes.byte(7), source: bytes.part(8, 16))
        let length = Int(bytes.half(4))
        guard length <= bytes.count - 40 else {
            fault("IPv6", "the length claims \(length) octets, there are \(bytes.count - 40)")
            return
        }
        var rest = trim(bytes, to: 40 + length, "IPv6").dropFirst(40)
        var next = bytes.byte(6)
        var isFirst = true
        while [0, 43, 44, 60].contains(next) {
            guard require(8, rest, "IPv6 extension header \(next)") else { return }
            if next == 0, !isFirst { fault("IPv6", "hop-by-hop options are not the first extension header") }
            isFirst = false
            if next == 44 {
                let offset = Int(rest.half(2) / 8) * 8
                let isLast = rest.half(2) % 2 == 0
                // An "atomic" fragment is a whole packet: what it carries is checked like any other.
                if offset > 0 || !isLast {
                    fragment("IPv6", offset: offset, isLast: isLast, rest.dropFirst(8))
                    return
                }
                next = rest.byte(0)
                rest = rest.dropFirst(8)
                continue
            }
            let size = 8 + 8 * Int(rest.byte(1))
            guard require(size, rest, "IPv6 extension header \(next)") else { return }
            if next != 43 { paddingOptions(rest.part(2, size - 2), "IPv6 extension header \(next)") }
            next = rest.byte(0)
            rest = rest.dropFirst(size)
        }
        let carrier = PseudoHeader(source: bytes.part(8, 16), destination: bytes.part(24, 16), protocolNumber: next)
        transport(rest, carrier, isIPv4: false, hopLimit: bytes.byte(7))
    }

    private mutating func commonChecks(_ layer: String, hopLimit: UInt8, source: ArraySlice<UInt8>) {
        if hopLimit == 0 { fault(layer, layer == "IPv4" ? "the time to live is 0" : "the hop limit is 0") }
        guard let address = IPAddress(bytes: source) else { return }
        if address.isMulticast || address.isBroadcast { fault(layer, "the source \(address) is a group address") }
        if address.isIPv4Mapped { fault(layer, "the source \(address) is never seen on a wire") }
    }

    private mutating func fragment(_ layer: String, offset: Int, isLast: Bool, _ payload: ArraySlice<UInt8>) {
        words.append("fragment \(offset)+\(payload.count)\(isLast ? "" : ", more follow")")
        if !isLast, payload.count % 8 != 0 {
            fault(layer, "a fragment of \(payload.count) octets is not the last and no multiple of 8")
        }
        if payload.isEmpty { fault(layer, "a fragment is empty") }
        if offset + payload.count > 65535 { fault(layer, "a fragment ends beyond 65535 octets") }
    }

    /// Kind, length, value, as in IPv4 and TCP; kinds 0 and 1 are single octets.
    mutating func options(_ layer: String, _ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while let kind = rest.first {
            if kind == 0 { return }
            if kind == 1 {
                rest = rest.dropFirst()
                continue
            }
            let length = Int(rest.byte(1))
            guard length >= 2, length <= rest.count else {
                fault(layer, "option \(kind) claims \(length) octets, there are \(rest.count)")
                return
            }
            rest = rest.dropFirst(length)
        }
    }

    /// Type, length of the value, value, as in IPv6; type 0 is a single octet.
    private mutating func paddingOptions(_ bytes: ArraySlice<UInt8>, _ layer: String) {
        var rest = bytes
        while let type = rest.first {
            let length = type == 0 ? 1 : 2 + Int(rest.byte(1))
            guard length <= rest.count, type == 0 || rest.count >= 2 else {
                fault(layer, "option \(type) claims \(length) octets, there are \(rest.count)")
                return
            }
            rest = rest.dropFirst(length)
        }
    }
}
