import Testing

/// What Tests/Interop/privileges says: here, and on the oldest kernel that is supported.
extension Interop {
    @Suite("an ordinary user with three capabilities", .serialized)
    struct Privileges {
        static let here = Script("privileges/privileges.sh", [Script.pwctl])
        static let guest = Script.inGuest("privileges/privileges.sh", seconds: 600)

        static let checks = [
            "A1.create", "A1.show", "A1.set", "A1.stats", "A1.export", "A1.delete", "A1.nothing-left",
            "A2.create-without-net_admin", "A2.create-without-bpf", "A2.create-without-perfmon",
            "A2.doctor-without-net_admin", "A2.doctor-without-bpf", "A2.doctor-without-perfmon", "A2.nothing-made",
            "A3.mode", "A3.list-as-another", "A3.delete-as-another", "A4.without", "A4.doctor", "A4.with",
            "A4.teardown", "A5.fit", "A5.only-for-others", "A6.nothing-to-do", "A6.dry-run", "A6.forced", "A6.up",
            "A6.another-release", "A6.doctor", "A7.root-creates", "A7.root-upgrades", "A7.owners", "A7.list", "A7.set",
            "A7.delete", "A7.teardown", "A7.nothing-left", "A8.empty", "A8.directories", "A8.list", "A8.link",
            "A8.list-of-link", "A8.nothing-left", "A9.create-refused", "A9.list-refused", "A9.doctor-refuses",
            "A9.doctor-cures", "A9.no-directory", "A9.cured.doctor", "A9.cured.create", "A9.cured.delete",
            "A9.unit.doctor", "A9.unit.create", "A9.unit.delete", "A9.nothing-left",
        ]

        @Test("A1-A9 here", arguments: checks)
        func here(check: String) {
            Self.here.expect(check)
        }

        @Test("A1-A9 on Linux 6.1", arguments: checks)
        func guest(check: String) {
            Self.guest.expect(check)
        }
    }
}
