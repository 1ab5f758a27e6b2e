import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

/// The first edge with a second pseudowire of interfaces of its own, to which everything can happen.
struct Churn: ~Copyable {
    static let accessIndex: UInt32 = 501
    static let underlayIndex: UInt32 = 502

    let wire: Wire
    let client: RouteClient
    /// Where interfaces are moved to.
    let elsewhere: NetworkNamespace

    private init() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        let elsewhere = try NetworkNamespace.anonymous()
        self.wire = wire
        self.client = client
        self.elsewhere = elsewhere
    }

    static func begin() throws -> Churn {
        let arena = try Churn()
        try arena.wire.connect(Cell.all[0])
        try arena.make("eth1", peer: "cust1", index: accessIndex)
        try arena.makeUnderlay("und0", index: underlayIndex)
        try arena.wire.first.add(arena.configuration)
        return arena
    }

    var configuration: PseudowireConfiguration {
        PseudowireConfiguration(
            name: "pw1", access: "eth1", tunnel: .udp(local: "198.51.100.1", peer: "198.51.100.2"),
            session: .init(local: 2, peer: 3))
    }

    var madeConfiguration: PseudowireConfiguration {
        var wire = configuration
        wire.access = "lan0"
        wire.makesInterface = true
        return wire
    }

    func find(_ name: String) throws -> Link { try #require(try client.links.find(named: name), "\(name)") }

    func make(_ name: String, peer: String, index: UInt32? = nil) throws {
        if try client.links.find(named: peer) != nil { try delete(peer) }
        var link = LinkSpecification.veth(name, peer: .init(name: peer))
        link.index = index.map { LinkIndex(rawValue: $0) }
        let made = try client.links.create(link)
        for end in [made.index, try find(peer).index] { try client.links.update(end, LinkUpdate(isUp: true)) }
    }

    func makeUnderlay(_ name: String, index: UInt32? = nil) throws {
        try make(name, peer: "far0", index: index)
        try client.addresses.add("198.51.100.1/24", to: find(name).index)
    }

    /// Somebody else's, with all that we put on interfaces ourselves.
    func makeForeign(_ name: String, index: UInt32) throws {
        try make(name, peer: "cust8", index: index)
        let link = try find(name)
        try client.links.update(link.index, LinkUpdate(isPromiscuous: true))
        _ = try client.qdiscs.ensureClsact(on: link.index)
    }

    func delete(_ name: String) throws { try client.links.delete(find(name).index) }

    func rename(_ name: String, _ other: String) throws {
        try client.links.update(find(name).index, LinkUpdate(name: other))
    }

    func moveAway(_ name: String) throws {
        try client.links.update(find(name).index, LinkUpdate(namespace: elsewhere.fileDescriptor))
    }

    func change(
        _ name: String, mtu: UInt32? = nil, isUp: Bool? = nil, isPromiscuous: Bool? = nil
    ) throws {
        var update = LinkUpdate()
        update.mtu = mtu
        if mtu != nil { update.address = MACAddress(bytes: [2, 0, 0, 0, 9, UInt8.random(in: 0...255)]) }
        update.isUp = isUp
        update.isPromiscuous = isPromiscuous
        try client.links.update(find(name).index, update)
    }

    func route(through name: String) throws {
        try client.routes.add(Route(to: IPPrefix(host: "198.51.100.2"), link: find(name).index))
    }

    /// The filter goes, wherever it is; of one on the tcx hook nobody is told.
    func deleteFilter(_ role: String, _ name: String) throws {
        let index = try find(name).index
        // At random times there may be none.
        guard let port = try wire.first.openState()?.ports[index.rawValue] else { return }
        let isAccess = role == "encap"
        if (isAccess ? port.access_hook : port.underlay_hook) == UInt8(PW_HOOK_CLSACT) {
            try client.filters.delete(
                priority: 1701, handle: isAccess ? 1 : 2, at: TrafficHook(link: index, direction: .ingress))
        } else {
            let path = wire.first.directory.linkPin(isAccess ? .access : .underlay, index.rawValue)
            try ProgramLink(pinnedAt: path).detach()
        }
    }

    /// Everything that `pw1` needs is there again.
    func restore() throws {
        for (name, other) in [("eth9", "eth1"), ("und9", "und0")] where try client.links.find(named: name) != nil {
            if try client.links.find(named: other) == nil { try rename(name, other) } else { try delete(name) }
        }
        if try client.links.find(named: "eth1") == nil { try make("eth1", peer: "cust1") }
        if try client.links.find(named: "und0") == nil { try makeUnderlay("und0") }
        for name in ["eth1", "und0"] { try change(name, isUp: true) }
        try? client.addresses.add("198.51.100.1/24", to: find("und0").index)
    }

    /// One of the things that can happen.
    func happen(_ dice: inout Dice) throws {
        func has(_ name: String) throws -> Bool { try client.links.find(named: name) != nil }
        let access = try has("eth1") ? "eth1" : try has("eth9") ? "eth9" : nil
        let underlay = try has("und0") ? "und0" : try has("und9") ? "und9" : nil
        switch (Int.random(in: 0..<12, using: &dice), access, underlay) {
        case (0, let access?, _): try delete(access)
        case (1, "eth1", _): try rename("eth1", "eth9")
        case (1, "eth9", _): try rename("eth9", "eth1")
        case (2, "eth1", _): try moveAway("eth1")
        case (3, let access?, _): try change(access, mtu: UInt32.random(in: 1280...1500, using: &dice))
        case (4, let access?, _): try change(access, isPromiscuous: false)
        case (5, let access?, _): try? deleteFilter("encap", access)
        case (6, _, let underlay?): try delete(underlay)
        case (7, _, "und0"): try rename("und0", "und9")
        case (7, _, "und9"): try rename("und9", "und0")
        case (8, _, let underlay?): try? deleteFilter("decap", underlay)
        case (9, let access?, _): try change(access, isUp: Bool.random(using: &dice))
        case (10, _, let underlay?): try change(underlay, isUp: Bool.random(using: &dice))
        case (11, _, let underlay?):
            let index = try find(underlay).index
            do { try client.addresses.add("198.51.100.1/24", to: index) } catch {
                try client.addresses.delete("198.51.100.1/24", from: index)
            }
        // Of two interfaces that are gone, the index may be another's.
        case (_, nil, _): try make("eth1", peer: "cust1", index: Bool.random(using: &dice) ? Self.accessIndex : nil)
        case (_, _, nil): try makeUnderlay("und0", index: Bool.random(using: &dice) ? Self.underlayIndex : nil)
        default: break
        }
    }

    consuming func end() throws {
        for name in ["eth1", "eth9", "und0", "und9", "und1", "alien", "lan0", "cust1"]
        where try client.links.find(named: name) != nil { try delete(name) }
        try wire.takeDown()
    }
}
