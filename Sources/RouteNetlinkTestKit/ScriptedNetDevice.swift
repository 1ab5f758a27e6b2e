import RouteNetlink
import SystemPackage

/// The `netdev` family of generic netlink as far as XDP goes, for interfaces that a test made up.
enum ScriptedNetDevice {
    /// Handed out at run time; any number beyond the reserved ones, and not ethtool's.
    private static let family: UInt16 = 0x20

    /// What the kernel would answer; nil for what is another family's.
    static func answer(
        _ request: RecordedRequest, _ portID: UInt32, _ features: [LinkIndex: XDPFeatures]?
    ) -> [ScriptedTransport.Step]? {
        // struct genlmsghdr: command, version
        let attributes = RecordedRequest.Attribute.parse(
            request.bytes, min(20, request.bytes.count)..<request.bytes.count)
        func end(_ errno: Int32) -> ScriptedTransport.Step {
            .datagram(request.acknowledgement(errno, nil, path: [], portID))
        }
        func step(_ messages: [KernelMessage], _ flags: UInt16 = 0) -> ScriptedTransport.Step {
            .datagram(
                messages.flatMap { $0.bytes(sequence: request.sequence, portID: portID, addingFlags: flags) })
        }
        // GENL_ID_CTRL, CTRL_ATTR_FAMILY_NAME
        if request.type.rawValue == 0x10, attributes.first(where: { $0.type == 2 })?.text == "netdev" {
            guard features != nil else { return [end(2)] }  // ENOENT
            return [step([message([(1, octets(family))], type: 0x10)]), end(0)]
        }
        guard request.type.rawValue == family, let features else { return nil }
        if request.isDump {
            let all = features.sorted { $0.key.rawValue < $1.key.rawValue }.map { reply($0.key, $0.value) }
            let done = KernelMessage(MessageType(rawValue: 3), payload: [0, 0, 0, 0])
            return [step(all + [done], 2)]  // NLM_F_MULTI
        }
        let index = attributes.first { $0.type == 1 }?.integer(UInt32.self)
        guard let index, let known = features[LinkIndex(rawValue: index)] else { return [end(19)] }  // ENODEV
        return [step([reply(LinkIndex(rawValue: index), known)]), end(0)]
    }

    private static func reply(_ link: LinkIndex, _ features: XDPFeatures) -> KernelMessage {
        message([(1, octets(link.rawValue)), (3, octets(features.rawValue))], type: family)
    }

    private static func message(_ attributes: [(type: Int, bytes: [UInt8])], type: UInt16) -> KernelMessage {
        KernelMessage(MessageType(rawValue: type), header: [1, 1, 0, 0], attributes: attributes)
    }

    private static func octets(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}
