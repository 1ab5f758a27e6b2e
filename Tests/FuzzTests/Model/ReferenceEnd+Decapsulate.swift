extension ReferenceEnd {
    /// What becomes of a packet that is for this pseudowire.
    mutating func decapsulate(_ packet: ArrivedPacket) -> Outcome {
        if !packet.source.elementsEqual(wire.peer) { return .drop(.sourceAddress) }
        if wire.isUDP, !wire.takesAnyPort, packet.sourcePort != wire.peerPort { return .drop(.sourcePort) }
        if packet.hasMoreFragments { return .drop(.fragment) }

        let sublayer = packet.afterSession + wire.expectedCookieLength
        let start = sublayer + (wire.hasSublayer ? 4 : 0)
        if let reason = cookieFault(packet, start) { return .drop(reason) }
        guard let end = packet.payloadEnd, start <= end else { return .drop(.length) }
        guard end - start >= 14 else { return .drop(.runt) }
        // Nor is there a whole header without the tag that its type announces.
        if CustomerFrame(Array(packet.octets[start..<end])).isCut { return .drop(.runt) }
        if let reason = layoutFault(packet, start, end) { return .drop(reason) }
        if wire.hasSublayer, let reason = sublayerFault(packet.octets.long(at: sublayer)) { return .drop(reason) }

        let frame = CustomerFrame(Array(packet.octets[start..<end]))
        guard isOfOurVLAN(frame) else { return .drop(.vlan) }
        guard let marked = Self.marked(frame, ecn: packet.ecn) else { return .drop(.congestion) }
        let delivered = wire.clamped(marked, carriedTags: frame.tagCount)
        state.rxFrames += 1
        state.rxOctets += UInt64(frame.octets.count)
        // A tag that is put before the frame goes beside it at once, and with it all that was inside stays inside.
        return .deliver(wire.tagAction == .strip ? delivered.octets : delivered.untagged)
    }

    // MARK: L2TP header

    private func cookieFault(_ packet: ArrivedPacket, _ start: Int) -> Reason? {
        if wire.expectedCookies.isEmpty { return nil }
        // What is not there is not right.
        guard packet.octets.count >= packet.afterSession + wire.expectedCookieLength else { return .cookie }
        let cookie = packet.octets[packet.afterSession..<(packet.afterSession + wire.expectedCookieLength)]
        if wire.expectedCookies.contains(where: { cookie.elementsEqual($0) }) { return nil }
        guard let end = packet.payloadEnd else { return .cookie }
        // What stands where it should has the wrong cookie, and nothing else.
        if Self.isFrame(packet.octets, start, end) { return .cookie }
        return Self.otherStart(packet, start, end, isInPlace: false) == nil ? .cookie : .cookieLength
    }

    /// Why the frame begins elsewhere than expected; nil if nothing speaks for it.
    private func layoutFault(_ packet: ArrivedPacket, _ start: Int, _ end: Int) -> Reason? {
        let isInPlace = Self.mayBeFrame(packet.octets, start, end)
        let word = wire.hasSublayer ? packet.octets.long(at: start - 4) : 0
        // No sublayer has a number without S.
        if isInPlace, word == 0 || word & 0x4000_0000 != 0 { return nil }
        guard let other = Self.otherStart(packet, start, end, isInPlace: isInPlace) else { return nil }
        if wire.hasSublayer { return other == start - 4 ? .sublayerMismatch : .cookieLength }
        guard other == start + 4 else { return .cookieLength }
        // Half a cookie, or a sublayer?
        let between = packet.octets.long(at: start)
        return between == 0 || between >> 24 == 0x40 ? .sublayerMismatch : .cookieLength
    }

    /// Where a frame begins beyond doubt, if it does so four octets or some more from where it should.
    ///
    /// Behind the beginning of a tagged frame lies what looks like one with fewer tags.
    private static func otherStart(_ packet: ArrivedPacket, _ start: Int, _ end: Int, isInPlace: Bool) -> Int? {
        stride(from: packet.afterSession, through: packet.afterSession + 12, by: 4).first { place in
            place != start && (place < start || !isInPlace) && isFrame(packet.octets, place, end)
        }
    }

    /// Whether what is there can be a frame: it has an IP header, ARP's type, or what stands before another type.
    private static func mayBeFrame(_ octets: [UInt8], _ start: Int, _ end: Int) -> Bool {
        let frame = CustomerFrame(Array(octets[start..<end]))
        return frame.packet != nil || frame.etherType == CustomerFrame.arp || frame.isTooDeep
            || CustomerFrame.shims.contains(frame.etherType) || frame.isSNAP
    }

    /// Whether there is, beyond doubt, a frame with an IP packet or an ARP message that ends where the packet does.
    private static func isFrame(_ octets: [UInt8], _ start: Int, _ end: Int) -> Bool {
        guard start >= 0, end <= octets.count, end - start >= 14 else { return false }
        let frame = CustomerFrame(Array(octets[start..<end]))
        let room = end - start - frame.payload
        if frame.etherType == CustomerFrame.arp, room >= 8 {
            return frame.octets[frame.payload..<(frame.payload + 6)].elementsEqual([0, 1, 8, 0, 6, 4])
        }
        guard let packet = frame.packet, packet.isIPv6 || packet.headerLength == 20 else { return false }
        let length =
            packet.isIPv6
            ? 40 + Int(frame.octets.word(at: packet.offset + 4)) : Int(frame.octets.word(at: packet.offset + 2))
        // Only the shortest frames are padded.
        return length == room || (length >= 20 && length < room && end - start <= 64)
    }

    // MARK: sublayer

    private mutating func sublayerFault(_ word: UInt32) -> Reason? {
        if word & 0x8000_0000 != 0 { return .controlChannel }
        let isNumbered = word & 0x4000_0000 != 0
        if isNumbered, word & 0x3000_0000 != 0 { return .pseudowireFragment }
        guard wire.wantsNumbers else {
            if isNumbered { notice(.sequenceUnexpected) }
            return nil
        }
        guard isNumbered else { return .sequenceMissing }
        return isInSequence(word & 0xff_ffff) ? nil : .sequence
    }

    private mutating func isInSequence(_ number: UInt32) -> Bool {
        let ahead = (number &- state.expected) & 0xff_ffff
        if ahead > 8_388_606 {
            let follows = state.lastRefused.map { ($0 + 1) & 0xff_ffff == number } ?? false
            state.refusedInARow = follows ? state.refusedInARow + 1 : 1
            state.lastRefused = number
            // Six that follow one another: the peer has begun anew.
            guard state.refusedInARow == 6 else { return false }
        } else {
            // Whoever joins a peer that has been sending for long has missed nothing.
            if state.hasBegun { notice(.sequenceGap, UInt64(ahead)) }
        }
        state.hasBegun = true
        state.expected = (number + 1) & 0xff_ffff
        state.lastRefused = nil
        state.refusedInARow = 0
        return true
    }

    // MARK: frame

    private func isOfOurVLAN(_ frame: CustomerFrame) -> Bool {
        switch (wire.selection, wire.tagAction) {
        case (.any, _), (.id, .strip): true
        case (.untagged, _): frame.outermostID == nil || frame.outermostID == 0
        case (.id(let id, _), .keep): frame.outermostID == id
        case (.id, .rewrite(let id)): frame.outermostID == id
        }
    }

    /// The frame with the outer packet's congestion mark in it (RFC 6040, section 4.2); nil if it must not go on.
    private static func marked(_ frame: CustomerFrame, ecn: UInt8) -> CustomerFrame? {
        guard let packet = frame.packet else { return frame }
        let inner = packet.trafficClass & 3
        switch (ecn, inner) {
        case (3, 0): return nil
        case (3, 1), (3, 2): return CustomerFrame(packet.marking(frame.octets, 3))
        case (1, 2): return CustomerFrame(packet.marking(frame.octets, 1))
        default: return frame
        }
    }
}

extension CustomerFrame.Packet {
    /// The frame with another ECN field.
    fileprivate func marking(_ octets: [UInt8], _ ecn: UInt8) -> [UInt8] {
        var octets = octets
        if isIPv6 {
            octets[offset + 1] = octets[offset + 1] & 0xcf | ecn << 4
            return octets
        }
        let before = octets.word(at: offset)
        octets[offset + 1] = octets[offset + 1] & 0xfc | ecn
        // What was wrong stays wrong by the same amount (RFC 1624).
        let sum =
            UInt64(~octets.word(at: offset + 10)) + UInt64(~before) + UInt64(octets.word(at: offset))
        octets.set(word: OnesComplement.checksum(sum), at: offset + 10)
        return octets
    }
}
