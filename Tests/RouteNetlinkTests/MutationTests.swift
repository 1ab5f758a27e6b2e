import CPseudowireMNL
import Foundation
import InternetAddress
import RouteNetlinkTestKit
import Testing

@testable import RouteNetlink

/// Whatever arrives, no reader traps, hangs, or loses count.
///
/// `NETLINK_FUZZ_SEED` takes another walk, `NETLINK_FUZZ_ONLY` repeats one input of it. A trap says which one it was.
@Suite struct MutationTests {
    private static let inputs = 1_000_000

    /// Real answers, and what real answers lack: one of each kind that a reader knows.
    private static var seeds: [[UInt8]] {
        let link = LinkIndex(rawValue: 2)
        let made: [KernelMessage] = [
            .link(2, name: "eth0", kind: "veth", address: "02:00:00:00:00:01", master: 3, alias: "a"),
            .address("2001:db8::1/64", on: 2), .namespaceID(NamespaceID(rawValue: 5)),
            .rule(Rule(.v4, from: "192.0.2.0/24", mark: 7, markMask: 15, table: 1000, suppressPrefixLength: 0)),
            .neighbor(Neighbor(address: "192.0.2.2", link: link, macAddress: "02:00:00:00:00:02")),
            .forwarding(ForwardingEntry("02:00:00:00:00:09", port: link, vlan: 7, remote: "192.0.2.9")),
        ]
        return ParserTests.captured.map(bytes) + [features, policy]
            + [IPsecPolicyTests.output, IPsecPolicyTests.input, IPsecPolicyTests.defaults].map(bytes)
            + made.map { ExchangeTests.message(Int32($0.type.rawValue), payload: $0.payload) }
    }

    /// `ETHTOOL_MSG_FEATURES_GET_REPLY`.
    private static var features: [UInt8] {
        var message = Request(21)
        message.header { $0.append(UInt32(11)) }
        for set in [ETHTOOL_A_FEATURES_HW, ETHTOOL_A_FEATURES_ACTIVE, ETHTOOL_A_FEATURES_NOCHANGE] {
            message.nest(Int(set)) { bitset in
                if set != ETHTOOL_A_FEATURES_HW { bitset.flag(Int(ETHTOOL_A_BITSET_NOMASK)) }
                bitset.nest(Int(ETHTOOL_A_BITSET_BITS)) { bits in
                    for name in ["tx-checksum-ip-generic", "rx-gro"] {
                        bits.nest(Int(ETHTOOL_A_BITSET_BITS_BIT)) {
                            $0.attribute(Int(ETHTOOL_A_BITSET_BIT_NAME), name)
                            if set == ETHTOOL_A_FEATURES_HW { $0.flag(Int(ETHTOOL_A_BITSET_BIT_VALUE)) }
                        }
                    }
                }
            }
        }
        return message.bytes
    }

    /// A refusal that states all that a policy can.
    private static var policy: [UInt8] {
        var message = Request(Int(NLMSG_ERROR), flags: NLM_F_CAPPED | NLM_F_ACK_TLVS)
        message.header {
            $0.append(Int32(-34))
            for _ in 0..<4 { $0.append(UInt32(0)) }
        }
        message.nest(Int(NLMSGERR_ATTR_POLICY.rawValue)) {
            $0.attribute(Int(NL_POLICY_TYPE_ATTR_TYPE.rawValue), UInt32(3))
            $0.attribute(Int(NL_POLICY_TYPE_ATTR_MIN_VALUE_S.rawValue), Int64(-1))
            $0.attribute(Int(NL_POLICY_TYPE_ATTR_MAX_VALUE_S.rawValue), Int64(1))
            $0.attribute(Int(NL_POLICY_TYPE_ATTR_MIN_VALUE_U.rawValue), UInt64(2))
            $0.attribute(Int(NL_POLICY_TYPE_ATTR_MAX_VALUE_U.rawValue), UInt64(3))
            $0.attribute(Int(NL_POLICY_TYPE_ATTR_MASK.rawValue), UInt64(7))
        }
        return message.bytes
    }

    @Test func `1,000,000 mutations of every kind of message`() {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["NETLINK_FUZZ_SEED"].flatMap { UInt64($0) } ?? 0x5eed
        let only = environment["NETLINK_FUZZ_ONLY"].flatMap { Int($0) }
        CrashReport.install(seed)
        defer { CrashReport.remove() }
        var arena = MutationArena(Self.seeds)
        var readers = MutatedReaders()
        for input in only.map({ $0..<$0 + 1 }) ?? 0..<Self.inputs {
            CrashReport.input = input
            var generator = SeededGenerator(state: seed &+ UInt64(input) &* 0x9e37_79b9_7f4a_7c15)
            arena.withMutation(&generator) { readers.read($0, input) }
        }
        guard only == nil else { return }
        // Not one reader that was never reached, or that accepts everything, or nothing.
        for (reader, count) in readers.counts.sorted(by: { $0.key < $1.key }) {
            #expect(count.read > 500, "\(reader): \(count)")
            if !["ethtool", "acknowledgement", "exchange", "batch"].contains(reader) {
                #expect(count.refused > 10, "\(reader): \(count)")
            }
        }
        #expect(readers.counts.count == 16, "\(readers.counts.keys.sorted())")
    }
}

/// Every reader of the library, and what came of it.
private struct MutatedReaders {
    struct Count {
        var read = 0
        var refused = 0
    }
    private(set) var counts: [String: Count] = [:]

    mutating func read(_ bytes: RawSpan, _ input: Int) {
        var cursor = MessageCursor(bytes)
        while let message = cursor.next() {
            switch message.type {
            case Int(NLMSG_ERROR), Int(NLMSG_DONE): note("acknowledgement", ExtendedAcknowledgement(message) != nil)
            case 21 where input % 2 == 0: note("ethtool", !LinkFeatures(message).changeable.isEmpty)
            default: readObject(message, input)
            }
        }
        // What these cost is the socket's part, not the reader's.
        switch input % 32 {
        case 0: exchange(bytes)
        case 1: batch(bytes)
        default: break
        }
    }

    private mutating func readObject(_ message: borrowing Message, _ input: Int) {
        if input % 2 == 0 {
            switch RouteEvent(message) {
            case nil: break
            case .unrecognized: note("event", false)
            default: note("event", true)
            }
            return
        }
        note("link", message) { message throws(MalformedMessage) in try Link(message) }
        note("address", message) { message throws(MalformedMessage) in try InterfaceAddress(message) }
        note("route", message) { message throws(MalformedMessage) in try Route(message) }
        note("neighbor", message) { message throws(MalformedMessage) in try Neighbor(message) }
        note("forwarding", message) { message throws(MalformedMessage) in try ForwardingEntry(message) }
        note("qdisc", message) { message throws(MalformedMessage) in try Qdisc(message) }
        note("rule", message) { message throws(MalformedMessage) in try Rule(message) }
        note("namespace ID", message) { message throws(MalformedMessage) in try NamespaceID(message) }
        note("IPsec policy", message) { message throws(MalformedMessage) in try IPsecPolicy(message) }
        note("IPsec defaults", message) { message throws(MalformedMessage) in try IPsecDefaults(message) }
        note("filter", message) { message throws(MalformedMessage) in try FilterInfo(message) }
    }

    /// As the answer to a request, whose refusal names attributes of it.
    private mutating func exchange(_ bytes: RawSpan) {
        let answer = bytes.array
        let socket = NetlinkSocket(ScriptedTransport { Self.addressed(answer, to: $0) }, isRoute: true)
        let request = LinkRequest.update(LinkIndex(rawValue: 2), LinkUpdate(alias: "mutated"))
        do throws(NetlinkError) {
            try socket.perform(request, .link, "") { message throws(MalformedMessage) in _ = try Link(message) }
            note("exchange", true)
        } catch {
            // Whatever it says can be printed.
            note("exchange", !error.description.isEmpty)
        }
    }

    /// As the answers to a batch: a result for each, and nothing invented for what had no answer.
    private mutating func batch(_ bytes: RawSpan) {
        let answer = bytes.array
        let socket = NetlinkSocket(ScriptedTransport { Self.addressed(answer, to: $0) }, isRoute: true)
        let results = socket.perform(BatchTests.batch(3))
        let isAcknowledgement = answer.count >= 20 && answer[4] == UInt8(NLMSG_ERROR) && answer[5] == 0
        var known = 0
        for result in results {
            if case .failure(let error) = result, error.isOutcomeUnknown { continue }
            known += 1
        }
        #expect(results.count == 3 && known <= (isAcknowledgement ? 1 : 0))
        note("batch", results.count == 3)
    }

    /// The first message as ours: its sequence number and port.
    private static func addressed(_ answer: [UInt8], to requests: [RecordedRequest]) -> [ScriptedTransport.Step] {
        var answer = answer
        guard answer.count >= 16, let request = requests.first else { return [.datagram(answer)] }
        withUnsafeBytes(of: request.sequence) { answer.replaceSubrange(8..<12, with: $0) }
        withUnsafeBytes(of: UInt32(926)) { answer.replaceSubrange(12..<16, with: $0) }
        return [.datagram(answer)]
    }

    private mutating func note<Value>(
        _ name: String, _ message: borrowing Message,
        _ read: (borrowing Message) throws(MalformedMessage) -> Value?
    ) {
        do throws(MalformedMessage) { if try read(message) != nil { note(name, true) } } catch { note(name, false) }
    }

    private mutating func note(_ name: String, _ isRead: Bool) {
        if isRead { counts[name, default: Count()].read += 1 } else { counts[name, default: Count()].refused += 1 }
    }
}
