import Foundation
import InternetAddress
import Testing

@testable import RouteNetlink

/// Tests that change a kernel: each in namespaces of its own, one after the other, since some count descriptors.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root")) struct KernelTests {}

/// What `ip`, `tc` or `ethtool` say about a namespace: a second opinion.
func witness(_ arguments: String..., in namespace: borrowing NetworkNamespace) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/nsenter")
    process.arguments = ["--net=/proc/\(getpid())/fd/\(namespace.fileDescriptor)"] + arguments
    let (pipe, complaints) = (Pipe(), Pipe())
    process.standardOutput = pipe
    // What it has to say of others' namespaces is no part of its answer.
    process.standardError = complaints
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    let complaint = complaints.fileHandleForReading.readDataToEndOfFile()
    // Its output has ended. waitUntilExit() would go on sleeping for up to fifty milliseconds.
    while process.isRunning { usleep(200) }
    let text = String(decoding: output, as: UTF8.self)
    guard process.terminationStatus == 0 else {
        throw WitnessFailure(text: text + String(decoding: complaint, as: UTF8.self))
    }
    return text
}

struct WitnessFailure: Error { var text: String }

/// The rows of a witness's JSON answer.
func table(_ json: String) throws -> [[String: Any]] {
    let value = try JSONSerialization.jsonObject(with: Data(json.utf8))
    // `ip -j` answers with an empty object where a row has nothing to say.
    return (value as? [[String: Any]] ?? []).filter { !$0.isEmpty }
}

/// Loads `return TC_ACT_UNSPEC` as a classifier by a bare bpf(2); returns a descriptor.
///
/// `verdict` makes programs that differ.
func loadClassifier(verdict: Int32 = -1) throws -> Int32 {
    struct Attributes {
        var type: UInt32 = 3  // BPF_PROG_TYPE_SCHED_CLS
        var count: UInt32 = 2
        var instructions: UInt64 = 0
        var license: UInt64 = 0
        var rest: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    }
    // syscall(2) is variadic in C, hence its address.
    typealias Call = @convention(c) (Int, Int32, UnsafeMutableRawPointer, UInt32) -> Int
    let symbol = try #require(dlsym(UnsafeMutableRawPointer(bitPattern: 0), "syscall"))
    let call = unsafeBitCast(symbol, to: Call.self)
    #if arch(x86_64)
        let number = 321
    #else
        let number = 280
    #endif
    // r0 = verdict; exit
    let instructions: [UInt64] = [0xb7 | UInt64(UInt32(bitPattern: verdict)) << 32, 0x95]
    let descriptor = instructions.withUnsafeBytes { code in
        "GPL".withCString { license in
            var attributes = Attributes()
            attributes.instructions = UInt64(UInt(bitPattern: code.baseAddress))
            attributes.license = UInt64(UInt(bitPattern: license))
            return call(number, 5, &attributes, UInt32(MemoryLayout<Attributes>.size))
        }
    }
    try #require(descriptor >= 0, "bpf(BPF_PROG_LOAD): errno \(errno)")
    return Int32(descriptor)
}

/// The error that `body` ends with; a test that expects one fails when it does not.
func failure(
    _ body: () throws(NetlinkError) -> Void, sourceLocation: SourceLocation = #_sourceLocation
) throws -> NetlinkError {
    do throws(NetlinkError) {
        try body()
    } catch { return error }
    Issue.record("no error was thrown", sourceLocation: sourceLocation)
    throw WitnessFailure(text: "no error was thrown")
}

/// A client in a namespace of its own that has a veth pair, `left` and `right`, both up.
final class Cable {
    let namespace: NetworkNamespace
    let client: RouteClient
    let left: Link
    let right: Link

    init() throws {
        let client = try RouteClient(in: .anonymous())
        let left = try client.links.create(.veth("left", peer: .init(name: "right")))
        let right = try #require(try client.links.find(named: "right"))
        for link in [left, right] {
            // No link-local address, no duplicate detection: nothing that changes by itself.
            try client.links.update(
                link.index, LinkUpdate(addressGenerationMode: LinkUpdate.AddressGenerationMode.none))
            try client.links.update(link.index, LinkUpdate(isUp: true))
        }
        self.client = client
        self.left = left
        self.right = right
        namespace = try client.namespace.duplicate()
    }
}
