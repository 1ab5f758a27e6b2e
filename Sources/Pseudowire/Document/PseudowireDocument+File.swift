internal import Glibc
internal import SystemPackage

extension PseudowireDocument {
    /// Reads and checks a file.
    ///
    /// - Throws: `faults`, all that is wrong with it, each with its place; or why it cannot be read.
    public init(contentsOf path: String) throws(PseudowireError) {
        let text = try Self.octets(of: path)
        do throws(ConfigurationFaults) { try self.init(parsing: text) } catch { throw .faults(error.faults) }
    }

    static func octets(of path: String) throws(PseudowireError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("read \(path)", Errno(rawValue: errno)) }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("read \(path)", Errno(rawValue: errno)) }
            if count == 0 { return text }
            text += buffer[..<count]
        }
    }
}
