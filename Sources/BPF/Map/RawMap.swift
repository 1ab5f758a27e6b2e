internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// A BPF map whose keys and values are octets: for programs that learn only at run time how long they are.
///
/// ```swift
/// let old = try RawMap(pinnedAt: path)
/// for (key, value) in try old.entries() { try new.update(key: key, value: convert(value)) }
/// ```
///
/// The value of a map with one per CPU is all of them, each rounded up to eight octets, one for each possible CPU.
/// Errors: `BPFError`; an absent key is nil. Owns its descriptor.
public struct RawMap: ~Copyable {
    private let descriptor: OwnedDescriptor
    /// The name it was asked for by; appears in errors.
    public let name: String
    /// What the kernel says of it.
    public let info: MapInfo
    /// Octets of a value, those of all CPUs together.
    public let valueByteCount: Int

    init(adopting descriptor: consuming OwnedDescriptor, name: String) throws(BPFError) {
        let info = try MapInfo.of(descriptor, name: name)
        if info.isPerCPU {
            let processors = Int(try BPFError.check(libbpf_num_possible_cpus(), "count the CPUs for", name))
            valueByteCount = (info.valueSize + 7) / 8 * 8 * processors
        } else {
            valueByteCount = info.valueSize
        }
        self.descriptor = descriptor
        self.info = info
        self.name = name
    }

    /// Opens a map that was pinned.
    public init(pinnedAt path: String) throws(BPFError) {
        try self.init(adopting: ObjectKind.map.open(path), name: path)
    }

    /// The descriptor; it stays this map's.
    public var fileDescriptor: Int32 { descriptor.raw }

    /// Gives the map a name on a BPF file system, by which it outlives the process.
    public func pin(at path: String) throws(BPFError) {
        try BPFError.check(bpf_obj_pin(descriptor.raw, path), "pin map at", path)
    }

    /// The value of a key, or nil.
    public func value(of key: [UInt8]) throws(BPFError) -> [UInt8]? {
        try require(key, count: info.keySize, "key")
        var value = [UInt8](repeating: 0, count: valueByteCount)
        let result = bpf_map_lookup_elem(descriptor.raw, key, &value)
        if result == 0 - Int32(ENOENT) { return nil }
        try BPFError.check(result, "look up in", name)
        return value
    }

    /// Sets the value of a key, whether it is there or not.
    public func update(key: [UInt8], value: [UInt8]) throws(BPFError) {
        try require(key, count: info.keySize, "key")
        try require(value, count: valueByteCount, "value")
        let result = bpf_map_update_elem(descriptor.raw, key, value, UInt64(BPF_ANY))
        let hint = result == 0 - Int32(E2BIG) ? "it is full: \(info.maxEntries) entries" : nil
        try BPFError.check(result, "update", name, hint: hint)
    }

    /// All keys that there are.
    ///
    /// Of a hash whose keys are removed meanwhile some may come twice.
    public func keys() throws(BPFError) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var seen: Set<[UInt8]> = []
        var next = [UInt8](repeating: 0, count: info.keySize)
        var previous: [UInt8]?
        while true {
            let result = bpf_map_get_next_key(descriptor.raw, previous, &next)
            if result == 0 - Int32(ENOENT) { return found }
            try BPFError.check(result, "list", name)
            if seen.insert(next).inserted { found.append(next) }
            previous = next
        }
    }

    /// All entries; those removed meanwhile are left out.
    public func entries() throws(BPFError) -> [(key: [UInt8], value: [UInt8])] {
        var found: [(key: [UInt8], value: [UInt8])] = []
        for key in try keys() {
            if let value = try value(of: key) { found.append((key, value)) }
        }
        return found
    }

    private func require(_ octets: [UInt8], count: Int, _ what: String) throws(BPFError) {
        guard octets.count != count else { return }
        throw BPFError("use map", name, .invalidArgument, hint: "a \(what) has \(count) octets, not \(octets.count)")
    }
}

extension LoadedObject {
    /// A map, whatever its types.
    ///
    /// The result owns a descriptor of its own.
    public func rawMap(_ name: String) throws(BPFError) -> RawMap {
        try RawMap(adopting: duplicateOfMap(name), name: name)
    }
}
