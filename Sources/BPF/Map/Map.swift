internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// A BPF map whose keys and values are plain bytes of two Swift (or imported C) types.
///
/// ```swift
/// let sessions: Map<UInt32, pw_decap> = try Map(pinnedAt: "/sys/fs/bpf/pseudowire/1/sessions")
/// try sessions.insert(key: 1012, value: value)         // refuses to overwrite
/// if let value = try sessions[1012] { … }
/// ```
///
/// Opening checks key and value sizes against the kernel's; see ``PerCPUMap`` for maps with a value per CPU. A type
/// that ends in padding of its own is refused: the kernel's entries lie closer together than Swift's. C's structs have
/// none there. Errors: `BPFError`; an absent key is nil, not an error. Owns its descriptor.
public struct Map<Key: BitwiseCopyable, Value: BitwiseCopyable>: ~Copyable {
    let descriptor: OwnedDescriptor
    /// The name it was asked for by; appears in errors.
    public let name: String
    /// What the kernel says of it.
    public let info: MapInfo

    init(
        adopting descriptor: consuming OwnedDescriptor, name: String, expecting shape: MapShape = MapShape()
    ) throws(BPFError) {
        try Self.checkLayout(name)
        let info = try MapInfo.of(descriptor, name: name)
        var shape = shape
        shape.keySize = MemoryLayout<Key>.size
        shape.valueSize = MemoryLayout<Value>.size
        let differences = shape.differences(from: info)
        guard differences.isEmpty else {
            throw BPFError("use map", name, .invalidArgument, cause: .mapDiffers(differences))
        }
        self.descriptor = descriptor
        self.name = name
        self.info = info
    }

    /// Opens a map that was pinned, and refuses what is no map or another one than expected.
    ///
    /// - Parameter shape: what else must be right beside the sizes of keys and values, which `Key` and `Value` say.
    ///
    /// Errors: `BPFError.Cause` has what is there instead, all differences at once.
    public init(pinnedAt path: String, expecting shape: MapShape = MapShape()) throws(BPFError) {
        try self.init(adopting: ObjectKind.map.open(path), name: path, expecting: shape)
    }

    /// Opens a map by its number.
    ///
    /// Needs CAP_SYS_ADMIN. Linux 4.13.
    public init(id: UInt32, expecting shape: MapShape = MapShape()) throws(BPFError) {
        try self.init(adopting: OwnedDescriptor(map: id), name: "map \(id)", expecting: shape)
    }

    /// Creates a map.
    ///
    /// - Parameter name: the kernel keeps 15 characters of it: letters, digits, `_` and `.`.
    ///
    /// Linux 4.15.
    public init(
        creating type: UInt32, name: String, maxEntries: UInt32, flags: UInt32 = 0
    ) throws(BPFError) {
        LibbpfMessages.silenced
        try Self.checkLayout(name)
        var options = bpf_map_create_opts()
        options.sz = MemoryLayout<bpf_map_create_opts>.size
        options.map_flags = flags
        let result = bpf_map_create(
            bpf_map_type(rawValue: type), String(name.prefix(15)), UInt32(MemoryLayout<Key>.size),
            UInt32(MemoryLayout<Value>.size), maxEntries, &options)
        let hint = result == 0 - Int32(EPERM) ? "needs CAP_BPF" : nil
        let raw = try BPFError.check(result, "create map", name, hint: hint)
        try self.init(adopting: OwnedDescriptor(adopting: raw), name: name)
    }

    /// Where one value follows another, Swift puts it a stride further on, the kernel a size.
    private static func checkLayout(_ name: String) throws(BPFError) {
        func check<Octets>(_ type: Octets.Type) throws(BPFError) {
            let (size, stride) = (MemoryLayout<Octets>.size, MemoryLayout<Octets>.stride)
            guard size > 0, size != stride else { return }
            throw BPFError(
                "use map", name, .invalidArgument,
                hint: "\(type) has \(size) octets, but takes \(stride) in a row; pad it")
        }
        try check(Key.self)
        try check(Value.self)
    }

    /// The descriptor; it stays this map's.
    public var fileDescriptor: Int32 { descriptor.raw }

    /// Gives the map a name on a BPF file system, by which it outlives the process.
    public func pin(at path: String) throws(BPFError) {
        try BPFError.check(bpf_obj_pin(descriptor.raw, path), "pin map at", path)
    }

    /// The same, in place of whatever `path` stood for, if anything; whoever opens it finds one or the other.
    public func pin(replacing path: String) throws(BPFError) {
        try BPFFileSystem.replace(path) { temporary throws(BPFError) in try pin(at: temporary) }
    }

    /// The value of `key`, or nil.
    ///
    /// Not for per-CPU maps.
    public subscript(_ key: Key) -> Value? {
        get throws(BPFError) {
            guard !info.isPerCPU else {
                throw BPFError("look up in", name, .invalidArgument, hint: "it has a value per CPU")
            }
            return try withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { buffer throws(BPFError) -> Value? in
                let result = withUnsafePointer(to: key) {
                    bpf_map_lookup_elem(descriptor.raw, $0, buffer.baseAddress)
                }
                if result == 0 - Int32(ENOENT) { return nil }
                try BPFError.check(result, "look up in", name)
                return buffer[0]
            }
        }
    }

    /// Sets the value of `key`, whether it is there or not.
    public func update(key: Key, value: Value) throws(BPFError) {
        try write(key, value, BPF_ANY, "update")
    }

    /// Adds `key`; fails with `EEXIST` if it is there.
    public func insert(key: Key, value: Value) throws(BPFError) {
        try write(key, value, BPF_NOEXIST, "insert into")
    }

    private func write(_ key: Key, _ value: Value, _ mode: some BinaryInteger, _ operation: String) throws(BPFError) {
        let result = withUnsafePointer(to: key) { key in
            withUnsafePointer(to: value) { bpf_map_update_elem(descriptor.raw, key, $0, UInt64(mode)) }
        }
        let hint = result == 0 - Int32(E2BIG) ? "it is full: \(info.maxEntries) entries" : nil
        try BPFError.check(result, operation, name, hint: hint)
    }

    /// Removes `key`; says whether it was there.
    @discardableResult
    public func remove(key: Key) throws(BPFError) -> Bool {
        let result = withUnsafePointer(to: key) { bpf_map_delete_elem(descriptor.raw, $0) }
        if result == 0 - Int32(ENOENT) { return false }
        try BPFError.check(result, "remove from", name)
        return true
    }

    /// Takes the value of `key` out, or returns nil if it is not there.
    ///
    /// What a program adds to it meanwhile is in the result or in a new entry, and never lost between reading and
    /// removing. Hash maps only. Linux 5.14.
    public func take(key: Key) throws(BPFError) -> Value? {
        guard !info.isPerCPU else {
            throw BPFError("take from", name, .invalidArgument, hint: "it has a value per CPU")
        }
        return try withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { buffer throws(BPFError) -> Value? in
            let result = withUnsafePointer(to: key) {
                bpf_map_lookup_and_delete_elem(descriptor.raw, $0, buffer.baseAddress)
            }
            if result == 0 - Int32(ENOENT) { return nil }
            try BPFError.check(result, "take from", name)
            return buffer[0]
        }
    }

    /// Closes the map to writing from user space, for good; programs still write.
    ///
    /// Errors: `EPERM` if it is frozen already, `EBUSY` while it is mapped writable. Linux 5.2.
    public func freeze() throws(BPFError) {
        try BPFError.check(bpf_map_freeze(descriptor.raw), "freeze", name)
    }

    /// One value for each possible CPU, or nil if a hash has no such key.
    ///
    /// Only for per-CPU maps.
    public func valuesPerCPU(of key: Key) throws(BPFError) -> [Value]? {
        guard info.isPerCPU else {
            throw BPFError("look up in", name, .invalidArgument, hint: "it has one value for all CPUs")
        }
        let processors = Int(try BPFError.check(libbpf_num_possible_cpus(), "count the CPUs for", name))
        // The kernel rounds each CPU's value up to eight octets.
        let stride = (MemoryLayout<Value>.size + 7) & ~7
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: stride * processors, alignment: 8)
        defer { buffer.deallocate() }
        let result = withUnsafePointer(to: key) { bpf_map_lookup_elem(descriptor.raw, $0, buffer) }
        if result == 0 - Int32(ENOENT) { return nil }
        try BPFError.check(result, "look up in", name)
        return (0..<processors).map { (buffer + $0 * stride).loadUnaligned(as: Value.self) }
    }

    /// Sets the same value on every CPU.
    ///
    /// Only for per-CPU maps.
    public func updateOnEveryCPU(key: Key, value: Value) throws(BPFError) {
        let processors = Int(try BPFError.check(libbpf_num_possible_cpus(), "count the CPUs for", name))
        let stride = (MemoryLayout<Value>.size + 7) & ~7
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: stride * processors, alignment: 8)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0, count: stride * processors)
        for index in 0..<processors { (buffer + index * stride).storeBytes(of: value, as: Value.self) }
        let result = withUnsafePointer(to: key) { bpf_map_update_elem(descriptor.raw, $0, buffer, UInt64(BPF_ANY)) }
        try BPFError.check(result, "update", name)
    }
}
