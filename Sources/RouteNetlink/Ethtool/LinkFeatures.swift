import CPseudowireMNL

/// The single features of an interface, by the kernel's names, as `tx-tcp-segmentation`.
///
/// ```swift
/// let features = try client.links.features(index)
/// print(features.active.intersection(features.changeable).sorted())
/// ```
public struct LinkFeatures: Hashable, Sendable {
    /// On now.
    public var active: Set<String>
    /// Those that this device lets a user change.
    public var changeable: Set<String>
    /// Those that no device lets a user change: `NETIF_F_NEVER_CHANGE`, the same for all, whether on or off.
    public var fixed: Set<String>

    /// Whether any feature of a group is on.
    public func isOn(_ offload: LinkOffload) -> Bool { active.contains(where: offload.includes) }

    public init(active: Set<String> = [], changeable: Set<String> = [], fixed: Set<String> = []) {
        self.active = active
        self.changeable = changeable
        self.fixed = fixed
    }
}

/// What became of a request to switch features, by the kernel's names: its own report, not a guess.
///
/// ```swift
/// let change = try client.links.setFeatures(index, ["tx-checksum-ip-generic": false])
/// print(change.changed)   // segmentation that depends on it went along
/// print(change.refused)   // what is not as asked
/// ```
public struct FeatureChange: Hashable, Sendable {
    /// What is on or off now and was otherwise before, whether it was asked for or went along.
    public var changed: [String: Bool]
    /// What was asked for and is not so, with what was asked.
    public var refused: [String: Bool]

    public init(changed: [String: Bool] = [:], refused: [String: Bool] = [:]) {
        self.changed = changed
        self.refused = refused
    }
}

extension FeatureChange {
    /// Reads an `ETHTOOL_MSG_FEATURES_SET_REPLY`, whose bitsets list what differs.
    init(_ message: borrowing Message) {
        self.init()
        var cursor = message.attributes(after: 4)
        while let attribute = cursor.next() {
            switch attribute.type {
            case Int(ETHTOOL_A_FEATURES_WANTED): refused = LinkFeatures.bits(attribute)
            case Int(ETHTOOL_A_FEATURES_ACTIVE): changed = LinkFeatures.bits(attribute)
            default: continue
            }
        }
    }
}

extension LinkFeatures {
    /// Reads an `ETHTOOL_MSG_FEATURES_GET_REPLY`.
    init(_ message: borrowing Message) {
        self.init()
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

    /// The names of the bits that are set.
    private static func names(_ bitset: borrowing Attribute) -> Set<String> {
        Set(bits(bitset).filter(\.value).keys)
    }

    /// The bits that a bitset lists, by name: in one with a mask, those that are set have a value; else all are set.
    static func bits(_ bitset: borrowing Attribute) -> [String: Bool] {
        var found: [String: Bool] = [:]
        var hasMask = true
        var members = bitset.attributes
        while let member = members.next() {
            if member.type == Int(ETHTOOL_A_BITSET_NOMASK) { hasMask = false }
        }
        members = bitset.attributes
        while let member = members.next() {
            guard member.type == Int(ETHTOOL_A_BITSET_BITS) else { continue }
            var bits = member.attributes
            while let bit = bits.next() {
                var name: String?
                var isSet = !hasMask
                var fields = bit.attributes
                while let field = fields.next() {
                    if field.type == Int(ETHTOOL_A_BITSET_BIT_NAME) { name = field.text }
                    if field.type == Int(ETHTOOL_A_BITSET_BIT_VALUE) { isSet = true }
                }
                if let name { found[name] = isSet }
            }
        }
        return found
    }
}
