import RouteNetlink
import Testing

@testable import Pseudowire

@Suite("where XDP programs can be, and where auto has them")
struct AccelerationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let facts: Acceleration.Facts
        /// Nil: chosen.
        let reason: String?
        var isPossible = false

        init(
            _ name: String, _ reason: String?, isPossible: Bool = false,
            _ change: (inout Acceleration.Facts) -> Void = { _ in }
        ) {
            testDescription = name
            self.reason = reason
            self.isPossible = isPossible
            // A network card with everything: only what is changed speaks against it.
            var facts = Acceleration.Facts(
                driver: [.native, .redirect, .transmit], active: ["rx-checksum", "rx-gro", "tx-tcp-segmentation"])
            change(&facts)
            self.facts = facts
        }

        static let all = [
            Row("a card", nil),
            Row("a card that sends nothing that is redirected to it", nil) { $0.driver = [.native] },
            Row("an interface without Ethernet headers", "no Ethernet header") { $0.hasEthernetHeader = false },
            Row("somebody else's program", "somebody else's XDP program is there, number 7 (lb)") {
                $0.foreignProgram = "number 7 (lb)"
            },
            Row("a driver without XDP", "no native XDP") { $0.driver = [] },
            Row("a driver that only sends", "no native XDP") { $0.driver = [.transmit] },
            Row("a veth", "virtual (veth)", isPossible: true) { $0.kind = "veth" },
            Row("a veth whose driver cannot now", "no native XDP") {
                $0.kind = "veth"
                $0.driver = []
            },
            Row("a tap", "virtual (tun)", isPossible: true) { $0.kind = "tun" },
            Row("a card that joins", "rx-gro-hw", isPossible: true) { $0.active.insert("rx-gro-hw") },
            Row("a card that joins the old way", "rx-lro", isPossible: true) { $0.active.insert("rx-lro") },
            Row("a card that takes tags off", "rx-vlan-hw-parse") {
                $0.active.insert("rx-vlan-hw-parse")
            },
            Row("a card that takes service tags off", "rx-vlan-stag-hw-parse") {
                $0.active.insert("rx-vlan-stag-hw-parse")
            },
            Row("a kernel that does not say", "Linux 6.3", isPossible: true) { $0.driver = nil },
            Row("a kernel that does not say, and a card that takes tags off", "rx-vlan-hw-parse") {
                $0.driver = nil
                $0.active.insert("rx-vlan-hw-parse")
            },
            Row("everything at once: the first thing that cannot be helped", "no Ethernet header") {
                $0 = .init(hasEthernetHeader: false, kind: "veth", driver: [], foreignProgram: "number 7")
            },
        ]
    }

    @Test("is judged by what speaks against it", arguments: Row.all)
    func judgement(row: Row) {
        let judgement = Acceleration(row.facts)
        #expect((judgement == .chosen) == (row.reason == nil), "\(judgement)")
        if let reason = row.reason { #expect(judgement.reason?.contains(reason) == true, "\(judgement)") }
        switch judgement {
        case .chosen: #expect("\(judgement)" == "XDP: --attach auto has it")
        case .possible(let reason):
            #expect(row.isPossible)
            #expect("\(judgement)" == "XDP: only with --attach xdp: \(reason)")
        case .impossible(let reason, let cure):
            #expect(!row.isPossible && cure.contains("leave --attach xdp out"))
            #expect("\(judgement)" == "XDP: not possible: \(reason)")
        }
    }
}
