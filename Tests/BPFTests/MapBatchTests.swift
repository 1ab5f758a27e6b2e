import Glibc
import SystemPackage
import Testing

@testable import BPF

@Suite("maps in batches", .enabled(if: geteuid() == 0, "needs root"))
struct MapBatchTests {
    private func hash(_ maxEntries: UInt32 = 5000) throws -> Map<UInt32, UInt64> {
        try Map(creating: hashMap, name: "batch", maxEntries: maxEntries, flags: 1)
    }

    private func sample(_ count: Int) -> [(key: UInt32, value: UInt64)] {
        (0..<count).map { (UInt32($0), UInt64($0) * 3) }
    }

    @Test("many are set, listed, drained", arguments: [0, 1, 1023, 1024, 1025, 5000])
    func roundTrip(count: Int) throws {
        let map = try hash()
        try map.update(sample(count))
        let listed = try map.entries()
        #expect(listed.count == count)
        #expect(listed.allSatisfy { $0.value == UInt64($0.key) * 3 })
        var handedOn: [UInt32: UInt64] = [:]
        try map.forEachEntry { handedOn[$0] = $1 }
        #expect(handedOn == Dictionary(uniqueKeysWithValues: listed.map { ($0.key, $0.value) }))
        let drained = try map.drain()
        #expect(Set(drained.map(\.key)) == Set(listed.map(\.key)) && drained.count == count)
        #expect(try map.entries().isEmpty)
    }

    @Test("a bucket that holds more than a batch makes the batch larger", arguments: [1, 2, 3])
    func crowdedBucket(batchSize: Int) throws {
        // 3000 keys in 4096 buckets: there are some with two, three and more.
        let map = try hash(3000)
        try map.update(sample(3000))
        let listed = try map.entries(batchSize: batchSize)
        #expect(listed.count == 3000)
        #expect(Set(listed.map(\.key)).count == 3000)
    }

    @Test("a full map says so, and keeps what fitted")
    func full() throws {
        let map = try hash(100)
        let error = #expect(throws: BPFError.self) { try map.update(sample(200)) }
        #expect(error?.description.contains("full: 100 entries") == true)
        #expect(try map.entries().count == 100)
    }

    @Test("many are removed, and those that were not there are passed over")
    func remove() throws {
        let map = try hash()
        try map.update(sample(3000))
        let odd = (0..<4000).filter { !$0.isMultiple(of: 2) }.map(UInt32.init)
        #expect(try map.remove(keys: odd) == 1500)
        #expect(try map.remove(keys: odd) == 0)
        #expect(try map.remove(keys: []) == 0)
        #expect(Set(try map.entries().map(\.key)) == Set((0..<1500).map { UInt32($0 * 2) }))
        #expect(try map.remove(keys: [0, 1, 2, 3, 4]) == 3)
    }

    @Test("taking returns the value once")
    func take() throws {
        let map = try hash()
        try map.insert(key: 7, value: 70)
        #expect(try map.take(key: 7) == 70)
        #expect(try map.take(key: 7) == nil)
        #expect(try map[7] == nil)
        let array = try Map<UInt32, UInt64>(creating: arrayMap, name: "array", maxEntries: 4)
        #expect(throws: BPFError.self) { _ = try array.take(key: 0) }
    }

    @Test("a frozen map is read, and not written to")
    func freeze() throws {
        let map = try Map<UInt32, UInt64>(creating: arrayMap, name: "frozen", maxEntries: 4)
        try map.update(key: 1, value: 10)
        try map.freeze()
        #expect(try map[1] == 10)
        #expect(throws: BPFError.self) { try map.update(key: 1, value: 11) }
        let again = #expect(throws: BPFError.self) { try map.freeze() }
        #expect(again?.errno == .notPermitted)
        #expect(try map.entries().map(\.value) == [0, 10, 0, 0])
    }

    @Test("values per CPU, of a size that is no multiple of eight")
    func perCPU() throws {
        let map = try PerCPUMap(Map<UInt32, UInt32>(creating: perCPUHashMap, name: "per_cpu", maxEntries: 4))
        #expect(map.processorCount >= sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        #expect(try map[5] == nil)
        let values = (0..<map.processorCount).map { UInt32($0) + 100 }
        try map.update(key: 5, values: values)
        #expect(try map[5] == values)
        #expect(throws: BPFError.self) { try map.update(key: 5, values: values + [1]) }
        #expect(throws: BPFError.self) { try map.update(key: 5, values: []) }
        #expect(try map.remove(key: 5))
        #expect(try !map.remove(key: 5))
    }

    @Test("entries are made as they are needed, each once and in order", arguments: [0, 1, 1024, 2500])
    func made(count: Int) throws {
        let map = try hash()
        var asked: [Int] = []
        try map.update(count: count) { number in
            asked.append(number)
            return (UInt32(number), UInt64(number) * 3)
        }
        #expect(asked == Array(0..<count))
        #expect(try map.entries().allSatisfy { $0.value == UInt64($0.key) * 3 })
        #expect(try map.entries().count == count)
    }

    @Test("many of a per-CPU array's values are set and read together", arguments: [0, 1, 1023, 1024, 1025, 2500])
    func perCPUArray(count: Int) throws {
        let perCPUArrayMap: UInt32 = 6
        let map = try Map<UInt32, UInt32>(creating: perCPUArrayMap, name: "per_cpu", maxEntries: 2500)
        let keys = (0..<UInt32(count)).reversed().map { $0 }
        try map.updateOnEveryCPU(keys: keys, value: 7)
        var found: [UInt32: [UInt32]] = [:]
        try map.forEachValue(ofFirst: count) { found[$0, default: []].append($1) }
        let processors = try map.valuesPerCPU(of: 0)?.count ?? 0
        #expect(found.count == count)
        #expect(found.values.allSatisfy { $0 == [UInt32](repeating: 7, count: processors) })
        #expect(count == 2500 ? true : try map.valuesPerCPU(of: UInt32(count))?.allSatisfy { $0 == 0 } == true)
        // More than there are: all.
        var all = 0
        try map.forEachValue(ofFirst: 10_000) { _, _ in all += 1 }
        #expect(all == 2500 * processors)
        #expect(throws: BPFError.self) { try hash().forEachValue(ofFirst: 1) { _, _ in } }
        #expect(throws: BPFError.self) { try hash().updateOnEveryCPU(keys: [1], value: 1) }
    }

    @Test("maps with one value for all CPUs are no per-CPU maps, and the other way round")
    func perCPUKind() throws {
        let error = #expect(throws: BPFError.self) { _ = try PerCPUMap(hash()) }
        #expect(error?.description.contains("one value for all CPUs") == true)
        let map = try Map<UInt32, UInt64>(creating: perCPUHashMap, name: "per_cpu", maxEntries: 4)
        #expect(throws: BPFError.self) { _ = try map[1] }
        #expect(throws: BPFError.self) { _ = try map.take(key: 1) }
        #expect(throws: BPFError.self) { _ = try map.entries() }
        #expect(throws: BPFError.self) { _ = try map.drain() }
        #expect(throws: BPFError.self) { try map.update([(1, 1)]) }
    }
}
