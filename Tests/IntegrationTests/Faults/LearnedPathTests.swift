import BPF
import CPseudowireObject
import Glibc
import PseudowireTestbed
import Testing

@testable import Pseudowire

@Suite("what the datapath has learned", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct LearnedPathTests {
    @Test(
        "a path's MTU outlives a change that leaves the path as it is, and no other",
        arguments: [
            ([.ttl: "9"], true), ([.mtu: "1300", .dscp: "46"], true), ([.sessionID: "99"], true),
            ([.sendCookie: "01234567"], true), ([.peer: "192.0.2.29"], false), ([.encap: "ip"], false),
        ] as [([PseudowireOption: String], Bool)])
    func kept(options: [PseudowireOption: String], isKept: Bool) throws {
        let wire = try Wire()
        try wire.first.add(Cell.all[0].configuration(at: .edge1))
        let state = try #require(try wire.first.openState())
        let key = try #require(try wire.first.records(state).first).accessKey
        var value = try #require(try state.access[key])
        value.path_mtu = 1311
        value.path_mtu_until = .max
        try state.access.update(key: key, value: value)
        var changes = PseudowireOptions(name: "pw0")
        for (option, word) in options { changes[option] = [word] }
        try wire.first.execute(try wire.first.plan(changing: changes))
        let after = try #require(try state.access[key])
        #expect(after.path_mtu == (isKept ? 1311 : 0))
        #expect(after.path_mtu_until == (isKept ? .max : 0))
        try wire.takeDown()
    }

    @Test("and outlives putting right what somebody has damaged")
    func mended() throws {
        let wire = try Wire()
        try wire.first.add(Cell.all[0].configuration(at: .edge1))
        let state = try #require(try wire.first.openState())
        let key = try #require(try wire.first.records(state).first).accessKey
        var value = try #require(try state.access[key])
        value.path_mtu = 1311
        value.path_mtu_until = .max
        value.traffic_class = 0x88
        try state.access.update(key: key, value: value)
        try wire.first.refresh()
        let after = try #require(try state.access[key])
        #expect(after.traffic_class == 0)
        #expect(after.path_mtu == 1311)
        try wire.takeDown()
    }
}
