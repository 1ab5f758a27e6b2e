import CPseudowireMNL
import InternetAddress
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    /// Which attribute the kernel points at, by its name.
    @Suite struct AttributeNameTests {
        @Test(arguments: IPAddress.Family.allCases)
        func `of a rule`(_ family: IPAddress.Family) throws {
            let rules = try RouteClient(in: .anonymous()).rules
            let name = String(repeating: "x", count: 16)
            let input = try failure { () throws(NetlinkError) in try rules.add(Rule(family, inputInterface: name)) }
            #expect(input.attributePath == "FRA_IIFNAME" && input.policy?.maxLength == 15)
            let output = try failure { () throws(NetlinkError) in try rules.add(Rule(family, outputInterface: name)) }
            #expect(output.attributePath == "FRA_OIFNAME")
        }

        @Test func `of a namespace's number`() throws {
            let client = try RouteClient(in: .anonymous())
            let one = try NetworkNamespace.anonymous()
            let other = try NetworkNamespace.anonymous()
            let id = try client.namespaces.assign(to: one)
            let again = try failure { () throws(NetlinkError) in _ = try client.namespaces.assign(to: one) }
            #expect(again.isAlreadyPresent && again.attributePath == "NETNSA_FD", "\(again)")
            let taken = try failure { () throws(NetlinkError) in _ = try client.namespaces.assign(id, to: other) }
            #expect(taken.isAlreadyPresent && taken.attributePath == "NETNSA_NSID", "\(taken)")
        }

        @Test func `of a bridge, its port, a macvlan and a next hop`() throws {
            let cable = try Cable()
            let links = cable.client.links
            let bridge = try links.create(.bridge("br0"))
            // The wrong size for each, said to the kernel in so many bytes.
            func refusal(_ build: (inout Request) -> Void) throws -> NetlinkError {
                try failure { () throws(NetlinkError) in
                    var request = Request(Int(RTM_NEWLINK))
                    request.linkHeader(index: bridge.index)
                    build(&request)
                    try cable.client.socket.perform(request, .link, "update link")
                }
            }
            let short = try refusal { request in
                request.nest(IFLA_LINKINFO) { info in
                    info.attribute(IFLA_INFO_KIND, "bridge")
                    info.nest(IFLA_INFO_DATA) { $0.attribute(Int(IFLA_BR_AGEING_TIME), UInt8(1)) }
                }
            }
            #expect(short.attributePath == "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_AGEING_TIME", "\(short)")
            let mode = try failure { () throws(NetlinkError) in
                var request = Request(Int(RTM_NEWLINK), flags: createNew)
                request.linkHeader()
                request.attribute(IFLA_LINK, cable.left.index.rawValue)
                request.nest(IFLA_LINKINFO) { info in
                    info.attribute(IFLA_INFO_KIND, "macvlan")
                    info.nest(IFLA_INFO_DATA) { $0.attribute(Int(IFLA_MACVLAN_MODE), UInt16(1)) }
                }
                try cable.client.socket.perform(request, .link, "create macvlan")
            }
            #expect(mode.attributePath == "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_MACVLAN_MODE", "\(mode)")
            try links.update(cable.left.index, LinkUpdate(master: bridge.index))
            let port = try failure { () throws(NetlinkError) in
                var request = Request(Int(RTM_NEWLINK))
                request.linkHeader(index: cable.left.index)
                request.nest(IFLA_LINKINFO) { info in
                    info.nest(IFLA_INFO_SLAVE_DATA) { $0.attribute(Int(IFLA_BRPORT_COST), UInt8(1)) }
                }
                try cable.client.socket.perform(request, .link, "update port")
            }
            #expect(port.attributePath == "IFLA_LINKINFO.IFLA_INFO_SLAVE_DATA.IFLA_BRPORT_COST", "\(port)")
            let hop = try failure { () throws(NetlinkError) in
                var request = NextHopRequest.change(createNew, .group(9, [NextHopMember(7)]))
                request.attribute(NextHopRequest.Attribute.resilience, UInt16(1))
                try cable.client.socket.perform(request, .nextHop, "add next hop 9")
            }
            #expect(hop.attributePath == "NHA_RES_GROUP", "\(hop)")
        }

        /// The last of each table: an omission would shift it.
        @Test func `of the last in each table`() {
            #expect(AttributeSchema.rule.name(24) == "FRA_DPORT_RANGE")
            #expect(AttributeSchema.rule.name(30) == "FRA_DSCP_MASK")
            #expect(AttributeSchema.rule.name(5) == "attribute 5")
            #expect(AttributeSchema.namespaceID.name(5) == "NETNSA_CURRENT_NSID")
            #expect(AttributeSchema.nextHop.name(17) == "NHA_HW_STATS_USED")
            #expect(AttributeSchema.link.name(Int(IFLA_GRO_MAX_SIZE)) == "IFLA_GRO_MAX_SIZE")
            func last(_ kind: String, _ type: Int32) -> String {
                let request = LinkRequest.create(
                    LinkSpecification(
                        name: "x", kind: .other(kind, data: [4, 0, UInt8(type), 0])))
                return lines(request.bytes).last ?? ""
            }
            let data = "IFLA_LINKINFO.IFLA_INFO_DATA."
            #expect(last("bridge", Int32(IFLA_BR_MCAST_QUERIER_STATE)) == data + "IFLA_BR_MCAST_QUERIER_STATE = ")
            #expect(last("vlan", Int32(IFLA_VLAN_PROTOCOL)) == data + "IFLA_VLAN_PROTOCOL = ")
            #expect(
                last("macvlan", Int32(IFLA_MACVLAN_BC_QUEUE_LEN_USED)) == data + "IFLA_MACVLAN_BC_QUEUE_LEN_USED = ")
        }
    }
}
