import CPseudowireMNL
import Testing

@testable import RouteNetlink

/// Which messages count as answers, and when a request is over.
@Suite struct ExchangeTests {
    /// A message with one integer of payload.
    static func message(
        _ type: Int32, flags: Int32 = 0, sequence: UInt32 = 7, port: UInt32 = 926, payload: [UInt8] = [0, 0, 0, 0]
    ) -> [UInt8] {
        func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
        return bytes(UInt32(16 + payload.count)) + bytes(UInt16(type)) + bytes(UInt16(flags)) + bytes(sequence)
            + bytes(port) + payload
    }

    /// Feeds datagrams to an exchange of sequence 7 on port 926.
    static func run(_ datagrams: [UInt8]..., failing: Bool = false) -> (Exchange.Outcome?, replies: Int, Exchange) {
        var exchange = Exchange(sequence: 7, portID: 926)
        var outcome: Exchange.Outcome?
        var replies = 0
        for datagram in datagrams where outcome == nil {
            let span = datagram.span
            var cursor = MessageCursor(span.bytes)
            while outcome == nil, let message = cursor.next() {
                outcome = exchange.take(message) { _ throws(MalformedMessage) in
                    replies += 1
                    if failing { throw MalformedMessage(what: "broken \(replies)") }
                }
            }
        }
        return (outcome, replies, exchange)
    }

    @Test func `passes over strangers`() {
        let (outcome, replies, _) = Self.run(
            Self.message(16, sequence: 6), Self.message(16, port: 927), Self.message(NLMSG_ERROR, sequence: 0),
            Self.message(NLMSG_DONE, port: 0), Self.message(NLMSG_NOOP), Self.message(16))
        #expect(outcome == nil, "none of these ends it")
        #expect(replies == 1)
    }

    @Test func `ends at an acknowledgement or at DONE, not before`() {
        #expect(Self.run(Self.message(16) + Self.message(16)).0 == nil)
        #expect(Self.run(Self.message(16) + Self.message(NLMSG_ERROR)).0 == .done)
        let (outcome, replies, exchange) = Self.run(Self.message(16), Self.message(16), Self.message(NLMSG_DONE))
        #expect(outcome == .done)
        #expect(replies == 2)
        #expect(exchange.isConsistent)
    }

    /// Measured: the flag was on one message of 123, and not on DONE.
    @Test(arguments: 0..<3) func `sees an interruption on any message`(_ position: Int) {
        let all = [(Int32(16), 0), (16, 1), (NLMSG_DONE, 2)].flatMap { type, index in
            Self.message(type, flags: index == position ? NLM_F_DUMP_INTR : 0)
        }
        let (outcome, replies, exchange) = Self.run(all)
        #expect(outcome == .done)
        #expect(replies == 2, "and reads on to the end")
        #expect(!exchange.isConsistent)
    }

    @Test func `reports a broken message once everything is read`() {
        let (outcome, replies, _) = Self.run(
            Self.message(16), Self.message(16), Self.message(NLMSG_DONE), failing: true)
        #expect(outcome == .malformed("broken 1"))
        #expect(replies == 2)
    }

    @Test func `an acknowledgement without an errno is no success`() {
        #expect(Self.run(Self.message(NLMSG_ERROR, payload: [])).0 == .malformed("an acknowledgement without an errno"))
        #expect(Self.run(Self.message(NLMSG_OVERRUN)).0 == .overrun)
    }

    @Test func `an errno refuses, whatever came before`() throws {
        let (outcome, _, _) = Self.run(
            Self.message(16), Self.message(NLMSG_DONE, payload: [0xf0, 0xff, 0xff, 0xff]), failing: true)
        guard case .refused(let acknowledgement) = outcome else {
            Issue.record("not refused")
            return
        }
        #expect(acknowledgement.code == 16)
    }
}
