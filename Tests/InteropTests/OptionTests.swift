import Foundation
import Testing

/// What Tests/Interop/options says: our end beside the kernel's, with each option that both have.
extension Interop {
    @Suite("options, with the kernel's l2tp_eth at the other end", .serialized)
    struct Options {
        static let options = Script.inGuest("options/options.sh", seconds: 1800)

        static let encapsulations = ["v4-udp", "v6-udp", "v4-ip", "v6-ip"]
        private static let pings = ["ping4-56", "ping4-1600", "ping6-1600"].flatMap {
            ["\($0)-out", "\($0)-in"]
        }

        /// Numbered through, `D1.cookie0.v4-udp` to `D12.cookie8.v6-ip`.
        static func cells(_ letter: String, _ variants: [String]) -> [String] {
            variants.enumerated().flatMap { index, variant in
                encapsulations.enumerated().map { "\(letter)\(4 * index + $0 + 1).\(variant).\($1)" }
            }
        }

        /// The checks of a cell, no fewer than these, and all of them passed.
        private func expect(_ cell: String, _ checks: [String]) {
            for check in checks { Self.options.expect("\(cell).\(check)") }
            for check in Self.options.results.keys where check.hasPrefix("\(cell).") { Self.options.expect(check) }
        }

        @Test(
            "cookies: pings cross, also those that must be cut; both ends count alike; the MTU is the kernel's",
            arguments: cells("D", ["cookie0", "cookie4", "cookie8"]))
        func carries(cell: String) {
            expect(cell, Self.pings + ["too-big4", "too-big6", "counters", "mtu"])
        }

        @Test(
            "cookies that are not as expected: refused, each packet counted, the reason named",
            arguments: cells("C", ["wrong4", "wrong8"]) + [
                "C9.sent0-expected4.v4-udp", "C10.sent8-expected0.v6-udp", "C11.sent4-expected0.v4-ip",
                "C12.sent0-expected8.v6-ip",
            ])
        func refusesCookie(cell: String) {
            expect(cell, ["ping4-out", "ping4-in", "ping6-in", "counted", "delivered", "health"])
        }

        @Test(
            "UDP checksums",
            arguments: ["full-full.v4-udp", "full-zero.v4-udp", "zero-zero.v6-udp", "zero-full.v6-udp"])
        func checksum(cell: String) {
            expect("G1.\(cell)", ["ping4-out", "ping4-in", "ping6-out", "wire"])
        }

        @Test(
            "sequence numbers on one end, or both",
            arguments: ["both-both.v4-udp", "both-both.v6-ip", "send-none.v4-udp", "receive-send.v6-udp"])
        func numbers(cell: String) {
            expect("G2.\(cell)", ["ping4-in", "ping4-out", "ping6-1300-in", "ping6-1300-out", "noticed"])
        }

        @Test("a peer that numbers does not make our end number")
        func neverFlips() {
            expect("G2.both-none.v4-ip", ["ping4-in", "ping4-out", "counted"])
        }

        @Test("a peer that does not number is refused by an end that asks for it")
        func refusesUnnumbered() {
            expect("G2.none-receive.v4-udp", ["counted", "delivered", "health"])
        }

        @Test("no sublayer on both ends", arguments: encapsulations)
        func noSublayer(encapsulation: String) {
            expect("G3.none-none.\(encapsulation)", Self.pings + ["too-big4", "too-big6", "counters", "mtu"])
        }

        @Test(
            "a sublayer on one end: nothing is delivered, each packet counted, the reason named",
            arguments: [
                "default-none.v4-udp", "default-none-cookie8.v6-ip", "none-default.v4-ip",
                "none-default-cookie4.v6-udp",
            ])
        func sublayerMismatch(cell: String) {
            expect("G3.\(cell)", ["ping4-out", "ping4-in", "ping6-in", "counted", "delivered", "health"])
        }

        @Test("packets of a sender that is not the peer", arguments: cells("R", ["stranger"]))
        func refusesStranger(cell: String) {
            expect(cell, ["refused", "delivered", "peer"])
        }

        @Test(
            "hosts that send more than fits are told so by TCP itself",
            arguments: ["M1.clamp.v4-udp", "M2.clamp.v6-ip"])
        func clamps(cell: String) {
            expect(cell, ["tcp4-out", "tcp4-in", "tcp6-out", "tcp6-in", "fits"])
        }

        @Test("and without that, the path is too narrow")
        func stalls() {
            expect("M3.no-clamp.v4-udp", ["tcp4-in"])
        }

        @Test("the underlay's MTU changes", arguments: ["P1.path.v4-udp", "P2.path.v6-ip"])
        func followsPath(cell: String) {
            expect(cell, ["lower4", "lower6", "tcp4-in", "tcp6-out", "raised4", "raised6"])
        }

        @Test(
            "VLAN tags: carried, taken off, translated",
            arguments: [
                "V1.port.v4-udp", "V2.service.v6-ip", "V3.strip.v4-udp", "V4.translate.v6-udp",
                "V6.stripped-by-both.v4-udp",
            ])
        func tags(cell: String) {
            expect(cell, ["ping-56-out", "ping-56-in", "ping-1300-out", "ping-1300-in", "tcp-out", "tcp-in"])
        }

        @Test("two pseudowires share a port, by VLAN; another VLAN goes nowhere")
        func sharesPort() {
            expect("V5.selected.v4-ip", ["tagged", "untagged", "other"])
        }

        @Test(
            "F1: our end sent no outer fragments, left nothing, and the kernel has nothing to complain about",
            arguments: ["underlay-fragments", "filters", "cleanup", "kernel-log"])
        func atTheEnd(check: String) {
            Self.options.expect(check)
        }
    }

    @Suite("commands killed at random instants, in a Debian 6.1 guest", .serialized)
    struct Kills {
        static let kills = Script.inGuest("kills/kills.sh", seconds: 1200)

        @Test(
            "the next one finds the old state or the new one; another pseudowire loses nothing",
            arguments: ["steady.before", "K.pwi-near", "K.pwi-lone", "K.steady", "K.teardown"])
        func killed(check: String) {
            Self.kills.expect(check)
        }
    }

    @Suite("pseudowires that come and go, by the hundred", .serialized)
    struct Lifetime {
        static let lifetime = Script("lifetime/lifetime.sh", [Script.pwctl])

        @Test(
            "L1, L3: made and removed by several commands at once, while one carries traffic and loses nothing",
            arguments: ["L1.create", "L1.delete", "L1.create-again", "L1.delete-again", "L1.steady"])
        func churn(check: String) {
            Self.lifetime.expect(check)
        }

        @Test(
            "commands that are killed leave what the next one can remove",
            arguments: ["L1.first-killed", "L1.killed", "L1.teardown"])
        func killed(check: String) {
            Self.lifetime.expect(check)
        }

        @Test(
            "what is taken is refused, and nothing changed", arguments: ["U2.session-id", "U2.name", "U2.vlan"])
        func refused(check: String) {
            Self.lifetime.expect(check)
        }
    }
}
