internal import CPseudowireLinux
internal import Glibc
internal import SystemPackage

/// A place on an interface where programs run one after another: tcx.
///
/// ```swift
/// for entry in try TCXHook(.ingress, of: 3).programs().entries { print(entry.programID) }
/// ```
///
/// Linux 6.6. Source: `kernel/bpf/tcx.c`.
public struct TCXHook: Sendable, Equatable {
    /// Which way frames go, as the host sees it.
    public enum Direction: UInt32, Sendable {
        /// The corresponding C constant is `BPF_TCX_INGRESS`.
        case ingress = 46
        /// The corresponding C constant is `BPF_TCX_EGRESS`.
        case egress = 47
    }

    /// Of the network namespace of the thread that attaches or asks.
    public var interfaceIndex: UInt32
    /// Which of the interface's two hooks.
    public var direction: Direction

    public init(_ direction: Direction, of interfaceIndex: UInt32) {
        self.direction = direction
        self.interfaceIndex = interfaceIndex
    }

    /// Where a program goes among those that are there.
    public enum Position: Sendable, Equatable {
        /// Before or behind all that are there at that moment; who comes later may say the same.
        case first, last
        /// Relative to a program, by its number; `ENOENT` when it is not on this hook.
        case before(programID: UInt32)
        /// Right behind a program, by its number; `ENOENT` when it is not on this hook.
        case after(programID: UInt32)
        /// Relative to a link, by its number; `ENOENT` when it is not on this hook.
        case beforeLink(id: UInt32)
        /// Right behind a link, by its number; `ENOENT` when it is not on this hook.
        case afterLink(id: UInt32)

        /// `BPF_F_BEFORE`, `BPF_F_AFTER`, `BPF_F_ID`, `BPF_F_LINK`.
        var request: (flags: UInt32, relative: UInt32) {
            let (before, after, id, link): (UInt32, UInt32, UInt32, UInt32) = (1 << 3, 1 << 4, 1 << 5, 1 << 13)
            return switch self {
            case .first: (before, 0)
            case .last: (after, 0)
            case .before(let program): (before | id, program)
            case .after(let program): (after | id, program)
            case .beforeLink(let number): (before | id | link, number)
            case .afterLink(let number): (after | id | link, number)
            }
        }
    }

    /// The programs of a hook, in the order in which they run.
    public struct Programs: Sendable, Equatable {
        /// A program with how it was attached.
        public struct Entry: Sendable, Equatable {
            /// The kernel's number of it: see `ProgramInfo`.
            public let programID: UInt32
            /// Nil when the program was attached without a link.
            public let linkID: UInt32?
        }

        /// Changes whenever the list does; hand it to `ProgramLink` to refuse a hook that has changed since.
        public let revision: UInt64
        /// In the order in which they run; at most 64, which is all that the kernel lets be.
        public let entries: [Entry]
    }

    /// Asks which programs are attached, in the **calling thread's** network namespace.
    ///
    /// Errors: `ENODEV` without such an interface, `EINVAL` before Linux 6.6.
    public func programs() throws(BPFError) -> Programs {
        var capacity = 64  // as many as the kernel lets be
        while true {
            var programs = [UInt32](repeating: 0, count: capacity)
            var links = [UInt32](repeating: 0, count: capacity)
            var request = pseudowire_bpf_query()
            request.interface = interfaceIndex
            request.attach_type = direction.rawValue
            request.count = UInt32(capacity)
            let result = programs.withUnsafeMutableBytes { programs in
                links.withUnsafeMutableBytes { links in
                    request.program_ids = UInt64(UInt(bitPattern: programs.baseAddress))
                    request.link_ids = UInt64(UInt(bitPattern: links.baseAddress))
                    return pseudowire_bpf_query_programs(&request)
                }
            }
            if result == 0 - Int32(ENOSPC), Int(request.count) > capacity {
                capacity = Int(request.count)
                continue
            }
            try BPFError.check(result, "list programs of", "\(direction) of interface \(interfaceIndex)")
            let entries = zip(programs, links).prefix(Int(request.count)).map {
                Programs.Entry(programID: $0, linkID: $1 == 0 ? nil : $1)
            }
            return Programs(revision: request.revision, entries: entries)
        }
    }
}
