extension Wire {
    /// Whether a frame of the access interface is this pseudowire's.
    func selects(_ frame: CustomerFrame) -> Bool {
        switch selection {
        case .any: true
        case .untagged: frame.outermostID == nil || frame.outermostID == 0
        case .id(let id, let isService):
            frame.outermostID == id
                && frame.outermostType == (isService ? CustomerFrame.serviceTag : CustomerFrame.customerTag)
        }
    }
}

extension ReferenceEnd {
    /// What becomes of a frame that is this pseudowire's.
    mutating func encapsulate(_ frame: CustomerFrame, choices: Choices) -> Outcome {
        if frame.isCut { return .drop(.frameTooShort) }
        if frame.isTooDeep { return .drop(frame.hasThirdTag ? .vlanDepth : .frameTooShort) }
        let clamped = wire.clamped(frame, carriedTags: frame.tagCount - (wire.tagAction == .strip ? 1 : 0))
        var carried = clamped.octets
        switch wire.tagAction {
        case .keep: break
        case .strip: carried = clamped.untagged
        case .rewrite(let id): carried.set(word: carried.word(at: 14) & 0xf000 | id, at: 14)
        }
        let inner = frame.octets.count - frame.payload
        let overhead = wire.sentHeaderLength + carried.count - inner
        let largest = min(wire.path - overhead, wire.mtu ?? .max)
        if inner > largest { return outcomeOfTooBig(frame, largest) }
        let packet = outerPacket(carried, trafficClass: trafficClass(frame), choices)
        state.txFrames += 1
        state.txOctets += UInt64(carried.count)
        return .send(packet)
    }

    /// Nobody is here to cut a packet that may be cut.
    private mutating func outcomeOfTooBig(_ frame: CustomerFrame, _ largest: Int) -> Outcome {
        guard let packet = frame.packet else { return .drop(.tooBig) }
        if packet.admitsFragments(in: frame.octets) { return .drop(wire.cutsInner ? .notFragmented : .tooBig) }
        guard wire.repliesTooBig, let reply = TooBigReply(frame: frame, packet: packet, mtu: largest).reply else {
            return .drop(.tooBig)
        }
        state.replies += 1
        return .reply(reply)
    }

    private func trafficClass(_ frame: CustomerFrame) -> UInt8 {
        let inner = frame.packet?.trafficClass ?? 0
        return (wire.dscp.map { $0 << 2 } ?? inner & 0xfc) | (wire.copiesECN ? inner & 3 : 0)
    }

    private mutating func outerPacket(_ frame: [UInt8], trafficClass: UInt8, _ choices: Choices) -> [UInt8] {
        var packet: [UInt8] = []
        packet.reserveCapacity(wire.sentHeaderLength + frame.count)
        let number: UInt8 = wire.isUDP ? 17 : 115
        let length = wire.sentHeaderLength + frame.count
        if wire.isIPv6 {
            let label = wire.labelsFlows ? choices.flowLabel : 0
            packet.append(long: 6 << 28 | UInt32(trafficClass) << 20 | label)
            packet.append(word: UInt16(length - 40))
            packet += [number, wire.ttl]
        } else {
            packet += [0x45, trafficClass]
            packet.append(word: UInt16(length))
            packet.append(word: wire.admitsFragments ? choices.identification : 0)
            packet.append(word: wire.admitsFragments ? 0 : 0x4000)
            packet += [wire.ttl, number, 0, 0]
        }
        packet += wire.local
        packet += wire.peer
        if !wire.isIPv6 { packet.set(word: OnesComplement.checksum(OnesComplement.sum(packet[...])), at: 10) }
        if wire.isUDP {
            packet.append(word: wire.spreadsPort ? choices.sourcePort : wire.localPort)
            packet.append(word: wire.peerPort)
            packet.append(word: UInt16(length - wire.ipHeaderLength))
            packet.append(word: 0)
            packet.append(long: 0x0003_0000)
        }
        packet.append(long: wire.peerSession)
        packet += wire.sentCookie
        if wire.hasSublayer { packet.append(long: sublayerWord()) }
        packet += frame
        if wire.isUDP, wire.fillsChecksum { Self.fillChecksum(&packet, wire) }
        return packet
    }

    private mutating func sublayerWord() -> UInt32 {
        guard wire.numbersSent else { return 0 }
        let number = UInt32(truncatingIfNeeded: state.sent & 0xff_ffff)
        state.sent += 1
        return 0x4000_0000 | number
    }

    private static func fillChecksum(_ packet: inout [UInt8], _ wire: Wire) {
        let start = wire.ipHeaderLength
        let pseudo = OnesComplement.pseudoHeader(
            packet[(wire.isIPv6 ? 8 : 12)..<start], protocol: 17, length: packet.count - start)
        let value = OnesComplement.checksum(OnesComplement.sum(packet[start...], adding: pseudo))
        // Zero says that there is no checksum.
        packet.set(word: value == 0 ? 0xffff : value, at: start + 6)
    }
}
