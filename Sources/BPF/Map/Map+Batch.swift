internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// Many entries with few system calls.
extension Map {
    /// How many entries a batch has at first.
    private static var batchSize: Int { 1024 }

    /// All entries of a hash map or an array, read in batches.
    ///
    /// Entries added or removed meanwhile may or may not be seen. Linux 5.6.
    public func entries() throws(BPFError) -> [(key: Key, value: Value)] {
        try entries(batchSize: Self.batchSize)
    }

    func entries(batchSize: Int) throws(BPFError) -> [(key: Key, value: Value)] {
        try collect("list", batchSize, bpf_map_lookup_batch)
    }

    /// The same entries, handed on one by one: where few of many matter, there need be no list of them all.
    ///
    /// ```swift
    /// try access.forEachEntry { key, value in if value.path_mtu != 0 { learned[key] = value.path_mtu } }
    /// ```
    ///
    /// Linux 5.6.
    public func forEachEntry(_ body: (Key, Value) -> Void) throws(BPFError) {
        try walk("list", Self.batchSize, bpf_map_lookup_batch) { keys, values, count in
            for index in 0..<count { body(keys[index], values[index]) }
        }
    }

    /// Takes all entries out of a hash map and returns them.
    ///
    /// What a program writes into an entry is either seen here or in an entry that it adds anew. Linux 5.6.
    public func drain() throws(BPFError) -> [(key: Key, value: Value)] {
        try collect("drain", Self.batchSize, bpf_map_lookup_and_delete_batch)
    }

    private typealias BatchCommand = (
        Int32, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?,
        UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt32>?, UnsafePointer<bpf_map_batch_opts>?
    ) -> Int32

    private func collect(
        _ operation: String, _ batchSize: Int, _ command: BatchCommand
    ) throws(BPFError) -> [(key: Key, value: Value)] {
        var found: [(key: Key, value: Value)] = []
        try walk(operation, batchSize, command) { keys, values, count in
            for index in 0..<count { found.append((keys[index], values[index])) }
        }
        return found
    }

    /// - Parameter take: gets the keys and values of each batch, and how many there are.
    private func walk(
        _ operation: String, _ batchSize: Int, _ command: BatchCommand,
        _ take: (UnsafePointer<Key>, UnsafePointer<Value>, Int) -> Void
    ) throws(BPFError) {
        guard !info.isPerCPU else {
            throw BPFError(operation, name, .invalidArgument, hint: "it has a value per CPU")
        }
        // The cursor is a bucket number to some map types and a key to others.
        let cursorSize = max(8, MemoryLayout<Key>.size)
        let cursors = UnsafeMutableRawPointer.allocate(byteCount: 2 * cursorSize, alignment: 8)
        defer { cursors.deallocate() }
        var isFirst = true
        var capacity = max(1, min(Int(info.maxEntries), batchSize))
        var keys = UnsafeMutablePointer<Key>.allocate(capacity: capacity)
        var values = UnsafeMutablePointer<Value>.allocate(capacity: capacity)
        defer {
            keys.deallocate()
            values.deallocate()
        }
        while true {
            var count = UInt32(capacity)
            let result = command(
                descriptor.raw, isFirst ? nil : cursors, cursors + cursorSize, keys, values, &count, nil)
            if result == 0 - Int32(ENOSPC), capacity < Int(info.maxEntries) {
                // One bucket holds more than a batch does.
                capacity *= 2
                keys.deallocate()
                values.deallocate()
                keys = .allocate(capacity: capacity)
                values = .allocate(capacity: capacity)
                continue
            }
            if result != 0 - Int32(ENOENT) { try BPFError.check(result, operation, name) }
            take(keys, values, Int(count))
            if result < 0 { return }
            cursors.copyMemory(from: cursors + cursorSize, byteCount: cursorSize)
            isFirst = false
        }
    }

    /// Sets the values of many keys, whether they are there or not.
    ///
    /// Not all or nothing: those before the one that failed are set. Linux 5.6.
    public func update(_ entries: [(key: Key, value: Value)]) throws(BPFError) {
        try update(count: entries.count) { entries[$0] }
    }

    /// The same of entries that are made as they are needed: a million need no list of them all.
    ///
    /// ```swift
    /// try sessions.update(count: wires.count) { (wires[$0].session, value(wires[$0])) }
    /// ```
    ///
    /// - Parameter entry: the entry with a number, asked for once for each from 0 on.
    public func update(count: Int, _ entry: (Int) -> (key: Key, value: Value)) throws(BPFError) {
        guard !info.isPerCPU else {
            throw BPFError("update", name, .invalidArgument, hint: "it has a value per CPU")
        }
        let capacity = min(count, Self.batchSize)
        let keys = UnsafeMutablePointer<Key>.allocate(capacity: max(1, capacity))
        let values = UnsafeMutablePointer<Value>.allocate(capacity: max(1, capacity))
        defer {
            keys.deallocate()
            values.deallocate()
        }
        for start in stride(from: 0, to: count, by: Self.batchSize) {
            let size = min(count - start, capacity)
            for index in 0..<size {
                let (key, value) = entry(start + index)
                (keys + index).initialize(to: key)
                (values + index).initialize(to: value)
            }
            var done = UInt32(size)
            let result = bpf_map_update_batch(descriptor.raw, keys, values, &done, nil)
            let hint = result == 0 - Int32(E2BIG) ? "it is full: \(info.maxEntries) entries" : nil
            try BPFError.check(result, "update", name, hint: hint)
        }
    }

    /// Removes many keys from a hash map and returns how many of them were there.
    ///
    /// Linux 5.6.
    @discardableResult
    public func remove(keys: [Key]) throws(BPFError) -> Int {
        var removed = 0
        var next = 0
        while next < keys.count {
            let asked = min(keys.count - next, Self.batchSize)
            var count = UInt32(asked)
            let result = keys.withUnsafeBufferPointer {
                bpf_map_delete_batch(descriptor.raw, $0.baseAddress.map { $0 + next }, &count, nil)
            }
            let done = min(Int(count), asked)
            removed += done
            next += done
            if result == 0 - Int32(ENOENT) {
                // The one it stopped at was not there.
                next += 1
                continue
            }
            try BPFError.check(result, "remove from", name)
        }
        return removed
    }
}
