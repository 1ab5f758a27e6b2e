import Glibc
import Testing

@testable import Pseudowire

@Suite("a document's file is watched, and what a machine has against it is found in it")
struct DocumentWatchTests {
    private final class Folder {
        let path: String

        init() throws {
            var template = Array("/tmp/pseudowire-watch-XXXXXX".utf8CString)
            path = try #require(mkdtemp(&template).map { String(cString: $0) })
        }

        func write(_ name: String, _ text: String) throws {
            let file = try #require(fopen("\(path)/\(name)", "w"))
            fputs(text, file)
            fclose(file)
        }

        deinit {
            for name in (try? FileSystem.entries(of: path)) ?? [] {
                unlink("\(path)/\(name)")
                rmdir("\(path)/\(name)")
            }
            rmdir(path)
        }
    }

    @Test("written, replaced by another file's name, removed: each is noticed, silence is silence")
    func noticed() throws {
        let folder = try Folder()
        try folder.write("wires.json5", "1")
        let watch = DocumentWatch("\(folder.path)/wires.json5")
        #expect(!watch.take())
        try folder.write("wires.json5", "2")
        #expect(watch.take())
        #expect(!watch.take())
        try folder.write("wires.json5~", "3")
        #expect(watch.take())
        rename("\(folder.path)/wires.json5~", "\(folder.path)/wires.json5")
        #expect(watch.take())
        unlink("\(folder.path)/wires.json5")
        #expect(watch.take())
    }

    @Test("a symbolic link is followed to where it leads, also after it was turned")
    func linked() throws {
        let (links, first, second) = (try Folder(), try Folder(), try Folder())
        for folder in [first, second] { try folder.write("wires.json5", "1") }
        let path = "\(links.path)/wires.json5"
        symlink("\(first.path)/wires.json5", path)
        let watch = DocumentWatch(path)
        try first.write("wires.json5", "2")
        #expect(watch.take())
        symlink("\(second.path)/wires.json5", "\(links.path)/new")
        rename("\(links.path)/new", path)
        #expect(watch.take())
        try second.write("wires.json5", "2")
        #expect(watch.take())
        try first.write("wires.json5", "3")
        #expect(!watch.take())
    }

    @Test("a directory that is removed, moved away or replaced, or one above it, is heard of when it is there again")
    func replaced() throws {
        let folder = try Folder()
        let above = "\(folder.path)/above"
        let directory = "\(above)/etc"
        func make() {
            mkdir(above, 0o700)
            mkdir(directory, 0o700)
        }
        func write(_ text: String) throws {
            let file = try #require(fopen("\(directory)/wires.json5", "w"))
            fputs(text, file)
            fclose(file)
        }
        func clear() {
            unlink("\(directory)/wires.json5")
            rmdir(directory)
        }
        make()
        try write("1")
        let watch = DocumentWatch("\(directory)/wires.json5", awaitsDirectory: true)
        clear()
        rmdir(above)
        #expect(watch.take())
        make()
        #expect(watch.take())
        try write("2")
        #expect(watch.take())
        rename(directory, "\(above)/old")
        #expect(watch.take())
        make()
        #expect(watch.take())
        try write("3")
        #expect(watch.take())
        clear()
        for name in ["old/wires.json5", "old"] {
            unlink("\(above)/\(name)")
            rmdir("\(above)/\(name)")
        }
        rmdir(above)
    }

    @Test("a fault of the machine's has the pseudowire's name, and line and column of the option")
    func located() throws {
        let document = try PseudowireDocument(
            parsing: """
                { pseudowires: [
                  { name: "pw0", access: "eth1", local: "192.0.2.1", peer: "192.0.2.2", "session-id": 1,
                    "peer-session-id": 2 },
                  { name: "pw1", local: "192.0.2.1", peer: "192.0.2.2", "session-id": 3, "peer-session-id": 4,
                    access: "eth2" },
                ] }
                """)
        let fault = document.located(ConfigurationFault(.refusal, "access", "no interface \"eth2\" here"), at: 1)
        #expect(fault.description == "5:13: pseudowires[1].access: pw1: no interface \"eth2\" here")
        // What is not written down is where its pseudowire begins.
        let underlay = document.located(ConfigurationFault(.refusal, "underlay", "none"), at: 0)
        #expect(underlay.description == "2:3: pseudowires[0].underlay: pw0: none")
        let built = PseudowireDocument(document.pseudowires)
        #expect(
            built.located(ConfigurationFault(.refusal, "NAME", "x"), at: 0).description == "pseudowires[0].name: pw0: x"
        )
        #expect(built == document)
    }
}
