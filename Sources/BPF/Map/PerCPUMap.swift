internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// A map in which every CPU has values of its own, so that programs count without waiting for each other.
///
/// ```swift
/// let drops: PerCPUMap<UInt32, UInt64> = try PerCPUMap(pinnedAt: path)
/// let total = try drops[7]?.reduce(0, +)
/// ```
///
/// Values come as one for each **possible** CPU, those included that are off. Opening refuses maps of other types.
/// Errors: `BPFError`; an absent key is nil. Owns its descriptor.
public struct PerCPUMap<Key: BitwiseCopyable, Value: BitwiseCopyable>: ~Copyable {
    private let map: Map<Key, Value>
    /// How many values a key has.
    public let processorCount: Int

    /// Makes sure that every value is one per CPU.
    public init(_ map: consuming Map<Key, Value>) throws(BPFError) {
        guard map.info.isPerCPU else {
            throw BPFError("use map", map.name, .invalidArgument, hint: "it has one value for all CPUs")
        }
        processorCount = Int(try BPFError.check(libbpf_num_possible_cpus(), "count the CPUs for", map.name))
        self.map = map
    }

    /// Opens a map that was pinned.
    public init(pinnedAt path: String, expecting shape: MapShape = MapShape()) throws(BPFError) {
        try self.init(Map(pinnedAt: path, expecting: shape))
    }

    /// The name it was asked for by; appears in errors.
    public var name: String { map.name }
    /// What the kernel says of it.
    public var info: MapInfo { map.info }
    /// The descriptor; it stays this map's.
    public var fileDescriptor: Int32 { map.fileDescriptor }

    /// Gives the map a name on a BPF file system, by which it outlives the process.
    public func pin(at path: String) throws(BPFError) {
        try map.pin(at: path)
    }

    /// The values of `key`, one for each possible CPU, or nil.
    public subscript(_ key: Key) -> [Value]? {
        get throws(BPFError) { try map.valuesPerCPU(of: key) }
    }

    /// Sets the values of all CPUs.
    ///
    /// - Parameter values: as many as `processorCount`.
    public func update(key: Key, values: [Value]) throws(BPFError) {
        guard values.count == processorCount else {
            throw BPFError("update", name, .invalidArgument, hint: "it takes \(processorCount) values")
        }
        let octets = pack(values)
        let result = withUnsafePointer(to: key) { key in
            octets.withUnsafeBytes { bpf_map_update_elem(fileDescriptor, key, $0.baseAddress, UInt64(BPF_ANY)) }
        }
        let hint = result == 0 - Int32(E2BIG) ? "it is full: \(info.maxEntries) entries" : nil
        try BPFError.check(result, "update", name, hint: hint)
    }

    /// Removes `key`; says whether it was there.
    @discardableResult
    public func remove(key: Key) throws(BPFError) -> Bool {
        try map.remove(key: key)
    }

    /// The kernel rounds each CPU's value up to eight octets.
    private var stride: Int { (MemoryLayout<Value>.size + 7) & ~7 }

    private func pack(_ values: [Value]) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: stride * values.count)
        octets.withUnsafeMutableBytes { octets in
            for (index, value) in values.enumerated() {
                octets.storeBytes(of: value, toByteOffset: index * stride, as: Value.self)
            }
        }
        return octets
    }
}

extension LoadedObject {
    /// A map with values per CPU, checked against the types that it is to be used with.
    ///
    /// The result owns a descriptor of its own.
    public func perCPUMap<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ name: String, as type: PerCPUMap<Key, Value>.Type = PerCPUMap<Key, Value>.self
    ) throws(BPFError) -> PerCPUMap<Key, Value> {
        try PerCPUMap(map(name))
    }
}
