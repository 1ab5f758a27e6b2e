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

        /// The last of each table: an omission would shift it.
        @Test func `of the last in each table`() {
            #expect(AttributeSchema.rule.name(24) == "FRA_DPORT_RANGE")
            #expect(AttributeSchema.rule.name(30) == "FRA_DSCP_MASK")
            #expect(AttributeSchema.rule.name(5) == "attribute 5")
            #expect(AttributeSchema.namespaceID.name(5) == "NETNSA_CURRENT_NSID")
        }
    }
}
