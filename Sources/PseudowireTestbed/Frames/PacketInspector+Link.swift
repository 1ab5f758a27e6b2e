import InternetAddress
import L2TP

extension Inspection {
    mutating func ethernet(_ frame: ArraySlice<UInt8>, mtu: Int?) {
        guard require(14, frame, "Ethernet") else { return }
        let destination = frame.part(0, 6)
        let source = frame.part(6, 6)
        words.append("\(mac(source)) > \(mac(destination))")
        if source.byte(0) & 1 == 1 { fault("Ethernet", "the source \(mac(source)) is a group address") }
        if source.allSatisfy({ $0 == 0 }) { fault("Ethernet", "the source is 00:00:00:00:00:00") }

        tags = []
        var offset = 12
        while [0x8100, 0x88a8, 0x9100].contains(frame.half(offset)) {
            guard frame.count >= offset + 6 else {
                fault("VLAN", "the frame ends within a tag")
                return
            }
            let identifier = frame.half(offset + 2) % 4096
            let name = frame.half(offset) == 0x8100 ? "802.1Q" : frame.half(offset) == 0x88a8 ? "802.1ad" : "0x9100"
            if identifier == 4095 { fault("VLAN", "identifier 4095 is reserved") }
            tags.append("\(name) \(identifier)")
            words.append("\(name) \(identifier)")
            offset += 4
        }
        if let mtu, frame.count > offset + 2 + mtu {
            fault("Ethernet", "a frame of \(frame.count) octets exceeds the MTU of \(mtu), \(offset + 2 + mtu) in all")
        }
        mayBePadded = frame.count <= 60 + 4 * tags.count
        let payload = frame.dropFirst(offset + 2)
        switch frame.half(offset) {
        case 0x0800:
            if payload.byte(0) >> 4 == 4 { ip(payload) } else { wrongVersion(payload, 4) }
        case 0x86dd:
            if payload.byte(0) >> 4 == 6 { ip(payload) } else { wrongVersion(payload, 6) }
        case 0x0806: arp(payload)
        case 0x88cc: lldp(payload)
        case let length where length <= 1500:
            words.append("802.3, \(length) octets")
            if Int(length) > payload.count {
                fault("802.3", "claims \(length) octets, there are \(payload.count)")
            } else {
                _ = trim(payload, to: Int(length), "802.3")
            }
        case let type:
            words.append("type \(hex(type)), \(payload.count) octets")
            if type < 1536 { fault("Ethernet", "type \(hex(type)) is neither a length nor a type") }
        }
    }

    private mutating func wrongVersion(_ payload: ArraySlice<UInt8>, _ version: Int) {
        guard require(1, payload, "IPv\(version)") else { return }
        fault("IPv\(version)", "the frame's type says version \(version), the packet \(payload.byte(0) >> 4)")
    }

    private func mac(_ bytes: ArraySlice<UInt8>) -> String { MACAddress(bytes: bytes)?.description ?? "?" }

    private mutating func arp(_ bytes: ArraySlice<UInt8>) {
        guard require(28, bytes, "ARP") else { return }
        let message = trim(bytes, to: 28, "ARP")
        if message.full(0) != 0x0001_0800 || message.half(4) != 0x0604 {
            fault("ARP", "is not about IPv4 over Ethernet")
            return
        }
        let sender = address(message.part(14, 4))
        let target = address(message.part(24, 4))
        switch message.half(6) {
        case 1: words.append("ARP who has \(target) tell \(sender)")
        case 2: words.append("ARP \(sender) is at \(mac(message.part(8, 6)))")
        case let operation: fault("ARP", "operation \(operation) is neither request nor reply")
        }
        if message.byte(8) & 1 == 1 { fault("ARP", "the sender \(mac(message.part(8, 6))) is a group address") }
    }

    private mutating func lldp(_ bytes: ArraySlice<UInt8>) {
        words.append("LLDP")
        var rest = bytes
        var types: [UInt16] = []
        while true {
            guard require(2, rest, "LLDP") else { return }
            let type = rest.half(0) >> 9
            let length = Int(rest.half(0) % 512)
            guard require(2 + length, rest, "LLDP") else { return }
            rest = rest.dropFirst(2 + length)
            types.append(type)
            if type == 0 { break }
        }
        if !types.starts(with: [1, 2, 3]) { fault("LLDP", "does not begin with chassis, port and lifetime") }
        _ = trim(rest, to: 0, "LLDP")
    }

    /// Opens an L2TPv3 message, from the octet after the IP or the UDP header on.
    mutating func l2tp(_ bytes: ArraySlice<UInt8>, overUDP: Bool, _ pseudowire: PacketInspector.Pseudowire) {
        if !settings.allowsOuterTags, let tag = tags.first {
            fault("Ethernet", "the frame around a pseudowire's packet carries the tag \(tag)")
        }
        var rest = bytes
        if overUDP {
            guard require(4, rest, "L2TP") else { return }
            let flags = rest.half(0)
            if flags % 16 != 3 {
                fault("L2TP", "version \(flags % 16) is not 3")
                return
            }
            if flags >= 0x8000 {
                words.append("L2TPv3 control")
                return
            }
            if rest.full(0) != 3 << 16 { fault("L2TP", "reserved bits of \(hex(rest.full(0))) are set") }
            rest = rest.dropFirst(4)
        }
        guard require(4, rest, "L2TP") else { return }
        let session = rest.full(0)
        if session == 0 {
            if overUDP { fault("L2TP", "the session ID is zero") } else { words.append("L2TPv3 control") }
            return
        }
        words.append("L2TPv3 session \(session)")
        let cookie = Int(pseudowire.cookieLength.rawValue)
        guard require(4 + cookie, rest, "L2TP") else { return }
        if cookie > 0 {
            words.append("cookie")
            words.append(rest.part(4, cookie).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        }
        rest = rest.dropFirst(4 + cookie)
        if pseudowire.sublayer == .default {
            guard require(4, rest, "L2TP") else { return }
            let word = rest.full(0)
            rest = rest.dropFirst(4)
            if word >= 0x8000_0000 {
                words.append("control channel")
                return
            }
            if word & 0x3f00_0000 != 0 { fault("L2TP", "reserved bits of the sublayer \(hex(word)) are set") }
            let number = word % 0x100_0000
            if word & 0x4000_0000 != 0 {
                words.append("number \(number)")
            } else if number != 0 {
                fault("L2TP", "the sublayer \(hex(word)) has a number without S")
            }
        }
        innerFrame = Array(rest)
        words.append("|")
        isInner = true
        ethernet(rest, mtu: nil)
    }
}
