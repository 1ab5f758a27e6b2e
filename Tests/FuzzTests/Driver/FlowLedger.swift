/// Which label and which port each flow has been given: packets of one flow must take one way (RFC 6438).
struct FlowLedger {
    private var choices: [[UInt8]: Choices] = [:]

    /// What is wrong with all choices together; nil if nothing is.
    var complaint: String? {
        let distinct = Set(choices.values)
        // That so many flows hash alike by chance will not happen.
        return choices.count >= 8 && distinct.count == 1
            ? "labels or ports that tell \(choices.count) flows apart" : nil
    }

    /// What is wrong with a choice; nil if nothing is.
    mutating func complaint(about choice: Choices, for frame: CustomerFrame, on wire: Wire) -> String? {
        if wire.spreadsPort, choice.sourcePort < 49152 { return "a port of the dynamic range (RFC 6335)" }
        guard wire.spreadsPort || wire.labelsFlows, let flow = Self.flow(of: frame) else { return nil }
        var key = flow
        key.append(long: wire.localSession)
        var kept = choice
        kept.identification = 0
        if !wire.spreadsPort { kept.sourcePort = 0 }
        if !wire.labelsFlows { kept.flowLabel = 0 }
        guard let first = choices.updateValue(kept, forKey: key), first != kept else { return nil }
        return "the same as for the flow's first frame, \(first)"
    }

    /// Tags, addresses, IPv6's own label, protocol and ports of a whole TCP segment or UDP datagram.
    private static func flow(of frame: CustomerFrame) -> [UInt8]? {
        guard let packet = frame.packet, packet.isIPv6 || packet.headerLength == 20,
            let transport = packet.transport(in: frame.octets)
        else { return nil }
        var key = Array(frame.octets[12..<frame.payload])
        key +=
            packet.isIPv6
            ? frame.octets[(packet.offset + 8)..<(packet.offset + 40)]
            : frame.octets[(packet.offset + 12)..<(packet.offset + 20)]
        if packet.isIPv6 { key.append(long: frame.octets.long(at: packet.offset) & 0xf_ffff) }
        key.append(transport.number)
        key += frame.octets[transport.range.lowerBound..<(transport.range.lowerBound + 4)]
        return key
    }
}
