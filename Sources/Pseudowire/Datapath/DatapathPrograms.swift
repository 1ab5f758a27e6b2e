internal import BPF
internal import RouteNetlink

/// The programs of one datapath that frames go through.
final class DatapathPrograms {
    let encap: Program
    let encapSplit: Program
    let decap: Program
    /// For interfaces whose packets begin with the IP header.
    let decapL3: Program
    /// Nil in a datapath from before there was one.
    let join: Held?
    /// Before `encap` and `decap`; nil as well.
    private let encapXDP: Held?
    private let decapXDP: Held?

    /// A program that may be there or not.
    final class Held {
        let program: Program

        init(_ program: consuming Program) { self.program = program }
    }

    /// Opens those that are pinned in a directory.
    init(pinnedIn path: String) throws(BPFError) {
        encap = try Program(pinnedAt: "\(path)/\(DatapathObject.encap)")
        encapSplit = try Program(pinnedAt: "\(path)/\(DatapathObject.encapSplit)")
        decap = try Program(pinnedAt: "\(path)/\(DatapathObject.decap)")
        decapL3 = try Program(pinnedAt: "\(path)/\(DatapathObject.decapL3)")
        func held(_ name: String) throws(BPFError) -> Held? {
            do throws(BPFError) { return Held(try Program(pinnedAt: "\(path)/\(name)")) } catch {
                guard error.isNotFound else { throw error }
                return nil
            }
        }
        join = try held(DatapathObject.join)
        encapXDP = try held(DatapathObject.encapXDP)
        decapXDP = try held(DatapathObject.decapXDP)
    }

    /// Those that were loaded just now.
    init(_ object: borrowing LoadedObject) throws(BPFError) {
        encap = try object.program(DatapathObject.encap)
        encapSplit = try object.program(DatapathObject.encapSplit)
        decap = try object.program(DatapathObject.decap)
        decapL3 = try object.program(DatapathObject.decapL3)
        join = Held(try object.program(DatapathObject.join))
        encapXDP = Held(try object.program(DatapathObject.encapXDP))
        decapXDP = Held(try object.program(DatapathObject.decapXDP))
    }

    /// Lends the program that belongs on an interface.
    func with<Value, Failure: Error>(
        _ role: Attachment.Role, on link: Link, _ body: (borrowing Program) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        switch role {
        case .access: try body(encap)
        case .underlay: link.hasEthernetHeader ? try body(decap) : try body(decapL3)
        }
    }

    /// The XDP program that belongs before it.
    func xdp(_ role: Attachment.Role) -> Held? { role == .access ? encapXDP : decapXDP }

    /// Its number.
    func id(_ role: Attachment.Role, on link: Link) -> UInt32 { with(role, on: link) { $0.id } }

    /// Its descriptor; it stays this datapath's.
    func descriptor(_ role: Attachment.Role, on link: Link) -> Int32 { with(role, on: link) { $0.fileDescriptor } }

    /// Puts the program into a link, in the place of another datapath's.
    func replaceProgram(
        of attached: borrowing ProgramLink, _ role: Attachment.Role, on link: Link, expecting old: DatapathPrograms
    ) throws(BPFError) {
        switch role {
        case .access: try attached.replaceProgram(with: encap, expecting: old.encap)
        case .underlay where link.hasEthernetHeader: try attached.replaceProgram(with: decap, expecting: old.decap)
        case .underlay: try attached.replaceProgram(with: decapL3, expecting: old.decapL3)
        }
    }
}
