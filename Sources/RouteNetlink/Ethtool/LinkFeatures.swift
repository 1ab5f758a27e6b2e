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
