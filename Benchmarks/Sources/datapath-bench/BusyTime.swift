import Glibc

/// What all CPUs together have spent on anything but idling, from `/proc/stat`: it counts what the kernel does for
/// nobody in particular, which is where frames are carried.
enum BusyTime {
    /// Seconds since the machine started, in steps of 10 ms.
    static func now() throws -> Double {
        guard let file = fopen("/proc/stat", "r") else { throw Failure("/proc/stat cannot be read") }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        guard fgets(&line, Int32(line.count), file) != nil else { throw Failure("/proc/stat is empty") }
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        // cpu user nice system idle iowait irq softirq steal
        let ticks = text.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard ticks.count >= 7 else { throw Failure("/proc/stat reads \(text)") }
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
