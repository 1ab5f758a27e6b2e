internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

/// The links that tell whether a namespace is still there: they report no interface once it is gone.
///
/// One is on the splitter and one on the joiner, both of `pw_alive`, which does nothing: so whoever deletes the one of
/// these does not have another namespace's next command take this one for gone. An outer end receives no packets.
enum Watch {
    /// What `pw_alive` does, a program of the type BPF_PROG_TYPE_XDP: `r0 = XDP_PASS; exit`.
    private static let passing: [UInt64] = [0x0000_0002_0000_00b7, 0x0000_0000_0000_0095]

    /// Attaches the program to an interface, and pins the link.
    static func begin(
        _ program: borrowing Program, on interface: UInt32, at path: String, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        // An attachment is made in the namespace of the thread that asks for it.
        let outcome: Result<Void, BPFError> = try netlink { () throws(NetlinkError) in
            try manager.namespace.run {
                Result { () throws(BPFError) in
                    try ProgramLink(xdp: program, interfaceIndex: interface, mode: .generic).pin(replacing: path)
                }
            }
        }
        try bpf { () throws(BPFError) in try outcome.get() }
    }

    /// Puts the link of a state that is there on another interface, unless it is there already.
    static func move(
        to interface: UInt32, at path: String, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        if FileSystem.exists(path), try Attachment.linkInfo(at: path, interface) != nil { return }
        // A command that died before it could give its link this name may have left it under another one.
        let directory = manager.directory
        for name in try FileSystem.entries(of: directory.path) where directory.pin(name).hasPrefix("\(path):") {
            // Not by its pin alone: a link that has lost that is there for a while yet, and there can be one only.
            try Attachment.removeLink(at: directory.pin(name))
        }
        // `pw_alive` is nowhere but in its link, and to open a program by its number takes CAP_SYS_ADMIN.
        let program = try bpf { () throws(BPFError) in
            try Program(instructions: Self.passing, type: 6, name: DatapathObject.alive)
        }
        try begin(program, on: interface, at: path, manager)
    }
}
