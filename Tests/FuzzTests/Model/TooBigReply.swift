/// The message that tells a customer's host that its packet does not fit.
///
/// Sources: RFC 792 and RFC 1191 (IPv4), RFC 4443 (IPv6), RFC 1122, section 3.2.2 (who gets none).
struct TooBigReply {
    let frame: CustomerFrame
    let packet: CustomerFrame.Packet
    /// The largest packet that would have fitted.
    let mtu: Int

    /// Octets of the packet that an IPv4 message has room for if it is to be understood everywhere (576 in all).
    private static let quotedOfIPv4 = 548
    /// The least that IPv4 asks for.
    private static let leastQuotedOfIPv4 = 28
    /// The same of IPv6, whose packets may have 1280 octets everywhere.
    private static let quotedOfIPv6 = 1232

    private var octets: ArraySlice<UInt8> { frame.octets[packet.offset...] }

    /// The frame that goes back, without its outermost tag; nil if nobody must be told.
    var reply: [UInt8]? {
        guard isDeserved, let message = packet.isIPv6 ? messageOfIPv6 : messageOfIPv4 else { return nil }
        return frame.octets[6..<12] + frame.octets[..<6]
            + frame.untagged[12..<(frame.payload - (frame.tagCount > 0 ? 4 : 0))]
            + message
    }

    /// Not for what was sent to many or came from nobody, nor for later fragments, nor for error messages.
    private var isDeserved: Bool {
        let place = packet.offset
        if frame.octets[0] & 1 != 0 || frame.octets[6] & 1 != 0 { return false }
        if packet.isIPv6 {
            let source = frame.octets[(place + 8)..<(place + 24)]
            if source.first == 0xff || frame.octets[place + 24] == 0xff || source.allSatisfy({ $0 == 0 }) {
                return false
            }
            return frame.octets[place + 6] != 58 || (octets.count > 40 && frame.octets[place + 40] >= 128)
        }
        if frame.octets.word(at: place + 6) & 0x1fff != 0 { return false }
        let source = frame.octets[place + 12]
        if source == 0 || source == 127 || source >= 224 || frame.octets[place + 16] >= 224 { return false }
        guard frame.octets[place + 9] == 1, packet.headerLength == 20 else { return true }
        let type = frame.octets[place + 20]
        return type == 0 || type == 8 || type > 12
    }

    private var messageOfIPv4: [UInt8]? {
        let quoted = octets.count >= Self.quotedOfIPv4 ? Self.quotedOfIPv4 : Self.leastQuotedOfIPv4
        guard octets.count >= quoted else { return nil }
        // Type of service as routers send it; the addresses change places, as a pseudowire has none of its own.
        var header: [UInt8] = [0x45, 0xc0]
        header.append(word: UInt16(28 + quoted))
        header += [0, 0, 0x40, 0, 64, 1, 0, 0]
        header += frame.octets[(packet.offset + 16)..<(packet.offset + 20)]
        header += frame.octets[(packet.offset + 12)..<(packet.offset + 16)]
        header.set(word: OnesComplement.checksum(OnesComplement.sum(header[...])), at: 10)
        return header + message(type: 3, code: 4, quoted: quoted, pseudo: 0)
    }

    private var messageOfIPv6: [UInt8]? {
        // No link may be narrower.
        guard mtu >= 1280, octets.count >= Self.quotedOfIPv6 else { return nil }
        var header: [UInt8] = [0x60, 0, 0, 0]
        header.append(word: UInt16(8 + Self.quotedOfIPv6))
        header += [58, 64]
        header += frame.octets[(packet.offset + 24)..<(packet.offset + 40)]
        header += frame.octets[(packet.offset + 8)..<(packet.offset + 24)]
        let pseudo = OnesComplement.pseudoHeader(header[8...], protocol: 58, length: 8 + Self.quotedOfIPv6)
        return header + message(type: 2, code: 0, quoted: Self.quotedOfIPv6, pseudo: pseudo)
    }

    private func message(type: UInt8, code: UInt8, quoted: Int, pseudo: UInt64) -> [UInt8] {
        var message: [UInt8] = [type, code, 0, 0]
        message.append(long: UInt32(mtu))
        message += octets.prefix(quoted)
        message.set(word: OnesComplement.checksum(OnesComplement.sum(message[...], adding: pseudo)), at: 2)
        return message
    }
}
