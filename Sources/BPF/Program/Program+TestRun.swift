internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// What a program did with a frame.
public struct TestRunResult: Sendable {
    /// The program's return value: for tc programs `TC_ACT_*`.
    public let verdict: Int32
    /// The frame as the program left it.
    public let frame: [UInt8]
    /// The mark that it left on it.
    public let mark: UInt32
    /// Mean time of a run in nanoseconds, measured by the kernel.
    public let nanosecondsPerRun: UInt32
}

/// What a tc program is to find in its context beside the frame; the kernel takes no more than these from outside.
public struct TestRunContext: Sendable {
    /// The mark that the frame arrives with; see `TestRunResult.mark` for the one that it leaves with.
    public var mark: UInt32
    /// Interface at which the frame is to have arrived; 0 means loopback.
    ///
    /// It must exist in the calling thread's network namespace.
    public var interfaceIndex: UInt32
    /// Octets of payload in each segment, if the frame is to be a segmentation-offload frame; else 0.
    public var segmentSize: UInt32
    /// How many segments such a frame consists of; else 0.
    public var segments: UInt32

    public init(mark: UInt32 = 0, interfaceIndex: UInt32 = 0, segmentSize: UInt32 = 0, segments: UInt32 = 0) {
        self.mark = mark
        self.interfaceIndex = interfaceIndex
        self.segmentSize = segmentSize
        self.segments = segments
    }
}

extension Program {
    /// Runs a tc program once, or `repetitions` times, on a frame of our making.
    ///
    /// Nothing is sent.
    ///
    /// The frame needs an Ethernet header. Look-ups that the program makes are answered by the calling thread's network
    /// namespace. Linux 5.2.
    public func testRun(
        _ frame: [UInt8], context: TestRunContext = TestRunContext(), repetitions: Int32 = 1
    ) throws(BPFError) -> TestRunResult {
        var output = [UInt8](repeating: 0, count: frame.count + 512)
        var kernelContext = __sk_buff()
        kernelContext.mark = context.mark
        kernelContext.ifindex = context.interfaceIndex
        kernelContext.gso_size = context.segmentSize
        kernelContext.gso_segs = context.segments
        var options = bpf_test_run_opts()
        options.sz = MemoryLayout<bpf_test_run_opts>.size
        options.repeat = repetitions
        let result = frame.withUnsafeBytes { input in
            output.withUnsafeMutableBytes { output in
                withUnsafeMutablePointer(to: &kernelContext) { context in
                    options.data_in = input.baseAddress
                    options.data_size_in = UInt32(input.count)
                    options.data_out = output.baseAddress
                    options.data_size_out = UInt32(output.count)
                    options.ctx_in = UnsafeRawPointer(context)
                    options.ctx_size_in = UInt32(MemoryLayout<__sk_buff>.size)
                    options.ctx_out = UnsafeMutableRawPointer(context)
                    options.ctx_size_out = UInt32(MemoryLayout<__sk_buff>.size)
                    return bpf_prog_test_run_opts(fileDescriptor, &options)
                }
            }
        }
        try BPFError.check(result, "test program", name)
        return TestRunResult(
            verdict: Int32(bitPattern: options.retval), frame: Array(output.prefix(Int(options.data_size_out))),
            mark: kernelContext.mark, nanosecondsPerRun: options.duration)
    }
}
