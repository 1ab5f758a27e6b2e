import BPF
import Foundation

/// What the kernel says about its own memory.
enum KernelMemory {
    /// Octets of slabs, of memory that every CPU has its own of, and of mapped pages.
    static func now() -> Double {
        let text = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").reduce(0) { total, line in
            let words = line.split(separator: " ")
            guard ["Slab:", "Percpu:", "VmallocUsed:"].contains(words.first), words.count > 1 else { return total }
            return total + (Double(words[1]) ?? 0) * 1024
        }
    }

    /// Waits until no more is freed: for two seconds on end, for a minute at most.
    static func settle() {
        var last = now()
        var quiet = 0
        for _ in 0..<60 where quiet < 2 {
            sleep(1)
            let present = now()
            quiet = present > last - 1e6 ? quiet + 1 : 0
            last = present
        }
    }

    /// Octets of each map that is pinned in a directory.
    static func maps(of directory: String) throws -> [String: Double] {
        var found: [String: Double] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            // Programs and links are no maps.
            guard let map = try? RawMap(pinnedAt: "\(directory)/\(name)") else { continue }
            let text = try String(contentsOfFile: "/proc/self/fdinfo/\(map.fileDescriptor)", encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.hasPrefix("memlock:") }
            guard let octets = line?.split(separator: "\t").last.flatMap({ Double($0) }) else {
                throw Failure("the kernel does not say how large \(name) is")
            }
            found[name] = octets
        }
        return found
    }

    /// Seconds that it takes to fill maps as large as those of so many pseudowires, in batches: the entry by which
    /// frames are sent, the one by which they are taken in, what ICMP is found by, and the record.
    static func fill(_ count: Int) throws -> Double {
        try fill(count, UInt64.self, Octets120.self) + fill(count, UInt32.self, Octets72.self)
            + fill(count, Octets24.self, UInt64.self) + fill(count, Octets32.self, Octets168.self)
    }

    private typealias Octets24 = (UInt64, UInt64, UInt64)
    private typealias Octets32 = (UInt64, UInt64, UInt64, UInt64)
    private typealias Octets72 = (Octets24, Octets24, Octets24)
    private typealias Octets120 = (Octets72, Octets24, Octets24)
    private typealias Octets168 = (Octets120, Octets24, Octets24)

    private static func fill<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ count: Int, _ key: Key.Type, _ value: Value.Type
    ) throws -> Double {
        let hash: UInt32 = 1, noPreallocation: UInt32 = 1
        let map = try Map<Key, Value>(creating: hash, name: "bench", maxEntries: UInt32(count), flags: noPreallocation)
        let start = monotonicSeconds()
        try map.update(count: count) { number in
            withUnsafeTemporaryAllocation(of: (key: Key, value: Value).self, capacity: 1) { buffer in
                let octets = UnsafeMutableRawBufferPointer(buffer)
                octets.initializeMemory(as: UInt8.self, repeating: 0)
                octets.storeBytes(of: UInt32(number), as: UInt32.self)
                return buffer[0]
            }
        }
        return monotonicSeconds() - start
    }
}
