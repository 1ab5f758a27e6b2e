import Foundation

/// The chain in the guest of Tests/Interop, whose kernel has what this machine's may not: its own L2TP.
enum GuestRun {
    /// Heads the line with the samples in what the guest prints.
    static let mark = "SAMPLES "

    static func boot(_ cache: String, quick: Bool) throws -> Run {
        let script = "Tests/Interop/guest/run.sh"
        guard FileManager.default.isReadableFile(atPath: script) else {
            throw Failure("\(script) is not here: run this at the repository's root")
        }
        let command =
            "modprobe -a l2tp_eth l2tp_netlink vxlan veth bridge sch_ingress cls_bpf; "
            + "\(CommandLine.arguments[0]) --in-guest\(quick ? " --quick" : "")"
        let text = try tool([script, cache, quick ? "120" : "600", command])
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(mark) }) else {
            throw Failure("the guest gave no samples:\n\(text)")
        }
        return try JSONDecoder().decode(Run.self, from: Data(line.dropFirst(mark.count).utf8))
    }
}
