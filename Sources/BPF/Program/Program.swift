internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// A program in the kernel.
///
/// Owns its descriptor; attachments and pins keep the program itself alive.
public struct Program: ~Copyable {
    private let descriptor: OwnedDescriptor
    /// The name it was asked for by; appears in errors.
    public let name: String
    /// The kernel's number for it: what tells two programs apart, unlike names and tags.
    public let id: UInt32
    /// How many instructions the verifier looked at before it was content: what a kernel's limit of a million counts.
    ///
    /// Differs from kernel to kernel.
    public let verifiedInstructions: UInt32

    init(adopting descriptor: consuming OwnedDescriptor, name: String) throws(BPFError) {
        let info = try ProgramInfo.of(descriptor, name: name)
        self.id = info.id
        self.verifiedInstructions = info.verifiedInstructions
        self.descriptor = descriptor
        self.name = name
    }

    /// Opens a program that was pinned; refuses what is no program.
    public init(pinnedAt path: String) throws(BPFError) {
        try self.init(adopting: ObjectKind.program.open(path), name: path)
    }

    /// Opens a program by its number.
    ///
    /// Needs CAP_SYS_ADMIN. Linux 4.13.
    public init(id: UInt32) throws(BPFError) {
        try self.init(adopting: OwnedDescriptor(program: id), name: "program \(id)")
    }

    /// What the kernel says about it now.
    public func info() throws(BPFError) -> ProgramInfo {
        try ProgramInfo.of(descriptor, name: name)
    }

    /// Loads a program given as raw instructions, eight octets each: for probes.
    ///
    /// - Parameter type: the corresponding C constants are `BPF_PROG_TYPE_*`.
    ///
    /// Errors: with the verifier's reason. The log is asked for only when the program was refused, by a second attempt.
    public init(instructions: [UInt64], type: UInt32, name: String) throws(BPFError) {
        LibbpfMessages.silenced
        var options = bpf_prog_load_opts()
        options.sz = MemoryLayout<bpf_prog_load_opts>.size
        func load() -> Int32 {
            instructions.withUnsafeBytes { bytes in
                bpf_prog_load(
                    bpf_prog_type(rawValue: type), name, "Dual MIT/GPL",
                    bytes.baseAddress?.assumingMemoryBound(to: bpf_insn.self), instructions.count, &options)
            }
        }
        var result = load()
        var log: VerifierLog?
        if result < 0 {
            (result, log) = VerifierLog.collect { buffer in
                options.log_level = 1
                options.log_buf = buffer.baseAddress
                options.log_size = UInt32(buffer.count)
                return load()
            }
        }
        guard result >= 0 else {
            let hint = result == 0 - Int32(EPERM) && log == nil ? "needs CAP_BPF and CAP_NET_ADMIN" : nil
            throw BPFError("load program", name, Errno(rawValue: 0 - result), hint: hint, verifier: log)
        }
        try self.init(adopting: OwnedDescriptor(adopting: result), name: name)
    }

    /// The descriptor; it stays this program's.
    public var fileDescriptor: Int32 { descriptor.raw }

    /// Gives the program a name on a BPF file system, by which it outlives the process.
    public func pin(at path: String) throws(BPFError) {
        try BPFError.check(bpf_obj_pin(descriptor.raw, path), "pin program at", path)
    }

    /// The same, in place of whatever `path` stood for, if anything; whoever opens it finds one or the other.
    public func pin(replacing path: String) throws(BPFError) {
        try BPFFileSystem.replace(path) { temporary throws(BPFError) in try pin(at: temporary) }
    }
}
