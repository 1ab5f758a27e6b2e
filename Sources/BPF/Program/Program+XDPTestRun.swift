internal import CPseudowireBPF

extension Program {
    /// Runs an XDP program once, or `repetitions` times, on a frame of our making.
    ///
    /// ```swift
    /// let result = try program.testRunXDP(frame)
    /// if result.verdict == 2 { print("passed") }      // XDP_PASS
    /// ```
    ///
    /// Nothing is sent. The frame has arrived at the loopback interface of the calling thread's network namespace,
    /// which also answers look-ups. It needs an Ethernet header. Linux 5.2.
    public func testRunXDP(_ frame: [UInt8], repetitions: Int32 = 1) throws(BPFError) -> TestRunResult {
        var output = [UInt8](repeating: 0, count: frame.count + 512)
        var options = bpf_test_run_opts()
        options.sz = MemoryLayout<bpf_test_run_opts>.size
        options.repeat = repetitions
        let result = frame.withUnsafeBytes { input in
            output.withUnsafeMutableBytes { output in
                options.data_in = input.baseAddress
                options.data_size_in = UInt32(input.count)
                options.data_out = output.baseAddress
                options.data_size_out = UInt32(output.count)
                return bpf_prog_test_run_opts(fileDescriptor, &options)
            }
        }
        try BPFError.check(result, "test program", name)
        return TestRunResult(
            verdict: Int32(bitPattern: options.retval), frame: Array(output.prefix(Int(options.data_size_out))),
            mark: 0, nanosecondsPerRun: options.duration)
    }
}
