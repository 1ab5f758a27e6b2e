import Foundation
import Testing

/// What is checked of each cell by ping and TCP.
private let traffic = [
    "ping4-56", "ping6-56", "ping4-1400", "ping6-1400", "tcp4-forward", "tcp6-backward", "tcp4-backward",
    "tcp6-forward",
]

/// One after the other: each of them wants the machine for itself.
@Suite("peers that we did not write", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct Interop {
    @Suite("the kernel's l2tp_eth, in a Debian 6.1 guest", .serialized)
    struct Kernel {
        static let matrix = Script.inGuest("matrix/matrix.sh", seconds: 1800)

        /// The seed's sixteen: S1 to S4 kernel to kernel, then three with us in each encapsulation.
        static let cells: [String] = {
            let encapsulations = ["v4-udp", "v6-udp", "v4-ip", "v6-ip"]
            let ends = ["ours-kernel", "kernel-ours", "ours-ours"]
            return encapsulations.enumerated().map { "S\($0 + 1).\($1).kernel-kernel" }
                + encapsulations.enumerated().flatMap { index, encapsulation in
                    ends.enumerated().map { "S\(5 + 3 * index + $0).\(encapsulation).\($1)" }
                }
        }()

        @Test("pings and TCP cross", arguments: cells)
        func carries(cell: String) {
            for check in ["create"] + traffic + ["cleanup"] { Self.matrix.expect("\(cell).\(check)") }
        }

        @Test("the guest's kernel has nothing to complain about")
        func kernelLog() {
            Self.matrix.expect("kernel-log")
        }
    }

    @Suite("QEMU's L2TPv3", .serialized)
    struct QEMU {
        static let peer = Script("qemu-peer/qemu-peer.sh", [Script.pwctl, "ours"])

        static let variants = ["default", "wire", "none", "cookie4", "cookie8", "counter"]
        static let cells: [String] = variants.enumerated().flatMap { index, variant in
            ["v4-udp", "v6-udp", "v4-ip", "v6-ip"].enumerated().map {
                "Q\(4 * index + $0 + 1).\($1).\(variant).ours-qemu"
            }
        }

        @Test("pings and TCP cross; on a wire, tshark finds no fault", arguments: cells)
        func carries(cell: String) {
            let checks = Self.peer.results.keys.filter { $0.hasPrefix("\(cell).") }
            for check in ["create", "cleanup"] { Self.peer.expect("\(cell).\(check)") }
            #expect(checks.count >= 2 + traffic.count, "\(checks)")
            for check in checks { Self.peer.expect(check) }
            if cell.contains("counter") { Self.peer.expect("\(cell).unnoticed") }
            Self.peer.expect("\(cell).health")
        }
    }

    @Suite("tshark as a witness", .serialized)
    struct Witness {
        @Test("it is silent about good captures, and names the flaw of each bad one")
        func selfTest() {
            let script = Script("witness/self-test.sh", [])
            #expect(script.results.count > 5)
            for check in script.results.keys { script.expect(check) }
        }
    }
}
