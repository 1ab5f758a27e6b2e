internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

extension Feature {
    /// Asks the kernel, whatever it said before.
    func probe() -> Support {
        LibbpfMessages.silenced
        return switch self {
        case .mapType(let type): Self.probe(mapType: type)
        case .programType(let type): Self.probe(programType: type)
        case .helper(let helper, let type): Self.probe(helper: helper, programType: type)
        case .tcx: Self.probeTCX()
        }
    }

    /// What an error means for something that would have been there.
    private static func judge(_ error: BPFError) -> Support {
        switch error.errno.rawValue {
        case EINVAL, E2BIG, EOPNOTSUPP, notSupported: .no
        default: .unknown(error)
        }
    }

    /// `ENOTSUPP`, the kernel's own "not supported", which libc has no name for.
    private static var notSupported: Int32 { 524 }

    private static func probe(mapType type: UInt32) -> Support {
        // Each type has its own idea of a key, a value and a size; one of these suits every plain type.
        var refusal: BPFError?
        for (key, value, entries) in [(4, 4, 1), (0, 4, 1), (8, 4, 1), (0, 0, UInt32(sysconf(Int32(_SC_PAGESIZE))))] {
            var options = bpf_map_create_opts()
            options.sz = MemoryLayout<bpf_map_create_opts>.size
            // BPF_F_NO_PREALLOC is what tries demand.
            options.map_flags = type == BPF_MAP_TYPE_LPM_TRIE.rawValue ? 1 : 0
            let result = bpf_map_create(
                bpf_map_type(rawValue: type), "probe", UInt32(key), UInt32(value), entries, &options)
            if result >= 0 {
                close(result)
                return .yes
            }
            let error = BPFError("probe", "map type \(type)", Errno(rawValue: 0 - result))
            guard case .no = judge(error) else { return .unknown(error) }
            refusal = error
        }
        return refusal.map(judge) ?? .no
    }

    private static func probe(programType type: UInt32) -> Support {
        do throws(BPFError) {
            _ = try Program(instructions: [0xb7, 0x95], type: type, name: "probe")
            return .yes
        } catch {
            // A program that the verifier has read is of a type that it knows.
            return error.verifier == nil ? judge(error) : .yes
        }
    }

    private static func probe(helper: UInt32, programType type: UInt32) -> Support {
        do throws(BPFError) {
            // Called without arguments: where the helper is known, they are what the verifier complains of.
            _ = try Program(instructions: [0x85 | UInt64(helper) << 32, 0xb7, 0x95], type: type, name: "probe")
            return .yes
        } catch {
            guard let log = error.verifier?.full else { return judge(error) }
            // "invalid func unknown#9999", "unknown func bpf_redirect#23", "program of this type cannot use helper …"
            let refusals = ["invalid func ", "unknown func ", "program of this type cannot use helper "]
            return refusals.contains { log.contains($0) } ? .no : .yes
        }
    }

    private static func probeTCX() -> Support {
        do throws(BPFError) {
            // No interface has this number: a kernel that knows tcx says so, another one does not get that far.
            _ = try TCXHook(.ingress, of: UInt32(Int32.max)).programs()
            return .yes
        } catch {
            return error.errno.rawValue == ENODEV ? .yes : judge(error)
        }
    }
}
