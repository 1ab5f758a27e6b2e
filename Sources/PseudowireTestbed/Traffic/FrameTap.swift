import CPseudowireLinux
import Glibc
public import RouteNetlink
import SystemPackage

/// A look at an interface's frames, and a way to send any frame through it: an `AF_PACKET` socket.
///
/// ```swift
/// let tap = try FrameTap(on: "veth12", in: network.edge1)
/// try Echo(to: "192.0.1.103").run(in: network.host0)
/// let frames = try tap.frames()                       // all that crossed veth12 since the tap was opened
/// try PcapFile.write(frames, to: "/tmp/outer.pcap")
/// ```
///
/// Frames are queued by the kernel from `init` on, whether or not anybody reads; the queue holds `bufferSize`
/// octets. What an interface receives is seen before BPF, what it sends after. Needs `CAP_NET_RAW` and `CAP_NET_ADMIN`.
public struct FrameTap: ~Copyable, Sendable {
    private let descriptor: Int32
    /// The interface's name.
    public let interface: String

    /// Opens the tap.
    ///
    /// - Parameter directions: what to see; `.received` alone halves the work.
    /// - Parameter bufferSize: octets, with the kernel's own overhead of some hundreds for each frame.
    /// - Throws: `TestbedError` with `ENODEV` when the namespace has no such interface.
    public init(
        on interface: String, in namespace: borrowing NetworkNamespace, directions: Directions = .both,
        bufferSize: Int32 = 16 << 20
    ) throws(TestbedError) {
        let result: Int32
        do {
            result = try namespace.run { () -> Int32 in
                pseudowire_packet_open(interface, bufferSize, directions == .both ? 1 : 0)
            }
        } catch {
            throw .netlink(error)
        }
        guard result >= 0 else { throw .system("open a tap on \(interface)", Errno(rawValue: -result)) }
        descriptor = result
        self.interface = interface
    }

    deinit { close(descriptor) }

    /// Which frames a tap sees.
    public enum Directions: Hashable, Sendable {
        /// What the interface takes in.
        case received
        /// What it takes in, and what it sends out.
        case both
    }

    /// Sends a frame out of the interface.
    ///
    /// ```swift
    /// try tap.send(frame.bytes)
    /// try tap.send(large, offload: .init(checksumStart: 34, checksumOffset: 16,
    ///     segmentation: .tcp4, segmentSize: 1400, headerLength: 54))
    /// ```
    ///
    /// - Parameter frame: Ethernet header to payload, without FCS.
    /// - Parameter offload: what the kernel is to complete; by default the frame is sent as it is.
    /// - Throws: `TestbedError` with `EMSGSIZE` beyond the MTU, `ENETDOWN` when the interface is down.
    public borrowing func send(_ frame: [UInt8], offload: Offload? = nil) throws(TestbedError) {
        var notes = pseudowire_frame_notes()
        if let offload {
            notes.needs_checksum = 1
            notes.checksum_start = offload.checksumStart
            notes.checksum_offset = offload.checksumOffset
            notes.segmentation = offload.segmentation.rawValue
            notes.segment_size = offload.segmentSize
            notes.header_length = offload.headerLength
        }
        let result = pseudowire_packet_send(descriptor, frame, frame.count, &notes)
        guard result == 0 else {
            throw .system("send a frame of \(frame.count) octets on \(interface)", Errno(rawValue: -result))
        }
    }

    /// The frames that have come by and have not been read yet.
    ///
    /// - Parameter quiet: wait until nothing has come for so long.
    /// - Parameter limit: stop after so many frames.
    /// - Parameter timeout: stop after so long in any case.
    public borrowing func frames(
        quiet: Duration = .milliseconds(50), limit: Int = .max, timeout: Duration = .seconds(5)
    ) throws(TestbedError) -> [CapturedFrame] {
        var frames: [CapturedFrame] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        let end = Deadline(after: timeout)
        var silence = Deadline(after: quiet)
        while frames.count < limit {
            if let frame = try next(&buffer) {
                frames.append(frame)
                silence = Deadline(after: quiet)
                if end.hasPassed { break }
                continue
            }
            if silence.hasPassed || end.hasPassed { break }
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = Glibc.poll(
                &poll, 1, min(silence.milliseconds(atMost: 1000), end.milliseconds(atMost: 1000)))
        }
        return frames
    }

    /// Frames that the queue had no room for since the last call.
    public borrowing func overflow() throws(TestbedError) -> Int {
        let count = pseudowire_packet_overflow(descriptor)
        guard count >= 0 else {
            throw .system("read the statistics of a tap", Errno(rawValue: Int32(truncatingIfNeeded: -count)))
        }
        return Int(count)
    }

    /// The next frame of the queue; nil when it is empty.
    private borrowing func next(_ buffer: inout [UInt8]) throws(TestbedError) -> CapturedFrame? {
        while true {
            var notes = pseudowire_frame_notes()
            let count = pseudowire_packet_receive(descriptor, &buffer, buffer.count, &notes)
            if count >= 0 { return CapturedFrame(buffer[..<count], notes) }
            switch Int32(-count) {
            case EAGAIN: return nil
            // A kind of segmentation that the header has no number for: the kernel has thrown the frame away.
            case EINVAL: continue
            // Told once, then the queue goes on.
            case ENETDOWN: continue
            default: throw .system("capture on \(interface)", Errno(rawValue: Int32(-count)))
            }
        }
    }
}
