import CPseudowireMNL
import InternetAddress

/// The attributes of rules, `FRA_*` of `linux/fib_rules.h`.
enum RuleAttribute {
    static let destination = 1
    static let source = 2
    static let inputInterface = 3
    static let priority = 6
    static let mark = 10
    static let suppressPrefixLength = 14
    static let table = 15
    static let markMask = 16
    static let outputInterface = 17

    /// `FIB_RULE_INVERT`, of the header's flags.
    static let inverted: UInt32 = 2
    /// "Suppress nothing", which the kernel reports for rules without the attribute.
    static let nothingSuppressed: UInt32 = .max
}

/// The requests about rules, as bytes.
enum RuleRequest {
    static func change(_ type: Int, _ flags: Int32, _ rule: Rule) -> Request {
        var request = Request(type, flags: flags)
        request.ruleHeader(rule)
        for prefix in [rule.source, rule.destination] {
            if let prefix, prefix.address.family != rule.family {
                request.refuse(.invalid("a prefix is of another family than the rule"))
            }
        }
        if let destination = rule.destination {
            request.attribute(RuleAttribute.destination, destination.network.address)
        }
        if let source = rule.source { request.attribute(RuleAttribute.source, source.network.address) }
        if let priority = rule.priority { request.attribute(RuleAttribute.priority, priority) }
        if let mark = rule.mark { request.attribute(RuleAttribute.mark, mark) }
        if let mask = rule.markMask { request.attribute(RuleAttribute.markMask, mask) }
        if let name = rule.inputInterface { request.attribute(RuleAttribute.inputInterface, name) }
        if let name = rule.outputInterface { request.attribute(RuleAttribute.outputInterface, name) }
        if let length = rule.suppressPrefixLength { request.attribute(RuleAttribute.suppressPrefixLength, length) }
        if rule.table > 255 { request.attribute(RuleAttribute.table, rule.table) }
        return request
    }

    static func list(_ family: IPAddress.Family) -> Request {
        var request = Request(Int(RTM_GETRULE), flags: NLM_F_DUMP_FLAGS)
        // Strict checking wants everything but the family empty.
        request.header {
            $0.append(family.socketFamily)
            for _ in 0..<11 { $0.append(UInt8(0)) }
        }
        return request
    }
}

extension Request {
    /// Appends `struct fib_rule_hdr`.
    fileprivate mutating func ruleHeader(_ rule: Rule) {
        header {
            $0.append(rule.family.socketFamily)
            $0.append(rule.destination?.length ?? 0)
            $0.append(rule.source?.length ?? 0)
            $0.append(UInt8(0))
            $0.append(rule.table > 255 ? 0 : UInt8(rule.table))
            $0.append(UInt16(0))
            $0.append(rule.action.rawValue)
            $0.append(rule.isInverted ? RuleAttribute.inverted : 0)
        }
    }
}

extension Rule {
    /// Reads an `RTM_NEWRULE` of IPv4 or IPv6; nil for anything else.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWRULE else { return nil }
        try message.require(12, "fib_rule_hdr")
        guard let family = IPAddress.Family(socketFamily: message.field(0)) else { return nil }
        self.init(
            family, table: UInt32(message.field(4, UInt8.self)), action: Action(rawValue: message.field(7)),
            isInverted: message.field(8, UInt32.self) & RuleAttribute.inverted != 0)
        let destinationLength: UInt8 = message.field(1)
        let sourceLength: UInt8 = message.field(2)
        // The kernel leaves out a priority of zero.
        priority = 0
        var cursor = message.attributes(after: 12)
        while let attribute = cursor.next() {
            switch attribute.type {
            case RuleAttribute.destination:
                destination = attribute.ipAddress.flatMap { IPPrefix($0, length: destinationLength) }
            case RuleAttribute.source: source = attribute.ipAddress.flatMap { IPPrefix($0, length: sourceLength) }
            case RuleAttribute.inputInterface: inputInterface = attribute.text
            case RuleAttribute.outputInterface: outputInterface = attribute.text
            case RuleAttribute.priority: priority = try attribute.integer()
            case RuleAttribute.mark: mark = try attribute.integer()
            case RuleAttribute.markMask: markMask = try attribute.integer()
            case RuleAttribute.table: table = try attribute.integer()
            case RuleAttribute.suppressPrefixLength:
                let length: UInt32 = try attribute.integer()
                suppressPrefixLength = length == RuleAttribute.nothingSuppressed ? nil : length
            default: continue
            }
        }
    }
}
