import BPF
import RouteNetlink

/// One instruction of BPF as the kernel reads it on a little-endian machine.
private func instruction(
    _ opcode: UInt64, to: UInt64 = 0, from: UInt64 = 0, offset: Int16 = 0, value: Int32 = 0
) -> UInt64 {
    opcode | to << 8 | from << 12 | UInt64(UInt16(bitPattern: offset)) << 16
        | UInt64(UInt32(bitPattern: value)) << 32
}

private let moveValue: UInt64 = 0xb7, move: UInt64 = 0xbf, addValue: UInt64 = 0x07, storeValue: UInt64 = 0x7a
private let call: UInt64 = 0x85, exit: UInt64 = 0x95
private let loadWord: UInt64 = 0x61, loadHalf: UInt64 = 0x69, storeWord: UInt64 = 0x63, storeHalf: UInt64 = 0x6b
private let loadMap: UInt64 = 0x18, addMove: UInt64 = 0x0f, jumpIfMore: UInt64 = 0x2d, jumpIfZero: UInt64 = 0x15
private let toBigEndian: UInt64 = 0xdc, andValue: UInt64 = 0x57
private let schedClassifier: UInt32 = 3, xdp: UInt32 = 6

extension Program {
    /// `return bpf_redirect(index, 0)`.
    static func redirect(to index: LinkIndex, xdp isXDP: Bool = false) throws -> Program {
        try Program(
            instructions: [
                instruction(moveValue, to: 1, value: Int32(bitPattern: index.rawValue)),
                instruction(moveValue, to: 2), instruction(call, value: 23), instruction(exit),
            ], type: isXDP ? xdp : schedClassifier, name: "bench_redirect")
    }

    /// `return XDP_DROP`, where frames arrive that have been carried far enough.
    static func drop() throws -> Program {
        try Program(
            instructions: [instruction(moveValue, value: 1), instruction(exit)], type: xdp, name: "bench_drop")
    }

    /// Does nothing: what running any program costs.
    static func empty() throws -> Program {
        try Program(
            instructions: [instruction(moveValue), instruction(exit)], type: schedClassifier, name: "bench_empty")
    }

    /// Looks for the entry of the frame's interface and VLAN in the map `access`, reads its beginning and does nothing
    /// more: what no datapath can do without that keeps sessions in a hash.
    ///
    /// Returns 1 where there is such an entry, else 0.
    static func lookUp(in access: Int32) throws -> Program {
        try Program(
            instructions: [
                // The key on the stack, from the context's ifindex and the tag's identifier.
                instruction(loadWord, to: 4, from: 1, offset: 40),
                instruction(storeWord, to: 10, from: 4, offset: -8),
                instruction(loadWord, to: 2, from: 1, offset: 76), instruction(loadWord, to: 3, from: 1, offset: 80),
                instruction(move, to: 5, from: 2), instruction(addValue, to: 5, value: 16),
                instruction(moveValue), instruction(jumpIfMore, to: 5, from: 3, offset: 12),
                instruction(loadHalf, to: 5, from: 2, offset: 14), instruction(toBigEndian, to: 5, value: 16),
                instruction(andValue, to: 5, value: 0x0fff), instruction(storeWord, to: 10, from: 5, offset: -4),
                // bpf_map_lookup_elem(access, key)
                instruction(loadMap, to: 1, from: 1, value: access), 0, instruction(move, to: 2, from: 10),
                instruction(addValue, to: 2, value: -8), instruction(call, value: 1),
                instruction(jumpIfZero, offset: 2), instruction(loadWord, from: 0),
                instruction(moveValue, value: 1), instruction(exit),
            ], type: schedClassifier, name: "bench_lookup")
    }

    /// Writes two octets over what is there, and lets the frame pass.
    static func overwrite(offset: Int32, with value: UInt16) throws -> Program {
        try Program(
            instructions: [
                instruction(storeValue, to: 10, offset: -8, value: Int32(value)),
                instruction(moveValue, to: 2, value: offset), instruction(move, to: 3, from: 10),
                instruction(addValue, to: 3, value: -8), instruction(moveValue, to: 4, value: 2),
                // bpf_skb_store_bytes(context, offset, stack, 2, 0)
                instruction(moveValue, to: 5), instruction(call, value: 9),
                // TC_ACT_UNSPEC
                instruction(moveValue, value: -1), instruction(exit),
            ], type: schedClassifier, name: "bench_overwrite")
    }
}

/// A program in an interface's driver, as long as anything holds this.
final class DriverLink {
    private let link: ProgramLink

    /// Runs in the interface's namespace.
    init(_ program: borrowing Program, at index: LinkIndex) throws {
        link = try ProgramLink(xdp: program, interfaceIndex: index.rawValue, mode: .driver)
    }
}
