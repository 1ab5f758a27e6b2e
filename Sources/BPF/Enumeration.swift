internal import Glibc
internal import SystemPackage

/// Walks the kernel's objects of one kind by their numbers.
enum Enumeration {
    /// - Parameters:
    ///   - next: sets the number that follows the given one, or returns `-ENOENT`.
    ///   - describe: an object may be gone before it is opened, or a link have a number while it is still being made
    ///     (`bpf_link_by_id` in kernel/bpf/syscall.c); `ENOENT` and `EAGAIN` leave it out.
    static func of<Info>(
        _ subject: String, next: (UInt32, UnsafeMutablePointer<UInt32>) -> Int32,
        describe: (UInt32) throws(BPFError) -> Info
    ) throws(BPFError) -> [Info] {
        var found: [Info] = []
        var id: UInt32 = 0
        while true {
            let result = next(id, &id)
            if result == 0 - Int32(ENOENT) { return found }
            try BPFError.check(result, "enumerate", subject)
            do throws(BPFError) {
                found.append(try describe(id))
            } catch  where error.isNotFound || error.errno == .resourceTemporarilyUnavailable {
                continue
            }
        }
    }
}
