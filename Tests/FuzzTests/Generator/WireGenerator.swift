/// Pseudowires that can share an access interface, with every option in every combination that is valid.
struct WireGenerator {
    var random: SplitMix64

    mutating func wires() -> [Wire] {
        // "Any" tolerates no other beside it.
        if random.percent(45) { return [wire(.any, number: 0)] }
        let first = id()
        var selections: [Wire.Selection] = [.untagged, .id(first, isService: false)]
        switch random.below(4) {
        case 0: selections = [.untagged]
        case 1: selections = [.id(first, isService: random.percent(50))]
        // The same id in the other kind of tag is another VLAN.
        case 2: selections.append(.id(first, isService: true))
        default: break
        }
        return selections.enumerated().map { wire($0.element, number: $0.offset) }
    }

    private mutating func wire(_ selection: Wire.Selection, number: Int) -> Wire {
        var wire = Wire()
        wire.isIPv6 = random.percent(50)
        wire.isUDP = random.percent(50)
        wire.local = address(wire.isIPv6)
        wire.peer = address(wire.isIPv6)
        // The two must differ, also where little else of the address does.
        wire.peer[wire.peer.count - 1] = wire.local[wire.local.count - 1] ^ 1
        if wire.isUDP {
            wire.localPort = random.percent(50) ? 1701 : random.word() | 1
            wire.peerPort = random.percent(50) ? 1701 : random.word() | 1
            wire.fillsChecksum = random.percent(60)
            wire.spreadsPort = random.percent(20)
            wire.takesAnyPort = random.percent(20)
        } else {
            wire.localPort = 0
            wire.peerPort = 0
        }
        // Different for sure, sometimes in one bit only.
        wire.localSession = random.long() & ~3 | UInt32(number + 1)
        wire.peerSession = max(1, random.percent(50) ? random.long() : UInt32(random.below(70000)))
        wire.sentCookie = Array(random.octets(random.pick([0, 0, 4, 8])))
        wire.expectedCookies = cookies()
        wire.hasSublayer = random.percent(70)
        if wire.hasSublayer {
            wire.numbersSent = random.percent(40)
            wire.wantsNumbers = random.percent(40)
        }
        takeOuterOptions(&wire)
        takeFrameOptions(&wire, selection)
        return wire
    }

    private mutating func takeOuterOptions(_ wire: inout Wire) {
        wire.labelsFlows = wire.isIPv6 && random.percent(60)
        wire.admitsFragments = !wire.isIPv6 && random.percent(25)
        wire.ttl = max(1, random.octet())
        wire.dscp = random.percent(40) ? nil : UInt8(random.below(64))
        wire.copiesECN = random.percent(50)
    }

    private mutating func takeFrameOptions(_ wire: inout Wire, _ selection: Wire.Selection) {
        wire.selection = selection
        if case .id = selection {
            switch random.below(3) {
            case 0: wire.tagAction = .strip
            case 1: wire.tagAction = .rewrite(id())
            default: break
            }
        }
        if random.percent(30) { wire.mtu = random.pick([68, 68, 1280]) + random.below(random.percent(70) ? 60 : 1500) }
        if random.percent(20) {
            wire.pathMTU = random.pick([150, 150, 1350]) + random.below(random.percent(70) ? 80 : 1400)
        }
        wire.clampsMSS = random.percent(50)
        wire.cutsInner = random.percent(50)
        wire.repliesTooBig = random.percent(60)
    }

    private mutating func cookies() -> [[UInt8]] {
        let length = random.pick([0, 4, 8])
        if length == 0 { return [] }
        let first = Array(random.octets(length))
        if random.percent(50) { return [first] }
        var second = first
        second[random.below(length)] ^= 1 << UInt8(random.below(8))
        return [first, second]
    }

    private mutating func address(_ isIPv6: Bool) -> [UInt8] {
        isIPv6 ? [0x20, 0x01, 0x0d, 0xb8] + random.octets(12) : [10] + random.octets(3)
    }

    private mutating func id() -> UInt16 {
        random.percent(20) ? random.pick([1, 4094]) : UInt16(1 + random.below(4094))
    }
}
