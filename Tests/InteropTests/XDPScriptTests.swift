import Testing

extension Interop {
    @Suite("by XDP between network cards, with the kernel's l2tp_eth at the other end", .serialized)
    struct XDP {
        static let script = Script.inGuest("xdp/xdp.sh", seconds: 600)

        @Test(
            "asked for, or by itself: frames cross in the drivers, and the filters hardly see any",
            arguments: ["X.v4-udp", "X.v6-ip"])
        func carries(cell: String) {
            for check in [
                "hooks", "ping-56-out", "ping-56-in", "ping-1300-out", "ping-1300-in", "tcp-out", "tcp-in", "encap",
                "decap",
            ] {
                Self.script.expect("\(cell).\(check)")
            }
        }

        @Test(
            "a wrong cookie is refused there, and nothing is left", arguments: ["X.cookie", "X.cleanup", "kernel-log"])
        func refuses(check: String) {
            Self.script.expect(check)
        }
    }
}
