import CPseudowireMNL
import Glibc
import SystemPackage
import Testing

@testable import RouteNetlink

/// Extended acknowledgements, captured from Linux 6.18, with and without `NETLINK_CAP_ACK`.
@Suite struct AcknowledgementTests {
    struct Answer: Sendable, CustomTestStringConvertible {
        var name: String
        var request: String
        var answer: String
        var code: Int32
        var text: String?
        var path: String?
        var testDescription: String { name }
    }

    static let answers: [Answer] = [
        Answer(
            name: "a plain refusal: text alone, capped",
            request: "28000000100005000700000000000000000000000400000000000000000000000800040070110100",
            answer: """
                48000000020000030700000000000000eaffffff28000000100005000700000000000000240001006d747520
                67726561746572207468616e20646576696365206d6178696d756d00
                """,
            code: 22, text: "mtu greater than device maximum", path: nil),
        Answer(
            name: "a plain refusal: text alone, whole",
            request: "28000000100005000700000000000000000000000400000000000000000000000800040070110100",
            answer: """
                60000000020000020700000000000000eaffffff280000001000050007000000000000000000000004000000
                00000000000000000800040070110100240001006d74752067726561746572207468616e2064657669636520
                6d6178696d756d00
                """,
            code: 22, text: "mtu greater than device maximum", path: nil),
        Answer(
            name: "a policy: text and place, capped",
            request: """
                3800000010000500070000000000000000000000030000000000000000000000150003007369787465656e2d
                6c6574746572732100000000
                """,
            answer: """
                68000000020000030700000000000000deffffff380000001000050007000000000000002700010041747472
                6962757465206661696c656420706f6c6963792076616c69646174696f6e0000080002002000000014000480
                080007000f000000080001000b000000
                """,
            code: 34, text: "Attribute failed policy validation", path: "IFLA_IFNAME"),
        Answer(
            name: "a policy: text and place, whole",
            request: """
                3800000010000500070000000000000000000000030000000000000000000000150003007369787465656e2d
                6c6574746572732100000000
                """,
            answer: """
                90000000020000020700000000000000deffffff380000001000050007000000000000000000000003000000
                0000000000000000150003007369787465656e2d6c6574746572732100000000270001004174747269627574
                65206661696c656420706f6c6963792076616c69646174696f6e000008000200200000001400048008000700
                0f000000080001000b000000
                """,
            code: 34, text: "Attribute failed policy validation", path: "IFLA_IFNAME"),
        Answer(
            name: "a place three nests deep, capped",
            request: """
                440000001000050607000000000000000000000000000000000000000000000007000300767800001c001280
                0a00010076786c616e0000000c0002800800010000000002
                """,
            answer: """
                58000000020000030700000000000000deffffff440000001000050607000000000000002900010056584c41
                4e204944206d757374206265206c6f776572207468616e20313637373732313600000000080002003c000000
                """,
            code: 34, text: "VXLAN ID must be lower than 16777216", path: "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_ID"),
        Answer(
            name: "a place three nests deep, whole",
            request: """
                440000001000050607000000000000000000000000000000000000000000000007000300767800001c001280
                0a00010076786c616e0000000c0002800800010000000002
                """,
            answer: """
                8c000000020000020700000000000000deffffff440000001000050607000000000000000000000000000000
                000000000000000007000300767800001c0012800a00010076786c616e0000000c0002800800010000000002
                2900010056584c414e204944206d757374206265206c6f776572207468616e20313637373732313600000000
                080002003c000000
                """,
            code: 34, text: "VXLAN ID must be lower than 16777216", path: "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_ID"),
        Answer(
            name: "an address without IFA_LOCAL, capped",
            request: "180000001400050607000000000000000218000003000000",
            answer: """
                4c000000020000030700000000000000eaffffff180000001400050607000000000000002800010069707634
                3a204c6f63616c2061646472657373206973206e6f7420737570706c69656400
                """,
            code: 22, text: "ipv4: Local address is not supplied", path: nil),
        Answer(
            name: "an address without IFA_LOCAL, whole",
            request: "180000001400050607000000000000000218000003000000",
            answer: """
                54000000020000020700000000000000eaffffff180000001400050607000000000000000218000003000000
                28000100697076343a204c6f63616c2061646472657373206973206e6f7420737570706c69656400
                """,
            code: 22, text: "ipv4: Local address is not supplied", path: nil),
        Answer(
            name: "a deletion of nothing, capped",
            request: """
                3000000025000500070000000000000000000000040000000000fffff1ffffff000000000b000100636c7361
                63740000
                """,
            answer: """
                58000000020000030700000000000000feffffff300000002500050007000000000000003400010043616e6e
                6f742066696e6420737065636966696564207164697363206f6e207370656369666965642064657669636500
                """,
            code: 2, text: "Cannot find specified qdisc on specified device", path: nil),
        Answer(
            name: "a deletion of nothing, whole",
            request: """
                3000000025000500070000000000000000000000040000000000fffff1ffffff000000000b000100636c7361
                63740000
                """,
            answer: """
                78000000020000020700000000000000feffffff300000002500050007000000000000000000000004000000
                0000fffff1ffffff000000000b000100636c7361637400003400010043616e6e6f742066696e642073706563
                6966696564207164697363206f6e207370656369666965642064657669636500
                """,
            code: 2, text: "Cannot find specified qdisc on specified device", path: nil),
        Answer(
            name: "a refusal without a word, capped",
            request: """
                300000001000050007000000000000000000000003000000000000000000000010001a800c000a8005000800
                09000000
                """,
            answer: "24000000020000010700000000000000eaffffff30000000100005000700000000000000",
            code: 22, text: nil, path: nil),
        Answer(
            name: "a refusal without a word, whole",
            request: """
                300000001000050007000000000000000000000003000000000000000000000010001a800c000a8005000800
                09000000
                """,
            answer: """
                44000000020000000700000000000000eaffffff300000001000050007000000000000000000000003000000
                000000000000000010001a800c000a800500080009000000
                """,
            code: 22, text: nil, path: nil),
    ]

    @Test(arguments: answers)
    func `names errno, words and attribute`(_ answer: Answer) throws {
        var acknowledgement: ExtendedAcknowledgement?
        forEachMessage(bytes(answer.answer)) { acknowledgement = ExtendedAcknowledgement($0) }
        let found = try #require(acknowledgement)
        #expect(found.code == answer.code && found.text == answer.text)
        let request = bytes(answer.request)
        let schema = try #require(AttributeSchema.of(request))
        #expect(found.offset.flatMap { AttributePath.name(at: Int($0), in: request, schema) } == answer.path)
    }

    @Test func `finds the words of a failed dump right after the errno`() throws {
        // NLMSG_DONE, NLM_F_MULTI | NLM_F_ACK_TLVS: -EINVAL, then NLMSGERR_ATTR_MSG "no".
        let done = bytes("1c000000 0300 0202 07000000 00000000 eaffffff 0700 0100 6e6f00 00")
        var acknowledgement: ExtendedAcknowledgement?
        forEachMessage(done) { acknowledgement = ExtendedAcknowledgement($0) }
        #expect(acknowledgement?.code == EINVAL && acknowledgement?.text == "no")
    }

    @Test func `names a missing attribute in its nest`() {
        var request = Request(Int(RTM_NEWLINK))
        request.header { for _ in 0..<4 { $0.append(UInt32(0)) } }
        request.attribute(IFLA_IFNAME, "x")
        let nest = request.bytes.count
        request.nest(IFLA_LINKINFO) { $0.attribute(IFLA_INFO_DATA, UInt32(0)) }
        // -EINVAL, capped: MISS_TYPE 1, MISS_NEST at IFLA_LINKINFO.
        var answer = Request(Int(NLMSG_ERROR), flags: NLM_F_CAPPED | NLM_F_ACK_TLVS)
        answer.header {
            $0.append(Int32(-EINVAL))
            for _ in 0..<4 { $0.append(UInt32(0)) }
        }
        answer.attribute(Int(NLMSGERR_ATTR_MISS_TYPE.rawValue), UInt32(1))
        answer.attribute(Int(NLMSGERR_ATTR_MISS_NEST.rawValue), UInt32(nest))
        var error = NetlinkError(.invalidArgument, "create link x", object: .link)
        forEachMessage(answer.bytes) { message in
            guard let acknowledgement = ExtendedAcknowledgement(message) else { return }
            AttributePath.annotate(&error, with: acknowledgement, request: request.bytes)
        }
        #expect(error.missingAttribute == "IFLA_LINKINFO.IFLA_INFO_KIND")
    }

    @Test func `an offset beyond the request has no name`() {
        let request = LinkRequest.create(.bridge("br0"))
        for offset in [0, 15, 16, 31, 10_000, Int(UInt32.max)] {
            #expect(AttributePath.name(at: offset, in: request.bytes, .link) == nil)
        }
        for offset in 0..<request.bytes.count { _ = AttributePath.name(at: offset, in: request.bytes, .link) }
    }

    @Test func `reads like a sentence`() {
        var error = NetlinkError(.invalidArgument, "update link 3", object: .link, message: "mtu greater than maximum")
        error.attributePath = "IFLA_MTU"
        #expect(error.description == "update link 3: Invalid argument: mtu greater than maximum (at IFLA_MTU)")
    }
}
