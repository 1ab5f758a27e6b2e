internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

extension Program {
    /// Runs an XDP program on copies of a frame as if they had arrived, and does with each what the program says.
    ///
    /// A traffic generator: `XDP_TX` and `XDP_REDIRECT` **send** them, `XDP_PASS` hands them to the stack.
    ///
    /// ```swift
    /// try program.sendLive(frame, count: 1_000_000, arrivingAt: index)
    /// ```
    ///
    /// - Parameters:
    ///   - interfaceIndex: where they are to have arrived, in the **calling thread's** network namespace.
    ///   - queue: on which of its receive queues.
    ///   - batchSize: how many are processed at a time, at most 256.
    ///
    /// Errors: `EINVAL` also from a kernel that does not know how. A signal ends the run early: `EINTR`. Linux 5.18.
    public func sendLive(
        _ frame: [UInt8], count: Int32, arrivingAt interfaceIndex: UInt32, queue: UInt32 = 0, batchSize: UInt32 = 64
    ) throws(BPFError) {
        var arrival = xdp_md()
        arrival.data_end = UInt32(frame.count)
        arrival.ingress_ifindex = interfaceIndex
        arrival.rx_queue_index = queue
        var options = bpf_test_run_opts()
        options.sz = MemoryLayout<bpf_test_run_opts>.size
        options.repeat = count
        options.flags = 1 << 1  // BPF_F_TEST_XDP_LIVE_FRAMES
        options.batch_size = batchSize
        let result = frame.withUnsafeBytes { input in
            withUnsafePointer(to: arrival) { arrival in
                options.data_in = input.baseAddress
                options.data_size_in = UInt32(input.count)
                options.ctx_in = UnsafeRawPointer(arrival)
                options.ctx_size_in = UInt32(MemoryLayout<xdp_md>.size)
                return bpf_prog_test_run_opts(fileDescriptor, &options)
            }
        }
        try BPFError.check(result, "send live frames through", name)
    }
}
