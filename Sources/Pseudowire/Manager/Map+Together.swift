internal import BPF
internal import Glibc

/// Long rows of entries, shared out among processors: the kernel takes entries of one map from several at a time.
extension Map {
    /// Sets many entries that are made as they are needed, a part of them on each of several threads.
    ///
    /// Returns when all threads are done. Where it fails, any number of entries are set.
    func updateTogether(count: Int, _ entry: (Int) -> (key: Key, value: Value)) throws(BPFError) {
        // So few are not worth a thread.
        let shares = min(PlainThread.processors, count / 1024)
        guard shares > 1 else { return try update(count: count, entry) }
        try withoutActuallyEscaping(entry) { entry throws(BPFError) in
            nonisolated(unsafe) let entry = entry
            let failures = UnsafeMutablePointer<BPFError?>.allocate(capacity: shares)
            failures.initialize(repeating: nil, count: shares)
            defer {
                failures.deinitialize(count: shares)
                failures.deallocate()
            }
            PlainThread.forEach(shares) { share in
                let (start, end) = (count * share / shares, count * (share + 1) / shares)
                do throws(BPFError) {
                    try update(count: end - start) { entry(start + $0) }
                } catch {
                    failures[share] = error
                }
            }
            for share in 0..<shares { if let failure = failures[share] { throw failure } }
        }
    }
}
