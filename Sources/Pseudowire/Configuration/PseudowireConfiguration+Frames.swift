internal import CPseudowireObject

extension PseudowireConfiguration {
    /// Which frames of the access interface belong to a pseudowire, by their outermost tag.
    ///
    /// Pseudowires with different VLANs, and one for what is not tagged, can share an interface.
    public enum VLANSelection: Hashable, Sendable, CustomStringConvertible {
        /// All frames, whatever tags they have.
        case any
        /// Those without a tag, or with a priority tag.
        case none
        /// Those of one VLAN, 1…4094.
        case id(UInt16, VLANProtocol = .customer)

        /// By the code alone: there may be one for each of millions.
        public func hash(into hasher: inout Hasher) { hasher.combine(code) }

        var isTagged: Bool { if case .id = self { true } else { false } }

        /// As the command line spells it, the protocol left out.
        public var description: String {
            switch self {
            case .any: "any"
            case .none: "none"
            case .id(let id, _): "\(id)"
            }
        }

        /// For sentences.
        var phrase: String {
            switch self {
            case .any: "all frames"
            case .none: "untagged frames"
            case .id(let id, let kind): "VLAN \(id)\(kind == .service ? " (802.1ad)" : "")"
            }
        }
    }

    /// The kind of a VLAN tag, named by the standard that brought it.
    public enum VLANProtocol: String, Hashable, Sendable, CaseIterable, Codable {
        /// A customer tag, ethertype 0x8100.
        case customer = "802.1Q"
        /// A service tag, ethertype 0x88a8.
        case service = "802.1ad"
    }

    /// What becomes of the tag by which frames were selected.
    public enum VLANTag: Hashable, Sendable, CustomStringConvertible {
        /// It is carried, and expected from the peer.
        case keep
        /// It is taken off on the way out and put on again on the way in: the peer sees untagged frames.
        case strip
        /// Its id becomes the one that the peer has for this VLAN, 1…4094, and back.
        case rewrite(UInt16)

        public var description: String {
            switch self {
            case .keep: "keep"
            case .strip: "strip"
            case .rewrite(let id): "\(id)"
            }
        }
    }

    /// What becomes of packets that do not fit the path.
    public enum Oversize: String, Hashable, Sendable, CaseIterable, Codable {
        /// IPv4 packets that admit it are cut before they are encapsulated; others are dropped.
        case fragment
        /// They are dropped.
        case drop
        /// The outer packets are cut, which the peer has to put together again.
        case outer
    }
}

extension PseudowireConfiguration.VLANSelection {
    /// `PW_VLAN_*`.
    var code: UInt16 {
        switch self {
        case .any: UInt16(PW_VLAN_ANY)
        case .none: UInt16(PW_VLAN_NONE)
        case .id(let id, let kind): id & UInt16(PW_VLAN_ID) | (kind == .service ? UInt16(PW_VLAN_SERVICE) : 0)
        }
    }

    /// Nil for what is no `PW_VLAN_*`.
    init?(code: UInt16) {
        switch code {
        case UInt16(PW_VLAN_ANY): self = .any
        case UInt16(PW_VLAN_NONE): self = .none
        default:
            let id = code & UInt16(PW_VLAN_ID)
            guard PseudowireConfiguration.vlanIDs.contains(id), code & ~UInt16(PW_VLAN_ID | PW_VLAN_SERVICE) == 0 else {
                return nil
            }
            self = .id(id, code & UInt16(PW_VLAN_SERVICE) == 0 ? .customer : .service)
        }
    }
}

extension PseudowireConfiguration.VLANTag {
    /// `PW_TAG_*`, or an id.
    var code: UInt16 {
        switch self {
        case .keep: UInt16(PW_TAG_KEEP)
        case .strip: UInt16(PW_TAG_STRIP)
        case .rewrite(let id): id
        }
    }

    /// Nil for what is neither `PW_TAG_*` nor an id.
    init?(code: UInt16) {
        switch code {
        case UInt16(PW_TAG_KEEP): self = .keep
        case UInt16(PW_TAG_STRIP): self = .strip
        case PseudowireConfiguration.vlanIDs: self = .rewrite(code)
        default: return nil
        }
    }
}

extension PseudowireConfiguration {
    /// 0 stands for no VLAN, and 4095 is reserved (IEEE 802.1Q, 9.6).
    static let vlanIDs: ClosedRange<UInt16> = 1...4094
    /// IPv4's smallest (RFC 791), to what a length field can say.
    static let mtus: ClosedRange<UInt16> = 68...65535
}
