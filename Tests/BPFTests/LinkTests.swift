import BPF
import CPseudowireLinux
import Glibc
import SystemPackage
import Testing

/// Runs `body` in a network namespace of its own, where loopback is interface 1.
func inNewNamespace(_ body: () throws -> Void) throws {
    var outcome: Result<Void, any Error> = .success(())
    let result = withoutActuallyEscaping({ outcome = Result(catching: body) }) { visit in
        var visitor = Visitor(visit: visit)
        return withUnsafeMutablePointer(to: &visitor) {
            pseudowire_run_in_namespace(
                Int32(PSEUDOWIRE_NEW_NAMESPACE), { $0?.assumingMemoryBound(to: Visitor.self).pointee.visit() }, $0)
        }
    }
    try #require(result == 0)
    try outcome.get()
}

private struct Visitor {
    let visit: () -> Void
}

/// A program that returns a value; type 3 is tc's, 6 XDP's.
private func returning(_ value: UInt32, type: UInt32 = 3) throws -> Program {
    try Program(instructions: [0xb7 | UInt64(value) << 32, 0x95], type: type, name: "test")
}

@Suite("links", .enabled(if: geteuid() == 0, "needs root"))
struct LinkTests {
    private static let loopback: UInt32 = 1

    @Test("tcx programs run in the order asked for", arguments: [TCXHook.Direction.ingress, .egress])
    func order(direction: TCXHook.Direction) throws {
        try inNewNamespace {
            let hook = TCXHook(direction, of: Self.loopback)
            #expect(try hook.programs().entries.isEmpty)
            let a = try returning(0)
            let b = try returning(0)
            let c = try returning(0)
            let d = try returning(0)
            let middle = try ProgramLink(a, at: hook)
            let last = try ProgramLink(b, at: hook, position: .last)
            let before = try ProgramLink(c, at: hook, position: .before(programID: a.id))
            #expect(try hook.programs().entries.map(\.programID) == [c.id, a.id, b.id])
            do {
                let first = try ProgramLink(d, at: hook, position: .first)
                #expect(try hook.programs().entries.map(\.programID) == [d.id, c.id, a.id, b.id])
                _ = try first.info()
            }
            let after = try ProgramLink(d, at: hook, position: .afterLink(id: try middle.info().id))
            #expect(try hook.programs().entries.map(\.programID) == [c.id, a.id, d.id, b.id])
            #expect(
                try hook.programs().entries.map(\.linkID) == [
                    before.info().id, middle.info().id, after.info().id, last.info().id,
                ])
            let info = try last.info()
            #expect(info.programID == b.id)
            #expect(info.interfaceIndex == Self.loopback)
            #expect(info.attachType == direction.rawValue)
        }
    }

    @Test("a hook that has changed since it was looked at is refused")
    func revision() throws {
        try inNewNamespace {
            let hook = TCXHook(.ingress, of: Self.loopback)
            let program = try returning(0)
            let revision = try hook.programs().revision
            let first = try ProgramLink(program, at: hook, expecting: revision)
            let other = try returning(0)
            let error = #expect(throws: BPFError.self) {
                _ = try ProgramLink(other, at: hook, expecting: revision)
            }
            #expect(error?.errno.rawValue == ESTALE)
            #expect(try hook.programs().entries.map(\.linkID) == [first.info().id])
        }
    }

    @Test("replacing compares, and changes nothing when another program is there")
    func replace() throws {
        try inNewNamespace {
            let hook = TCXHook(.ingress, of: Self.loopback)
            let old = try returning(0)
            let new = try returning(0)
            let link = try ProgramLink(old, at: hook)
            let error = #expect(throws: BPFError.self) { try link.replaceProgram(with: new, expecting: new) }
            #expect(error?.errno.rawValue == EPERM)
            #expect(try link.info().programID == old.id)
            try link.replaceProgram(with: new, expecting: old)
            #expect(try link.info().programID == new.id)
            try link.replaceProgram(with: old)
            #expect(try hook.programs().entries.map(\.programID) == [old.id])
        }
    }

    @Test("a detached link is attached to nothing, and takes no program any more")
    func detach() throws {
        try inNewNamespace {
            let hook = TCXHook(.egress, of: Self.loopback)
            let program = try returning(0)
            let link = try ProgramLink(program, at: hook)
            try link.detach()
            #expect(try link.interfaceIndex() == 0)
            #expect(try hook.programs().entries.isEmpty)
            let error = #expect(throws: BPFError.self) { try link.replaceProgram(with: program) }
            #expect(error?.errno.rawValue == ENOLINK)
        }
    }

    @Test("XDP links are found by their program, replaced with comparison, and go with their owner")
    func xdp() throws {
        try inNewNamespace {
            let old = try returning(2, type: 6)
            let new = try returning(2, type: 6)
            do {
                let link = try ProgramLink(xdp: old, interfaceIndex: Self.loopback, mode: .generic)
                let found = try LinkInfo.all().filter { $0.programID == old.id }
                #expect(found == [try link.info()])
                #expect(found.first?.interfaceIndex == Self.loopback)
                #expect(try ProgramLink(id: link.info().id).info() == link.info())
                let error = #expect(throws: BPFError.self) { try link.replaceProgram(with: new, expecting: new) }
                #expect(error?.errno.rawValue == EPERM)
                try link.replaceProgram(with: new, expecting: old)
                #expect(try link.info().programID == new.id)
            }
            #expect(try LinkInfo.all().allSatisfy { $0.programID != new.id && $0.programID != old.id })
        }
    }

    @Test("what is no interface, and no link, is an error that says so")
    func absent() throws {
        try inNewNamespace {
            let hook = TCXHook(.ingress, of: 4_000_000)
            let program = try returning(0)
            #expect(throws: BPFError.self) { _ = try hook.programs() }
            #expect(throws: BPFError.self) { _ = try ProgramLink(program, at: hook) }
            let error = #expect(throws: BPFError.self) { _ = try ProgramLink(id: UInt32.max - 1) }
            #expect(error?.isNotFound == true)
        }
    }
}
