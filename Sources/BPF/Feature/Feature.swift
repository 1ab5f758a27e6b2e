internal import Synchronization

/// Something that one kernel can do and another cannot.
///
/// ```swift
/// switch Feature.tcx.support() {
/// case .yes: …
/// case .no: …                          // this kernel will never have it
/// case .unknown(let error): …          // it would not say: ask again with more privileges
/// }
/// ```
public enum Feature: Hashable, Sendable {
    /// The corresponding C constants are `BPF_MAP_TYPE_*`.
    ///
    /// Only for types that need no type information and no inner map.
    case mapType(UInt32)
    /// The corresponding C constants are `BPF_PROG_TYPE_*`.
    ///
    /// Only for types whose programs can be loaded without saying what they will be attached to.
    case programType(UInt32)
    /// A helper function (`BPF_FUNC_*`) in programs of a type.
    case helper(UInt32, programType: UInt32)
    /// Programs in a chosen order on an interface's hooks: Linux 6.6.
    case tcx

    /// Ring buffers that all CPUs share: Linux 5.8.
    ///
    /// The corresponding C constant is `BPF_MAP_TYPE_RINGBUF`.
    public static let ringBuffer = Feature.mapType(27)

    /// Whether this kernel can do it.
    public enum Support: Sendable {
        /// The kernel has said so, and says the same for as long as it runs.
        case yes, no
        /// The kernel refused to be asked, for want of privileges or memory.
        case unknown(BPFError)
    }

    /// Asks the kernel, the first time; a `yes` or `no` then holds for the process's life.
    ///
    /// Needs CAP_BPF and CAP_NET_ADMIN; `unknown` without.
    public func support() -> Support {
        if let known = Self.known.withLock({ $0[self] }) { return known ? .yes : .no }
        let answer = probe()
        switch answer {
        case .yes: Self.known.withLock { $0[self] = true }
        case .no: Self.known.withLock { $0[self] = false }
        case .unknown: break
        }
        return answer
    }

    private static let known = Mutex<[Feature: Bool]>([:])
}
