import Glibc
public import SystemPackage

/// Captured frames as a file that Wireshark and tcpdump read.
///
/// ```swift
/// try PcapFile.write(tap.frames(), to: "/tmp/outer.pcap")
/// ```
///
/// The plain pcap format, link type Ethernet, timestamps in microseconds, this machine's byte order.
public enum PcapFile {
    /// Writes the frames to a new file, or over an old one.
    ///
    /// - Throws: `TestbedError` with the operation and its errno.
    public static func write(_ frames: some Sequence<CapturedFrame>, to path: FilePath) throws(TestbedError) {
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter {
                _ = try file.writeAll(contents(of: frames))
            }
        } catch let error as Errno {
            throw .system("write \(path)", error)
        } catch {
            throw .refused("write \(path): \(error)")
        }
    }

    /// The file's octets.
    public static func contents(of frames: some Sequence<CapturedFrame>) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ words: UInt32...) {
            for word in words { withUnsafeBytes(of: word) { bytes += $0 } }
        }
        // Magic, version 2.4 as two halves, time zone, accuracy, longest frame, link type.
        append(0xa1b2_c3d4)
        for half: UInt16 in [2, 4] { withUnsafeBytes(of: half) { bytes += $0 } }
        append(0, 0, 262_144, 1)
        for frame in frames {
            let length = UInt32(truncatingIfNeeded: frame.bytes.count)
            append(
                UInt32(truncatingIfNeeded: frame.timestamp / 1_000_000_000),
                UInt32(truncatingIfNeeded: frame.timestamp % 1_000_000_000 / 1000), length, length)
            bytes += frame.bytes
        }
        return bytes
    }
}
