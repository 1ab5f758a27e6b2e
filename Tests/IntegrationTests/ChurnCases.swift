import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

extension ChurnTests {
    /// What happens to the first edge, and what is said about `pw1` then.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// Before anybody does anything, after a command that changes something, and where a document is kept.
        let sick: Said
        let mended: Said
        let kept: Said
        let act: @Sendable (borrowing Churn) throws -> Void
        var testDescription: String { name }
    }

    struct Said: Sendable {
        let state: PseudowireStatus.Health.State
        let words: String
        /// Whether it is said of the other pseudowire, too.
        var concernsAll = false
        static func up(_ words: String = "carrying frames") -> Said { Said(state: .up, words: words) }
        static func waiting(_ words: String) -> Said { Said(state: .waiting, words: words) }
        static func broken(_ words: String) -> Said { Said(state: .broken, words: words) }
    }

    static let cases = interfaces + altered + unhooked

    private static let interfaces = [
        Case(
            name: "access renamed", sick: .up("eth1 is called eth9 now"), mended: .up("eth1 is called eth9 now"),
            kept: .waiting("no interface \"eth1\" here")
        ) { try $0.rename("eth1", "eth9") },
        Case(
            name: "access renamed, another one has the name", sick: .broken("eth1 is another one"), mended: .up(),
            kept: .up()
        ) {
            try $0.rename("eth1", "eth9")
            try $0.make("eth1", peer: "cust9")
        },
        Case(
            name: "access moved to another namespace", sick: .broken("eth1 is gone"),
            mended: .waiting("no interface \"eth1\""), kept: .waiting("no interface \"eth1\"")
        ) { try $0.moveAway("eth1") },
        Case(
            name: "access deleted", sick: .broken("eth1 is gone"), mended: .waiting("no interface \"eth1\""),
            kept: .waiting("no interface \"eth1\"")
        ) { try $0.delete("eth1") },
        Case(
            name: "access made anew, with another index", sick: .broken("eth1 is another one"), mended: .up(),
            kept: .up()
        ) {
            try $0.delete("eth1")
            try $0.make("eth1", peer: "cust1")
        },
        Case(
            name: "access made anew, with the same index", sick: .broken("encap filter on eth1 is gone"),
            mended: .up(), kept: .up()
        ) {
            try $0.delete("eth1")
            try $0.make("eth1", peer: "cust1", index: Churn.accessIndex)
        },
        Case(
            name: "another device with the old index", sick: .broken("eth1 is gone"),
            mended: .waiting("no interface \"eth1\""), kept: .waiting("no interface \"eth1\"")
        ) {
            try $0.delete("eth1")
            try $0.makeForeign("alien", index: Churn.accessIndex)
        },
        Case(name: "MTU and MAC of all changed", sick: .up(), mended: .up(), kept: .up()) {
            try $0.change("eth1", mtu: 1300)
            try $0.change("und0", mtu: 1400)
        },
        Case(
            name: "underlay renamed", sick: .up(), mended: .up(), kept: .up()
        ) { try $0.rename("und0", "und9") },
        Case(
            name: "underlay deleted", sick: .broken("underlay interface und0 is gone"),
            mended: .waiting("no underlay is known"), kept: .waiting("no underlay is known")
        ) { try $0.delete("und0") },
        Case(
            name: "underlay made anew", sick: .broken("underlay interface und0 is gone"), mended: .up(), kept: .up()
        ) {
            try $0.delete("und0")
            try $0.makeUnderlay("und0")
        },
        Case(
            name: "underlay made anew, with the same index", sick: .broken("decap filter on und0 is gone"),
            mended: .up(), kept: .up()
        ) {
            try $0.delete("und0")
            try $0.makeUnderlay("und0", index: Churn.underlayIndex)
        },
        Case(
            name: "another way to the peer", sick: .up("route leads through und1, where replies are not taken in"),
            mended: .up("carrying frames of eth1"), kept: .up("carrying frames of eth1")
        ) {
            try $0.make("und1", peer: "far1")
            try $0.route(through: "und1")
        },
        Case(
            name: "encap filter deleted", sick: .broken("encap filter on eth1 is gone"), mended: .up(), kept: .up()
        ) { try $0.deleteFilter("encap", "eth1") },
        Case(
            name: "decap filter deleted", sick: .broken("decap filter on und0 is gone"), mended: .up(), kept: .up()
        ) { try $0.deleteFilter("decap", "und0") },
        Case(
            name: "promiscuity switched off", sick: .broken("eth1 no longer takes in frames for others"), mended: .up(),
            kept: .up()
        ) { try $0.change("eth1", isPromiscuous: false) },
    ]

    /// What befalls the datapath's own interfaces.
    private static let altered = ["pw-split0", "pw-split1", "pw-join0", "pw-join1"].flatMap { name in
        let what = name.hasPrefix("pw-split") ? "large frames are cut" : "TCP segments are joined"
        let words = "an interface in which \(what) is gone, down or altered"
        let altered = Said(state: .broken, words: words, concernsAll: true)
        return [
            Case(name: "\(name) set down", sick: altered, mended: .up(), kept: .up()) {
                try $0.client.links.update($0.wire.index(name, $0.client), LinkUpdate(isUp: false))
            },
            Case(name: "\(name) made narrow", sick: altered, mended: .up(), kept: .up()) {
                var update = LinkUpdate()
                update.mtu = 1000
                try $0.client.links.update($0.wire.index(name, $0.client), update)
            },
        ]
    }

    private static let unhooked = ["pw-split1", "pw-join1"].map { name in
        Case(
            name: "qdisc of \(name) removed",
            sick: Said(state: .broken, words: "the filter on \(name) is gone", concernsAll: true), mended: .up(),
            kept: .up()
        ) { try $0.client.qdiscs.deleteClsact(on: $0.wire.index(name, $0.client)) }
    }
}
