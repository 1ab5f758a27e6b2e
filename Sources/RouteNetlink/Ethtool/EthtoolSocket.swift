import CPseudowireMNL
import SystemPackage

/// The `ethtool` family of generic netlink (features: Linux 5.8).
final class EthtoolSocket {
    private let socket: NetlinkSocket
    private let family: Int

    init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        let socket = try NetlinkSocket(NETLINK_GENERIC, in: namespace)
        var family: UInt16?
        let request = EthtoolRequest.family("ethtool")
        try socket.perform(request, .socket, "find netlink family ethtool") { message throws(MalformedMessage) in
            var cursor = message.attributes(after: 4)
            while let attribute = cursor.next() {
                if attribute.type == Int(CTRL_ATTR_FAMILY_ID) { family = try attribute.integer() }
            }
        }
        guard let family else {
            throw NetlinkError(.noSuchFileOrDirectory, "find netlink family ethtool", message: "no number in the answer")
        }
        self.socket = socket
        self.family = Int(family)
    }

    /// Which features a link has on, and which of them can be changed.
    func features(_ link: LinkIndex) throws(NetlinkError) -> LinkFeatures {
        var features = LinkFeatures()
        let request = EthtoolRequest.features(family, link)
        try socket.perform(request, .link, "read offloads of link \(link)") { message in
            features = LinkFeatures(message)
        }
        return features
    }

    /// Switches features by name; the caller looks afterwards at what came of it.
    func set(_ link: LinkIndex, _ wanted: [(name: String, isOn: Bool)]) throws(NetlinkError) {
        try socket.perform(EthtoolRequest.set(family, link, wanted), .link, "set offloads of link \(link)")
    }
}

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

/// The requests of generic netlink and ethtool, as bytes.
enum EthtoolRequest {
    static func family(_ name: String) -> Request {
        var request = Request(Int(GENL_ID_CTRL_NUMBER))
        request.genericHeader(UInt8(CTRL_CMD_GETFAMILY))
        request.attribute(Int(CTRL_ATTR_FAMILY_NAME), name)
        return request
    }

    static func features(_ family: Int, _ link: LinkIndex) -> Request {
        var request = Request(family)
        request.genericHeader(UInt8(ETHTOOL_MSG_FEATURES_GET))
        request.nest(Int(ETHTOOL_A_FEATURES_HEADER)) {
            $0.attribute(Int(ETHTOOL_A_HEADER_DEV_INDEX), link.rawValue)
        }
        return request
    }

    static func set(_ family: Int, _ link: LinkIndex, _ wanted: [(name: String, isOn: Bool)]) -> Request {
        var request = Request(family)
        request.genericHeader(UInt8(ETHTOOL_MSG_FEATURES_SET))
        request.nest(Int(ETHTOOL_A_FEATURES_HEADER)) {
            $0.attribute(Int(ETHTOOL_A_HEADER_DEV_INDEX), link.rawValue)
        }
        request.nest(Int(ETHTOOL_A_FEATURES_WANTED)) { bitset in
            bitset.nest(Int(ETHTOOL_A_BITSET_BITS)) { bits in
                for feature in wanted {
                    bits.nest(Int(ETHTOOL_A_BITSET_BITS_BIT)) {
                        $0.attribute(Int(ETHTOOL_A_BITSET_BIT_NAME), feature.name)
                        if feature.isOn { $0.flag(Int(ETHTOOL_A_BITSET_BIT_VALUE)) }
                    }
                }
            }
        }
        return request
    }

    /// `GENL_ID_CTRL`, which is the first number that is not reserved.
    private static let GENL_ID_CTRL_NUMBER = 0x10
}

extension Request {
    /// Appends `struct genlmsghdr`.
    fileprivate mutating func genericHeader(_ command: UInt8) {
        header {
            $0.append(command)
            $0.append(UInt8(1))
            $0.append(UInt16(0))
        }
    }
}
