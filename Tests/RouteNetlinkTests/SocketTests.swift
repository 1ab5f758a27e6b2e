import CPseudowireMNL
import RouteNetlinkTestKit
import SystemPackage
import Testing

@testable import RouteNetlink

/// How a socket behaves towards a kernel that answers badly.
@Suite struct SocketTests {
    private static let dump = Request(Int(RTM_GETLINK), flags: NLM_F_DUMP_FLAGS)

    private static func message(_ type: Int32, _ sequence: UInt32, flags: Int32 = 0) -> [UInt8] {
        ExchangeTests.message(type, flags: flags, sequence: sequence)
    }

    private static func count(_ socket: NetlinkSocket) throws(NetlinkError) -> Int {
        try socket.dump(dump, .link, "list links") { message throws(MalformedMessage) in message.type }.count
    }

    @Test func `an interrupted dump is read to its end and begun again`() throws {
        var attempts = 0
        let transport = ScriptedTransport { requests in
            attempts += 1
            let flag = attempts < 4 ? NLM_F_DUMP_INTR : 0
            return [
                .datagram(Self.message(16, requests[0].sequence)),
                .datagram(Self.message(16, requests[0].sequence, flags: flag)),
                .datagram(Self.message(NLMSG_DONE, requests[0].sequence)),
            ]
        }
        #expect(try Self.count(NetlinkSocket(transport, isRoute: true)) == 2)
        #expect(transport.sent.count == 4)
        #expect(transport.queue.isEmpty)
    }

    @Test func `a list that keeps changing is a typed error`() throws {
        let transport = ScriptedTransport { requests in
            [.datagram(Self.message(NLMSG_DONE, requests[0].sequence, flags: NLM_F_DUMP_INTR))]
        }
        let socket = NetlinkSocket(transport, isRoute: true)
        let error = try failure { () throws(NetlinkError) in _ = try Self.count(socket) }
        #expect(error.isInterrupted && !error.isOutcomeUnknown)
        #expect(transport.sent.count == NetlinkSocket.dumpAttempts)
    }

    /// ENOBUFS comes first, then what there had been room for; until that is read the kernel accepts nothing more.
    @Test func `an overflow is typed, and the socket clean for the next request`() throws {
        var fails = true
        let transport = ScriptedTransport { requests in
            defer { fails = false }
            let rest: [ScriptedTransport.Step] = [
                .datagram(Self.message(16, requests[0].sequence)),
                .datagram(Self.message(NLMSG_DONE, requests[0].sequence)),
            ]
            return fails ? [.failed(.noBufferSpace)] + rest : rest
        }
        let socket = NetlinkSocket(transport, isRoute: true)
        let error = try failure { () throws(NetlinkError) in _ = try Self.count(socket) }
        #expect(error.errno == .noBufferSpace && error.isOutcomeUnknown)
        #expect(transport.queue.isEmpty)
        #expect(try Self.count(socket) == 1)
    }

    @Test func `a truncated answer is typed, and the socket clean for the next request`() throws {
        var fails = true
        let transport = ScriptedTransport { requests in
            defer { fails = false }
            let part = Self.message(16, requests[0].sequence)
            let end = ScriptedTransport.Step.datagram(Self.message(NLMSG_DONE, requests[0].sequence))
            return [fails ? .truncated(part, length: 40_000) : .datagram(part), end]
        }
        let socket = NetlinkSocket(transport, isRoute: true)
        let error = try failure { () throws(NetlinkError) in _ = try Self.count(socket) }
        #expect(error.errno == .messageTooLong && error.isOutcomeUnknown)
        #expect(transport.queue.isEmpty)
        #expect(try Self.count(socket) == 1)
    }

    @Test func `a stranger's datagram and an echo that is not ours are passed over`() throws {
        let transport = ScriptedTransport { requests in
            [
                .stranger(Self.message(NLMSG_DONE, requests[0].sequence)),
                .datagram(Self.message(16, requests[0].sequence &+ 77)),
                .datagram(Self.message(16, requests[0].sequence)),
                .datagram(Self.message(NLMSG_DONE, requests[0].sequence)),
            ]
        }
        #expect(try Self.count(NetlinkSocket(transport, isRoute: true)) == 1)
    }

    @Test func `a kernel that stays silent is a typed error`() throws {
        let socket = NetlinkSocket(ScriptedTransport { _ in [] }, isRoute: true)
        let error = try failure { () throws(NetlinkError) in _ = try Self.count(socket) }
        #expect(error.errno == .timedOut && error.isOutcomeUnknown)
    }

    /// The number 21 is RTM_DELADDR to rtnetlink and, on many machines, the ethtool family to generic netlink.
    @Test func `an attribute of generic netlink is not named by rtnetlink's names`() throws {
        func path(isRoute: Bool) throws -> String? {
            let transport = ScriptedTransport { requests in
                var answer = Request(Int(NLMSG_ERROR), flags: NLM_F_CAPPED | NLM_F_ACK_TLVS)
                answer.header {
                    $0.append(Int32(-22))
                    for _ in 0..<4 { $0.append(UInt32(0)) }
                }
                answer.attribute(Int(NLMSGERR_ATTR_OFFS.rawValue), UInt32(24))
                answer.setSequence(requests[0].sequence)
                var bytes = answer.bytes
                withUnsafeBytes(of: UInt32(926)) { bytes.replaceSubrange(12..<16, with: $0) }
                return [.datagram(bytes)]
            }
            var request = Request(Int(RTM_DELADDR))
            request.header { for _ in 0..<2 { $0.append(UInt32(0)) } }
            request.attribute(IFA_LOCAL, UInt32(0))
            let socket = NetlinkSocket(transport, isRoute: isRoute)
            return try failure { () throws(NetlinkError) in try socket.perform(request, .address, "test") }
                .attributePath
        }
        #expect(try path(isRoute: true) == "IFA_LOCAL")
        #expect(try path(isRoute: false) == nil)
    }

    @Test func `a policy is read, and a range that is none does not trap`() throws {
        var found: AttributePolicy?
        for answer in AcknowledgementTests.answers where answer.name == "a policy: text and place, capped" {
            forEachMessage(bytes(answer.answer)) { found = ExtendedAcknowledgement($0)?.policy }
        }
        #expect(found?.description == "a text of at most 15 bytes")

        let upsideDown = bytes("0800 0100 04000000 0c00 0400 0900000000000000 0c00 0500 0100000000000000")
        let policy = AttributePolicy(Attribute(type: 4, payload: upsideDown.span.bytes))
        #expect(policy.type == 4 && policy.unsignedRange == nil)
    }
}
