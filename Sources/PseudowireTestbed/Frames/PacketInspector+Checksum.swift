// The checksum as arithmetic: 2^16 is 1 modulo 65535, so the ones' complement sum of a run of octets is the number
// that they spell, modulo 65535. Nothing is folded or complemented here as it is in `L2TP.InternetChecksum`.
private func remainder(_ bytes: ArraySlice<UInt8>, _ start: UInt64 = 0) -> UInt64 {
    var value = start
    for byte in bytes { value = (value * 256 + UInt64(byte)) % 65535 }
    return bytes.count % 2 == 0 ? value : value * 256 % 65535
}

/// What a transport checksum covers beside the segment: addresses, protocol, length.
struct PseudoHeader {
    var source: ArraySlice<UInt8>
    var destination: ArraySlice<UInt8>
    var protocolNumber: UInt8
}

extension Inspection {
    /// Faults unless the 16 bits at `field` are the checksum of the octets, and of the pseudo-header if there is one.
    mutating func checksum(
        _ layer: String, _ bytes: ArraySlice<UInt8>, field: Int, pseudoHeader: PseudoHeader? = nil
    ) {
        var seed: UInt64 = 0
        if let pseudoHeader {
            seed = remainder(pseudoHeader.destination, remainder(pseudoHeader.source))
            seed = (seed + UInt64(pseudoHeader.protocolNumber) + UInt64(bytes.count)) % 65535
        }
        let found = UInt64(bytes.half(field))
        // Order of even-sized pieces is of no consequence, so the pseudo-header may simply be added.
        let rest = (remainder(bytes) + seed + 65535 - found % 65535) % 65535
        let isAllZero = pseudoHeader == nil && bytes.allSatisfy { $0 == 0 }
        if (rest + found) % 65535 == 0, !isAllZero { return }
        if pseudoHeader != nil, found % 65535 == seed {
            if settings.allowsUnfinishedChecksums { return }
            fault(layer, "checksum \(hex(found)) is the pseudo-header's sum alone: somebody left the rest undone")
            return
        }
        let right = rest == 0 ? (isAllZero || layer == "UDP" ? 65535 : 0) : 65535 - rest
        fault(layer, "checksum \(hex(found)) is wrong, \(hex(right)) would be right")
    }
}
