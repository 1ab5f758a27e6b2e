import CPseudowireMNL

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
