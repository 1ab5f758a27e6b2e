internal import Glibc
internal import SystemPackage

/// Descriptors set aside, so that a change which runs out of them half-way can still be undone.
///
/// Undoing opens pins, and what cannot be opened cannot be put back. Where there are too few, a change fails before it
/// has begun.
struct DescriptorReserve: ~Copyable {
    /// More than any step has open at one time.
    private static let size = 8

    private var descriptors: [Int32] = []

    init() throws(PseudowireError) {
        for _ in 0..<Self.size {
            let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                let error = Errno(rawValue: errno)
                release()
                throw .system("set descriptors aside for undoing", error)
            }
            descriptors.append(descriptor)
        }
    }

    /// Gives them back to whoever needs them now.
    mutating func release() {
        for descriptor in descriptors { close(descriptor) }
        descriptors = []
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }
}
