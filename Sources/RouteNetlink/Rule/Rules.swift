import CPseudowireMNL
public import InternetAddress

/// The routing rules of a client's namespace.
///
/// ```swift
/// try client.rules.add(Rule(.v6, from: "2001:db8::/32", table: 100, priority: 1000))
/// for rule in try client.rules.list() { print(rule) }
/// ```
public struct Rules {
    let client: RouteClient

    /// Adds a rule.
    ///
    /// - Throws: `isAlreadyPresent` when there is one that agrees in everything.
    public func add(_ rule: Rule) throws(NetlinkError) {
        try client.socket.perform(
            RuleRequest.change(Int(RTM_NEWRULE), createNew, rule), .rule, "add rule \(rule)")
    }

    /// Deletes the first rule that agrees in all that `rule` states.
    ///
    /// - Throws: `isNotFound` when none does.
    public func delete(_ rule: Rule) throws(NetlinkError) {
        try client.socket.perform(RuleRequest.change(Int(RTM_DELRULE), 0, rule), .rule, "delete rule \(rule)")
    }

    /// The rules of one family, or of both, in the order in which they are asked.
    public func list(_ family: IPAddress.Family? = nil) throws(NetlinkError) -> [Rule] {
        var rules: [Rule] = []
        for each in family.map({ [$0] }) ?? IPAddress.Family.allCases {
            rules += try client.socket.dump(RuleRequest.list(each), .rule, "list rules") {
                message throws(MalformedMessage) in try Rule(message)
            }
        }
        return rules
    }
}
