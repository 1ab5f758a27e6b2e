internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// Many entries of an array with a value per CPU, with few system calls.
extension Map {
    private static var batchSize: Int { 1024 }

    /// The kernel rounds each CPU's value up to eight octets.
    private var stride: Int { (MemoryLayout<Value>.size + 7) & ~7 }

    private func requirePerCPU(_ operation: String) throws(BPFError) -> Int {
        guard info.isPerCPU else {
            throw BPFError(operation, name, .invalidArgument, hint: "it has one value for all CPUs")
        }
        return Int(try BPFError.check(libbpf_num_possible_cpus(), "count the CPUs for", name))
    }

    /// Sets the same value of many keys on every CPU.
    ///
    /// Linux 5.13.
    public func updateOnEveryCPU(keys: [Key], value: Value) throws(BPFError) {
        let processors = try requirePerCPU("update")
        let capacity = min(keys.count, Self.batchSize)
        guard capacity > 0 else { return }
        let values = UnsafeMutableRawPointer.allocate(byteCount: capacity * processors * stride, alignment: 8)
        defer { values.deallocate() }
        values.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * processors * stride)
        for index in 0..<capacity * processors { (values + index * stride).storeBytes(of: value, as: Value.self) }
        var start = 0
        while start < keys.count {
            var count = UInt32(min(keys.count - start, capacity))
            let asked = Int(count)
            let result = keys.withUnsafeBufferPointer {
                bpf_map_update_batch(descriptor.raw, $0.baseAddress.map { $0 + start }, values, &count, nil)
            }
            try BPFError.check(result, "update", name)
            start += asked
        }
    }

    /// The values of the first keys of an array, one for each possible CPU, handed on key by key.
    ///
    /// - Parameters:
    ///   - count: how many keys.
    ///   - body: gets a key and one CPU's value of it; once for each CPU.
    ///
    /// Linux 5.13.
    public func forEachValue(
        ofFirst count: Int, _ body: (Key, Value) -> Void
    ) throws(BPFError) {
        let processors = try requirePerCPU("list")
        let capacity = min(count, Int(info.maxEntries), Self.batchSize)
        guard capacity > 0 else { return }
        let keys = UnsafeMutablePointer<Key>.allocate(capacity: capacity)
        let values = UnsafeMutableRawPointer.allocate(byteCount: capacity * processors * stride, alignment: 8)
        defer {
            keys.deallocate()
            values.deallocate()
        }
        // What was read last, and what is read now.
        let cursors = UnsafeMutablePointer<Key>.allocate(capacity: 2)
        defer { cursors.deallocate() }
        var left = min(count, Int(info.maxEntries))
        var isFirst = true
        while left > 0 {
            var found = UInt32(min(left, capacity))
            let result = bpf_map_lookup_batch(
                descriptor.raw, isFirst ? nil : cursors, cursors + 1, keys, values, &found, nil)
            if result != 0 - Int32(ENOENT) { try BPFError.check(result, "list", name) }
            for index in 0..<Int(found) {
                for processor in 0..<processors {
                    body(
                        keys[index], (values + (index * processors + processor) * stride).loadUnaligned(as: Value.self))
                }
            }
            if result < 0 || found == 0 { return }
            left -= Int(found)
            cursors.update(from: cursors + 1, count: 1)
            isFirst = false
        }
    }
}
