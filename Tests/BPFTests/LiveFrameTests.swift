import BPF
import Glibc
import SystemPackage
import Testing

@Suite("live frames", .enabled(if: geteuid() == 0, "needs root"))
struct LiveFrameTests {
    private static let frame = [UInt8](repeating: 0, count: 12) + [0x88, 0xb5] + [UInt8](repeating: 0x5a, count: 50)

    /// A tc program that counts frames of 64 octets in entry 0 and ends their way.
    private func counting(in map: borrowing Map<UInt32, UInt64>) throws -> Program {
        let descriptor = UInt64(UInt32(bitPattern: map.fileDescriptor))
        return try Program(
            instructions: [
                0x0000_0000_0000_1261,  // r2 = skb->len
                0x0000_0040_0009_0255,  // if r2 != 64, on with the last two
                0x0000_0000_fffc_0a62,  // *(u32 *)(r10 - 4) = 0
                0xa2bf, 0xffff_fffc_0000_0207,  // r2 = r10 - 4
                0x1118 | descriptor << 32, 0,  // r1 = map
                0x0000_0001_0000_0085,  // call bpf_map_lookup_elem
                0x0000_0000_0002_0015,  // if r0 == 0, on with the last two
                0x0000_0001_0000_01b7,  // r1 = 1
                0x0000_0000_0000_10db,  // lock *(u64 *)r0 += r1
                0x0000_0002_0000_00b7, 0x95,  // return TCX_DROP
            ], type: 3, name: "count")
    }

    @Test("frames that pass reach the stack, each once", arguments: [(1, 64), (1000, 64), (1000, 1), (1000, 256)])
    func pass(count: Int32, batchSize: UInt32) throws {
        try inNewNamespace {
            let map = try Map<UInt32, UInt64>(creating: arrayMap, name: "count", maxEntries: 1)
            let counter = try counting(in: map)
            let link = try ProgramLink(counter, at: TCXHook(.ingress, of: 1))
            let pass = try Program(instructions: [0x0000_0002_0000_00b7, 0x95], type: 6, name: "pass")
            try pass.sendLive(Self.frame, count: count, arrivingAt: 1, batchSize: batchSize)
            #expect(try map[0] == UInt64(count))
            let drop = try Program(instructions: [0x0000_0001_0000_00b7, 0x95], type: 6, name: "drop")
            try drop.sendLive(Self.frame, count: count, arrivingAt: 1, batchSize: batchSize)
            #expect(try map[0] == UInt64(count))
            // A run that is no live one sends nothing either.
            _ = try pass.testRun(Self.frame)
            #expect(try map[0] == UInt64(count))
            try link.detach()
        }
    }

    @Test("what cannot be run is an error")
    func refused() throws {
        try inNewNamespace {
            let pass = try Program(instructions: [0x0000_0002_0000_00b7, 0x95], type: 6, name: "pass")
            #expect(throws: BPFError.self) { try pass.sendLive(Self.frame, count: 1, arrivingAt: 4_000_000) }
            #expect(throws: BPFError.self) { try pass.sendLive(Self.frame, count: 1, arrivingAt: 1, queue: 9000) }
            #expect(throws: BPFError.self) { try pass.sendLive([], count: 1, arrivingAt: 1) }
            #expect(throws: BPFError.self) {
                try pass.sendLive(Self.frame, count: 1, arrivingAt: 1, batchSize: 100_000)
            }
            let filter = try Program(instructions: [0xb7, 0x95], type: 3, name: "no_xdp")
            #expect(throws: BPFError.self) { try filter.sendLive(Self.frame, count: 1, arrivingAt: 1) }
        }
    }
}
