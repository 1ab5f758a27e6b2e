internal import BPF
internal import Glibc

/// Questions about the running kernel, answered by trying.
enum KernelProbe {
    /// Whether `bpf_skb_adjust_room` takes `BPF_F_ADJ_ROOM_DECAP_L3_IPV6` (Linux 6.3).
    ///
    /// False also where it cannot be tried: the datapath has a way without it.
    static func hasDecapL3() -> Bool {
        // An IPv4 frame of 98 octets, 20 of which a two-line program removes behind the Ethernet header; the helper
        // returns -EINVAL for flags that it does not know.
        let flag: UInt64 = 1 << 8
        let instructions: [UInt64] = [
            instruction(0xb7, destination: 2, immediate: -20),  // r2 = length difference
            instruction(0xb7, destination: 3, immediate: 1),  // r3 = BPF_ADJ_ROOM_MAC
            instruction(0xb7, destination: 4, immediate: Int32(flag)),
            instruction(0x85, immediate: 50),  // call bpf_skb_adjust_room, skb still in r1
            instruction(0x95),  // exit with its result
        ]
        let frame: [UInt8] =
            [UInt8](repeating: 0, count: 12) + [0x08, 0x00, 0x45] + [UInt8](repeating: 0, count: 83)
        let schedulerClassifier: UInt32 = 3  // BPF_PROG_TYPE_SCHED_CLS
        guard
            let program = try? Program(instructions: instructions, type: schedulerClassifier, name: "probe_decap_l3"),
            let result = try? program.testRun(frame)
        else { return false }
        return result.verdict == 0
    }

    private static func instruction(_ opcode: UInt8, destination: UInt8 = 0, immediate: Int32 = 0) -> UInt64 {
        UInt64(opcode) | UInt64(destination) << 8 | UInt64(UInt32(bitPattern: immediate)) << 32
    }

    /// The running kernel's version, and as it calls itself.
    static func version() -> (major: Int, minor: Int, release: String) {
        var name = utsname()
        guard uname(&name) == 0 else { return (0, 0, "unknown") }
        let release = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let numbers = release.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
        return (numbers.first ?? 0, numbers.count > 1 ? numbers[1] : 0, release)
    }
}
