import BPF
import Glibc
import SystemPackage
import Testing

/// Runs `body` on a thread that has no capabilities, and waits.
///
/// The system call, unlike `setuid` in libc, changes the calling thread alone.
private func withoutCapabilities(_ body: @escaping @Sendable () -> Void) throws {
    typealias SetCapabilities = @convention(c) (UnsafeRawPointer, UnsafeRawPointer) -> Int32
    struct Work {
        let body: @Sendable () -> Void
        let setCapabilities: SetCapabilities
        var result: Int32 = -1
    }
    let symbol = try #require(dlsym(nil, "capset"))
    var work = Work(body: body, setCapabilities: unsafeBitCast(symbol, to: SetCapabilities.self))
    let joined = withUnsafeMutablePointer(to: &work) { work in
        var thread = pthread_t()
        let created = pthread_create(
            &thread, nil,
            { argument in
                guard let work = argument?.assumingMemoryBound(to: Work.self) else { return nil }
                let header: [UInt32] = [0x2008_0522, 0]  // _LINUX_CAPABILITY_VERSION_3, this thread
                let none: [UInt32] = [0, 0, 0, 0, 0, 0]
                work.pointee.result = work.pointee.setCapabilities(header, none)
                if work.pointee.result == 0 { work.pointee.body() }
                return nil
            }, work)
        return created == 0 && pthread_join(thread, nil) == 0
    }
    try #require(joined && work.result == 0)
}

extension Feature.Support {
    fileprivate var text: String {
        switch self {
        case .yes: "yes"
        case .no: "no"
        case .unknown(let error): "unknown: \(error.errno.rawValue)"
        }
    }
}

@Suite("features", .enabled(if: geteuid() == 0, "needs root"))
struct FeatureTests {
    @Test(
        "what every supported kernel has",
        arguments: [
            Feature.ringBuffer, .mapType(1), .mapType(2), .mapType(6), .mapType(9), .mapType(11), .mapType(22),
            .programType(1), .programType(3), .programType(6), .helper(1, programType: 3), .helper(130, programType: 6),
            .helper(23, programType: 3),
        ])
    func present(feature: Feature) {
        #expect(feature.support().text == "yes")
        #expect(feature.support().text == "yes")
    }

    @Test(
        "what no kernel has",
        arguments: [
            Feature.mapType(4000), .programType(4000), .helper(40_000, programType: 3),
            // A helper of tc programs only: bpf_skb_store_bytes.
            .helper(9, programType: 6),
        ])
    func absent(feature: Feature) {
        #expect(feature.support().text == "no")
    }

    @Test("tcx is there if a program can be attached by it")
    func tcx() throws {
        try inNewNamespace {
            let program = try Program(instructions: [0xb7, 0x95], type: 3, name: "test")
            do throws(BPFError) {
                _ = try ProgramLink(program, at: TCXHook(.ingress, of: 1))
                #expect(Feature.tcx.support().text == "yes")
            } catch {
                #expect(Feature.tcx.support().text == "no")
            }
        }
    }

    @Test("a lack of privileges is unknown, is not remembered, and does not forget what is known")
    func unknown() throws {
        // Asked by no other test: an answer that is known would hide the refusal.
        let features: [Feature] = [
            .mapType(5), .programType(7), .helper(2, programType: 3), .helper(41_000, programType: 3),
        ]
        try withoutCapabilities {
            for feature in features { #expect(feature.support().text == "unknown: \(EPERM)", "\(feature)") }
        }
        #expect(features.map { $0.support().text } == ["yes", "yes", "yes", "no"])
        try withoutCapabilities {
            #expect(features.map { $0.support().text } == ["yes", "yes", "yes", "no"])
        }
    }
}
