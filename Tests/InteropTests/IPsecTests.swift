import Testing

/// What Tests/Interop/ipsec says: our end beside the kernel's, both behind interfaces that encrypt.
extension Interop {
    @Suite("inside IPsec, with the kernel's l2tp_eth at the other end", .serialized)
    struct IPsec {
        static let ipsec = Script.inGuest("ipsec/ipsec.sh", seconds: 600)

        @Test(
            "frames cross, nothing but ESP is on the wire, and an interface that was down carries again",
            arguments: ["K1", "K2"])
        func carries(cell: String) {
            for check in ["ping-56-out", "ping-56-in", "ping-1200-out", "ping-1200-in", "ping-again", "wire", "health"]
            {
                Self.ipsec.expect("\(cell).\(check)")
            }
        }

        @Test(
            "K4: policies without an interface refuse a pseudowire, or are named if they come later",
            arguments: [
                "stack", "stack-encrypts", "refused", "cure", "nothing-made", "fine", "warned", "doctor",
            ])
        func plainPolicies(check: String) {
            Self.ipsec.expect("K4.\(check)")
        }

        @Test("nothing is left, and the kernel has nothing to complain about", arguments: ["K3.cleanup", "kernel-log"])
        func atTheEnd(check: String) {
            Self.ipsec.expect(check)
        }
    }
}
