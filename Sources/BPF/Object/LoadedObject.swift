internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// Maps and programs that the kernel has accepted.
///
/// ```swift
/// let object = try ObjectFile(image: octets, name: "mine").load()
/// let program = try object.program("filter")
/// let counts: Map<UInt32, UInt64> = try object.map("counts")
/// ```
///
/// What is not taken out of it goes with it.
public struct LoadedObject: ~Copyable {
    private let file: ObjectFile

    init(taking file: consuming ObjectFile) {
        self.file = file
    }

    /// A map, checked against the types that it is to be used with.
    ///
    /// The result owns a descriptor of its own.
    public func map<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ name: String, as type: Map<Key, Value>.Type = Map<Key, Value>.self
    ) throws(BPFError) -> Map<Key, Value> {
        try Map(adopting: duplicateOfMap(name), name: name)
    }

    func duplicateOfMap(_ name: String) throws(BPFError) -> OwnedDescriptor {
        try Self.duplicate(file.descriptor(ofMap: name), name)
    }

    /// A program.
    ///
    /// The result owns a descriptor of its own.
    public func program(_ name: String) throws(BPFError) -> Program {
        try Program(adopting: Self.duplicate(file.descriptor(ofProgram: name), name), name: name)
    }

    private static func duplicate(_ descriptor: Int32, _ name: String) throws(BPFError) -> OwnedDescriptor {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw BPFError("duplicate descriptor of", name, Errno(rawValue: errno)) }
        return OwnedDescriptor(adopting: copy)
    }
}
