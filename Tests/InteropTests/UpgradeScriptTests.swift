import Foundation
import Testing

extension Interop {
    @Suite("where filters are, and replacing the datapath, at a shell", .serialized)
    struct Upgrade {
        private static let common = [
            "doctor", "auto", "ping", "upgrade", "generation", "drops", "missing", "mended", "again", "cleanup",
        ]

        @Test("on this kernel: tcx where it has it, and back to clsact")
        func here() {
            let script = Script("upgrade/upgrade.sh", [Script.pwctl])
            for check in Self.common { script.expect(check) }
            script.expect(script.results["moved"] == nil ? "refused" : "moved")
        }

        @Test("on Debian's 6.1, which has no tcx and says so")
        func inGuest() {
            let script = Script.inGuest("upgrade/upgrade.sh", seconds: 1200)
            for check in Self.common + ["refused", "health", "kernel-log"] { script.expect(check) }
        }
    }
}
