import CPseudowireMNL

/// The requests of ethtool, as bytes.
enum EthtoolRequest {
    /// How a request names its device; the compact form has the answer's bits without their names.
    enum Device {
        case index(LinkIndex)
        case name(String, isCompact: Bool)
    }

    /// Asks for the kernel's names of one kind, as `ETH_SS_FEATURES`; no device is needed.
    static func strings(_ family: Int, _ set: UInt32) -> Request {
        var request = Request(family)
        request.genericHeader(UInt8(ETHTOOL_MSG_STRSET_GET))
        request.nest(Int(ETHTOOL_A_STRSET_HEADER)) { _ in }
        request.nest(Int(ETHTOOL_A_STRSET_STRINGSETS)) { sets in
            sets.nest(Int(ETHTOOL_A_STRINGSETS_STRINGSET)) { $0.attribute(Int(ETHTOOL_A_STRINGSET_ID), set) }
        }
        return request
    }

    static func features(_ family: Int, _ device: Device) -> Request {
        var request = Request(family)
        request.genericHeader(UInt8(ETHTOOL_MSG_FEATURES_GET))
        request.device(device)
        return request
    }

    static func set(_ family: Int, _ device: Device, _ wanted: [(name: String, isOn: Bool)]) -> Request {
        var request = Request(family)
        request.genericHeader(UInt8(ETHTOOL_MSG_FEATURES_SET))
        request.device(device)
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
}

extension Request {
    /// Appends the header nest, which has the same number in the messages about features.
    fileprivate mutating func device(_ device: EthtoolRequest.Device) {
        nest(Int(ETHTOOL_A_FEATURES_HEADER)) {
            switch device {
            case .index(let link): $0.attribute(Int(ETHTOOL_A_HEADER_DEV_INDEX), link.rawValue)
            case .name(let name, let isCompact):
                $0.attribute(Int(ETHTOOL_A_HEADER_DEV_NAME), name)
                if isCompact { $0.attribute(Int(ETHTOOL_A_HEADER_FLAGS), UInt32(1)) }
            }
        }
    }
}
