import CPseudowireMNL

/// The two feature sets that matter, by the kernel's names.
struct LinkFeatures {
    /// On now.
    var active: Set<String> = []
    /// Changeable by a user.
    var changeable: Set<String> = []
    /// Known to the device but nailed down.
    var fixed: Set<String> = []

    init() {}

    /// Reads an `ETHTOOL_MSG_FEATURES_GET_REPLY`.
    init(_ message: borrowing Message) {
        var cursor = message.attributes(after: 4)
        while let attribute = cursor.next() {
            switch attribute.type {
            case Int(ETHTOOL_A_FEATURES_HW): changeable = Self.names(attribute)
            case Int(ETHTOOL_A_FEATURES_ACTIVE): active = Self.names(attribute)
            case Int(ETHTOOL_A_FEATURES_NOCHANGE): fixed = Self.names(attribute)
            default: continue
            }
        }
    }

    /// Reads an `ETHTOOL_MSG_STRSET_GET_REPLY` of one set.
    static func strings(_ message: borrowing Message) throws(MalformedMessage) -> [String] {
        var names: [String] = []
        var cursor = message.attributes(after: 4)
        while let sets = cursor.next() {
            guard sets.type == Int(ETHTOOL_A_STRSET_STRINGSETS) else { continue }
            var inSets = sets.attributes
            while let set = inSets.next() {
                var inSet = set.attributes
                while let item = inSet.next() {
                    guard item.type == Int(ETHTOOL_A_STRINGSET_STRINGS) else { continue }
                    var strings = item.attributes
                    while let string = strings.next() {
                        var fields = string.attributes
                        while let field = fields.next() {
                            if field.type == Int(ETHTOOL_A_STRING_VALUE) { names.append(field.text) }
                        }
                    }
                }
            }
        }
        return names
    }

    /// The names in a bitset without a mask: each bit that is listed is set.
    private static func names(_ bitset: borrowing Attribute) -> Set<String> {
        var names: Set<String> = []
        var members = bitset.attributes
        while let member = members.next() {
            guard member.type == Int(ETHTOOL_A_BITSET_BITS) else { continue }
            var bits = member.attributes
            while let bit = bits.next() {
                var fields = bit.attributes
                while let field = fields.next() {
                    if field.type == Int(ETHTOOL_A_BITSET_BIT_NAME) { names.insert(field.text) }
                }
            }
        }
        return names
    }
}
