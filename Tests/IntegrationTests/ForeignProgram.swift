import BPF
import Foundation
import Glibc
import PseudowireTestbed
import RouteNetlink
import Testing

/// Somebody else's program on an interface's ingress: it counts frames and hands them on.
final class ForeignProgram {
    /// What somebody may have there.
    enum Kind: CaseIterable {
        /// A filter on the clsact qdisc, at a priority before or after ours.
        case earlyFilter, lateFilter
        /// A link on the tcx hook.
        case firstOnTCX, lastOnTCX
        /// The bare qdisc, as `tc qdisc add dev … clsact` makes it.
        case qdisc

        var needsTCX: Bool { self == .firstOnTCX || self == .lastOnTCX }
    }

    let kind: Kind
    private let counter: Map<UInt32, UInt64>
    private let program: Program
    private var link: Held?

    /// An owner that can be let go of.
    private final class Held {
        let link: ProgramLink
        init(_ link: consuming ProgramLink) { self.link = link }
    }

    init(_ kind: Kind) throws {
        self.kind = kind
        let counter = try Map<UInt32, UInt64>(creating: 2, name: "foreign", maxEntries: 1)  // BPF_MAP_TYPE_ARRAY
        func instruction(_ code: UInt64, _ to: UInt64 = 0, _ from: UInt64 = 0, _ offset: Int16 = 0, _ value: Int32 = 0)
            -> UInt64
        {
            code | to << 8 | from << 12 | UInt64(UInt16(bitPattern: offset)) << 16
                | UInt64(UInt32(bitPattern: value)) << 32
        }
        program = try Program(
            instructions: [
                instruction(0x62, 10, 0, -4, 0),  // the key, on the stack: 0
                instruction(0xbf, 2, 10), instruction(0x07, 2, 0, 0, -4),  // its address
                instruction(0x18, 1, 1, 0, counter.fileDescriptor), 0,  // the map
                instruction(0x85, 0, 0, 0, 1),  // bpf_map_lookup_elem
                instruction(0x15, 0, 0, 2, 0),  // nothing?
                instruction(0xb7, 1, 0, 0, 1), instruction(0xdb, 0, 1),  // one more
                instruction(0xb7, 0, 0, 0, -1), instruction(0x95),  // TC_ACT_UNSPEC, TCX_NEXT
            ], type: 3, name: "foreign")
        self.counter = counter
    }

    var id: UInt32 { program.id }

    func count() throws -> UInt64 { try counter[0] ?? 0 }

    private var priority: UInt16 { kind == .earlyFilter ? 1 : 40_000 }

    func arrive(at index: LinkIndex, _ name: String, _ client: RouteClient, in namespace: borrowing NetworkNamespace)
        throws
    {
        switch kind {
        case .earlyFilter, .lateFilter:
            _ = try client.qdiscs.ensureClsact(on: index)
            _ = try client.filters.add(
                BPFFilter(program: program.fileDescriptor, name: "foreign", priority: priority, handle: 1),
                at: TrafficHook(link: index, direction: .ingress))
        case .firstOnTCX, .lastOnTCX:
            link = try namespace.run {
                Held(
                    try ProgramLink(
                        program, at: TCXHook(.ingress, of: index.rawValue),
                        position: kind == .firstOnTCX ? .first : .last))
            }
        case .qdisc: _ = try Self.tool(["tc", "qdisc", "add", "dev", name, "clsact"], in: namespace)
        }
    }

    func leave(_ index: LinkIndex, _ name: String, _ client: RouteClient, in namespace: borrowing NetworkNamespace)
        throws
    {
        switch kind {
        case .earlyFilter, .lateFilter:
            try client.filters.delete(
                priority: priority, handle: 1, at: TrafficHook(link: index, direction: .ingress))
        case .firstOnTCX, .lastOnTCX: link = nil
        case .qdisc: _ = try Self.tool(["tc", "qdisc", "del", "dev", name, "clsact"], in: namespace)
        }
    }

    /// What a tool that we did not write says, run in a namespace; empty where it fails.
    static func tool(_ words: [String], in namespace: borrowing NetworkNamespace) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/nsenter")
        process.arguments = ["--net=/proc/\(getpid())/fd/\(namespace.fileDescriptor)"] + words
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        // Its output has ended. waitUntilExit() would go on sleeping for up to fifty milliseconds.
        while process.isRunning { usleep(200) }
        return process.terminationStatus == 0 ? String(decoding: text, as: UTF8.self) : ""
    }
}
