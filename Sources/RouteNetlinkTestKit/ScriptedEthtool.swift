import RouteNetlink
import SystemPackage

/// The `ethtool` family of generic netlink as far as features go, for interfaces that a test made up.
enum ScriptedEthtool {
    /// Handed out at run time; any number beyond the reserved ones.
    private static let family: UInt16 = 0x1f

    /// What the kernel would answer, `features` changed as it would change them.
    static func answer(
        _ request: RecordedRequest, _ portID: UInt32, _ features: inout [LinkIndex: LinkFeatures]
    ) -> [ScriptedTransport.Step] {
        guard let (reply, errno) = reply(to: request, &features) else {
            return [.datagram(request.acknowledgement(Errno.notSupportedOnSocket.rawValue, nil, path: [], portID))]
        }
        var steps: [ScriptedTransport.Step] = []
        if let reply { steps.append(.datagram(reply.bytes(sequence: request.sequence, portID: portID))) }
        steps.append(.datagram(request.acknowledgement(errno, nil, path: [], portID)))
        return steps
    }

    /// A reply and how it ends; nil for a command that is not scripted.
    private static func reply(
        to request: RecordedRequest, _ features: inout [LinkIndex: LinkFeatures]
    ) -> (KernelMessage?, Int32)? {
        // struct genlmsghdr: command, version
        let command = request.bytes.dropFirst(16).first ?? 0
        let attributes = RecordedRequest.Attribute.parse(
            request.bytes, min(20, request.bytes.count)..<request.bytes.count)
        // GENL_ID_CTRL, CTRL_CMD_GETFAMILY
        if request.type.rawValue == 0x10, command == 3 {
            return (message(1, [(1, native(family))], type: 0x10), 0)
        }
        // ETHTOOL_MSG_STRSET_GET
        if command == 1 { return (names(of: features), 0) }
        let header = attributes.first { $0.type == 1 }?.attributes ?? []
        guard let index = header.first(where: { $0.type == 1 })?.integer(UInt32.self) else { return nil }
        let link = LinkIndex(rawValue: index)
        guard var state = features[link] else { return (nil, 19) }  // ENODEV
        switch command {
        case 11:  // ETHTOOL_MSG_FEATURES_GET
            // What can be changed comes as a choice from all there are, the rest as mere lists.
            let changeable = all(features).map { ($0, state.changeable.contains($0)) }
            return (
                message(
                    11,
                    [
                        (2, bitset(Dictionary(uniqueKeysWithValues: changeable))), (4, bitset(state.active)),
                        (5, bitset(state.fixed)),
                    ]), 0
            )
        case 12:  // ETHTOOL_MSG_FEATURES_SET
            let wanted = wanted(attributes)
            guard state.fixed.isDisjoint(with: wanted.keys) else { return (nil, 22) }  // EINVAL
            let change = apply(wanted, to: &state)
            features[link] = state
            return (message(12, [(3, bitset(change.refused)), (4, bitset(change.changed))]), 0)
        default: return nil
        }
    }

    private static func apply(_ wanted: [String: Bool], to features: inout LinkFeatures) -> FeatureChange {
        var change = FeatureChange()
        for (name, isOn) in wanted where features.active.contains(name) != isOn {
            guard features.changeable.contains(name) else {
                change.refused[name] = isOn
                continue
            }
            if isOn { features.active.insert(name) } else { features.active.remove(name) }
            change.changed[name] = isOn
        }
        return change
    }

    /// The bits of ETHTOOL_A_FEATURES_WANTED.
    private static func wanted(_ attributes: [RecordedRequest.Attribute]) -> [String: Bool] {
        var wanted: [String: Bool] = [:]
        let bitset = attributes.first { $0.type == 3 }?.attributes ?? []
        for bit in bitset.first(where: { $0.type == 3 })?.attributes ?? [] {
            let fields = bit.attributes
            if let name = fields.first(where: { $0.type == 2 })?.text {
                wanted[name] = fields.contains { $0.type == 3 }
            }
        }
        return wanted
    }

    /// The names of all features that any interface has.
    private static func all(_ features: [LinkIndex: LinkFeatures]) -> Set<String> {
        features.values.reduce(into: []) { $0.formUnion($1.active.union($1.changeable).union($1.fixed)) }
    }

    /// Those names as one set of strings.
    private static func names(of features: [LinkIndex: LinkFeatures]) -> KernelMessage {
        let strings = all(features).sorted().map { (type: 1, bytes: nest([(2, Array($0.utf8) + [0])])) }
        return message(1, [(2, nest([(1, nest([(3, nest(strings))]))]))])
    }

    /// A bitset with a mask: its bits are named, and those that are set have a value.
    private static func bitset(_ bits: [String: Bool]) -> [UInt8] {
        let rows = bits.sorted { $0.key < $1.key }.map { name, isSet in
            (type: 1, bytes: nest([(2, Array(name.utf8) + [0])] + (isSet ? [(3, [])] : [])))
        }
        return nest([(3, nest(rows))])
    }

    /// A bitset without one (`ETHTOOL_A_BITSET_NOMASK`), which lists what is set.
    private static func bitset(_ names: Set<String>) -> [UInt8] {
        nest([(1, []), (3, nest(names.sorted().map { (type: 1, bytes: nest([(2, Array($0.utf8) + [0])])) }))])
    }

    private static func nest(_ attributes: [(type: Int, bytes: [UInt8])]) -> [UInt8] {
        KernelMessage(.newLink, header: [], attributes: attributes).payload
    }

    private static func message(
        _ command: UInt8, _ attributes: [(type: Int, bytes: [UInt8])], type: UInt16 = family
    ) -> KernelMessage {
        KernelMessage(MessageType(rawValue: type), header: [command, 1, 0, 0], attributes: attributes)
    }

    private static func native(_ value: UInt16) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}
