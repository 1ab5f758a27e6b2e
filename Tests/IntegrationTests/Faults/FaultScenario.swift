import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

/// A command, and the pseudowires before and after it.
struct FaultScenario: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let verb: String
    /// For `set` and `delete`; the others read a document.
    var words: [String] = []
    /// For `create` and `apply`.
    var document: PseudowireDocument?
    let before: [PseudowireConfiguration]
    let after: [PseudowireConfiguration]
    /// Whether another pseudowire carries traffic meanwhile.
    let hasBystander: Bool

    static let bystander = wire("pw0", access: "veth10", session: 1012) {
        $0.vlan = .none
        $0.session.peer = 1021
    }

    /// On interfaces of its own, one of which is its underlay alone.
    static func wire(
        _ name: String, access: String, session: UInt32, _ change: (inout PseudowireConfiguration) -> Void = { _ in }
    ) -> PseudowireConfiguration {
        var wire = PseudowireConfiguration(
            name: name, access: access,
            tunnel: .udp(local: FourNamespaces.Place.edge1.address(.v4), peer: FourNamespaces.Place.edge2.address(.v4)),
            session: .init(
                local: SessionID(rawValue: session) ?? 1, peer: SessionID(rawValue: session + 1000) ?? 1))
        change(&wire)
        return wire
    }

    private static let onPort = wire("pwa", access: "acc0", session: 2) { $0.underlays = ["veth12", "und0"] }
    private static let onPortChanged = wire("pwa", access: "acc1", session: 3) {
        $0.ttl = 9
        $0.underlays = ["und1", "veth12"]
    }
    private static let withInterface = wire("pwi", access: "lan0", session: 4) { $0.makesInterface = true }
    private static let withAnother = wire("pwj", access: "lan1", session: 5) { $0.makesInterface = true }
    private static let tagged = wire("pwv", access: "veth10", session: 6) { $0.vlan = .id(5) }
    private static let taggedToo = wire("pww", access: "veth10", session: 7) { $0.vlan = .id(6) }

    private static func moved(
        _ hook: PseudowireConfiguration.Attach, to place: String = "0"
    ) -> PseudowireConfiguration {
        wire("pwa", access: "acc\(place)", session: 2) {
            $0.underlays = ["und\(place)"]
            $0.attach = hook
        }
    }

    private static let mixed = [onPort, withInterface, tagged]
    private static let mixedAfter = [onPortChanged, withAnother, taggedToo]

    /// Enough to go to the kernel in batches.
    private static func many(_ name: String, sessions: UInt32, vlans: UInt16) -> [PseudowireConfiguration] {
        (0..<20).map { number in
            wire("pw\(name)\(number + 10)", access: "acc0", session: sessions + UInt32(number)) {
                $0.vlan = .id(vlans + UInt16(number))
                $0.underlays = ["veth12"]
            }
        }
    }
    /// Half of their VLANs and sessions are in the hands of others then.
    private static let manyBefore = many("m", sessions: 100, vlans: 100)
    private static let manyAfter = many("n", sessions: 110, vlans: 90)

    static let all: [FaultScenario] =
        [true, false].flatMap { hasBystander in
            let suffix = hasBystander ? "" : ", first or last"
            return [
                FaultScenario(
                    testDescription: "create on a port\(suffix)", verb: "create", document: .init([onPort]),
                    before: [], after: [onPort], hasBystander: hasBystander),
                FaultScenario(
                    testDescription: "create with an interface\(suffix)", verb: "create",
                    document: .init([withInterface]), before: [], after: [withInterface], hasBystander: hasBystander),
                FaultScenario(
                    testDescription: "apply\(suffix)", verb: hasBystander ? "apply" : "replace",
                    document: .init(hasBystander ? mixedAfter + [bystander] : mixedAfter),
                    before: hasBystander ? [onPort] : [], after: mixedAfter, hasBystander: hasBystander),
                FaultScenario(
                    testDescription: "delete\(suffix)", verb: "delete", words: ["pwa", "pwi"],
                    before: [onPort, withInterface], after: [], hasBystander: hasBystander),
            ]
        } + [
            FaultScenario(
                testDescription: "set", verb: "set", words: ["pwa", "ttl=9", "vlan=7", "session-id=99"],
                before: [onPort],
                after: [
                    wire("pwa", access: "acc0", session: 99) {
                        $0.underlays = ["veth12", "und0"]
                        $0.ttl = 9
                        $0.vlan = .id(7)
                        $0.session.peer = 1002
                    }
                ], hasBystander: true),
            FaultScenario(
                testDescription: "set access", verb: "set", words: ["pwa", "access=acc1", "underlay=und1"],
                before: [onPort],
                after: [
                    wire("pwa", access: "acc1", session: 2) { $0.underlays = ["und1"] }
                ], hasBystander: true),
            FaultScenario(
                testDescription: "set attach", verb: "set", words: ["pwa", "attach=clsact"],
                before: [moved(.tcx)], after: [moved(.clsact)], hasBystander: true),
            FaultScenario(
                testDescription: "set attach back", verb: "set", words: ["pwa", "attach=tcx"],
                before: [moved(.clsact)], after: [moved(.tcx)], hasBystander: true),
            FaultScenario(
                testDescription: "set access with xdp", verb: "set", words: ["pwa", "access=acc1", "underlay=und1"],
                before: [moved(.xdp)], after: [moved(.xdp, to: "1")], hasBystander: true),
            FaultScenario(
                testDescription: "delete on clsact", verb: "delete", words: ["pwa"], before: [moved(.clsact)],
                after: [], hasBystander: true),
            FaultScenario(
                testDescription: "replace all by others", verb: "replace", document: .init(mixedAfter + [bystander]),
                before: mixed, after: mixedAfter, hasBystander: true),
            FaultScenario(
                testDescription: "replace many by others", verb: "replace", document: .init(manyAfter + [bystander]),
                before: manyBefore, after: manyAfter, hasBystander: true),
            // Entries and records go to the kernel while filters are put on.
            FaultScenario(
                testDescription: "apply many, first or last", verb: "replace", document: .init(manyBefore), before: [],
                after: manyBefore, hasBystander: false),
            FaultScenario(
                testDescription: "change many", verb: "replace",
                document: .init(many("m", sessions: 200, vlans: 105) + [bystander]), before: manyBefore,
                after: many("m", sessions: 200, vlans: 105), hasBystander: true),
            FaultScenario(
                testDescription: "teardown", verb: "teardown", before: mixed, after: [], hasBystander: false),
        ]
}
