import CPseudowireMNL
import Glibc

/// The requests about VLANs of bridges, as bytes, and their answers: `AF_BRIDGE` in messages about links.
enum BridgeVLANRequest {
    /// `IFLA_BRIDGE_*` of `linux/if_bridge.h`.
    fileprivate enum Attribute {
        static let flags = 0
        static let vlan = 2
    }

    /// `BRIDGE_VLAN_INFO_*`.
    private enum Flag {
        static let isDefault: UInt16 = 1 << 1
        static let isUntagged: UInt16 = 1 << 2
        static let begin: UInt16 = 1 << 3
        static let end: UInt16 = 1 << 4
    }

    /// `BRIDGE_FLAGS_SELF`: the bridge device, not its port.
    private static let ofTheBridge: UInt16 = 2

    static func change(_ type: Int, _ vlan: BridgeVLAN, _ link: LinkIndex, isBridge: Bool) -> Request {
        var request = Request(type)
        request.linkHeader(family: UInt8(AF_BRIDGE), index: link)
        request.nest(IFLA_AF_SPEC) { bridge in
            if isBridge { bridge.attribute(Attribute.flags, ofTheBridge) }
            let flags = (vlan.isDefault ? Flag.isDefault : 0) | (vlan.isUntagged ? Flag.isUntagged : 0)
            if vlan.range.count == 1 {
                bridge.vlan(flags, vlan.range.lowerBound)
            } else {
                bridge.vlan(flags | Flag.begin, vlan.range.lowerBound)
                bridge.vlan(flags | Flag.end, vlan.range.upperBound)
            }
        }
        if link.rawValue == 0 { request.refuse(.invalid("0 is no interface's index")) }
        if vlan.range.lowerBound == 0 || vlan.range.upperBound > 4094 {
            request.refuse(.invalid("a VLAN's number is 1 to 4094"))
        }
        if vlan.isDefault, vlan.range.count > 1 {
            request.refuse(.invalid("frames without a tag belong to one VLAN, not to several"))
        }
        return request
    }

    /// `mask`: `RTEXT_FILTER_BRVLAN_COMPRESSED`, or `RTEXT_FILTER_BRVLAN` for each VLAN by itself.
    static func list(mask: Int32 = RTEXT_FILTER_BRVLAN_COMPRESSED) -> Request {
        var request = Request(Int(RTM_GETLINK), flags: NLM_F_DUMP_FLAGS)
        request.linkHeader(family: UInt8(AF_BRIDGE))
        request.attribute(IFLA_EXT_MASK, UInt32(mask))
        return request
    }

    /// Reads an `RTM_NEWLINK` of `AF_BRIDGE`; nil for anything else, and for a link without VLANs.
    static func read(_ message: borrowing Message) throws(MalformedMessage) -> (link: LinkIndex, vlans: [BridgeVLAN])? {
        guard message.type == RTM_NEWLINK else { return nil }
        try message.require(16, "ifinfomsg")
        guard message.field(0, UInt8.self) == UInt8(AF_BRIDGE), let link = LinkIndex(message.field(4, Int32.self))
        else { return nil }
        var vlans: [BridgeVLAN] = []
        var begin: UInt16?
        var cursor = message.attributes(after: 16)
        while let attribute = cursor.next() {
            guard attribute.type == IFLA_AF_SPEC else { continue }
            var inside = attribute.attributes
            while let item = inside.next() {
                guard item.type == Attribute.vlan, let flags = item.payload.integer(at: 0, as: UInt16.self),
                    let id = item.payload.integer(at: 2, as: UInt16.self)
                else { continue }
                if flags & Flag.begin != 0 {
                    begin = id
                    continue
                }
                let first = flags & Flag.end != 0 ? begin ?? id : id
                guard first <= id else { throw MalformedMessage(what: "VLANs \(first) to \(id)") }
                begin = nil
                vlans.append(
                    BridgeVLAN(
                        first...id, isDefault: flags & Flag.isDefault != 0, isUntagged: flags & Flag.isUntagged != 0))
            }
        }
        return vlans.isEmpty ? nil : (link, vlans)
    }
}

extension Request {
    /// Appends a `struct bridge_vlan_info`.
    fileprivate mutating func vlan(_ flags: UInt16, _ id: UInt16) {
        let fields = [flags, id]
        fields.withUnsafeBytes { attribute(BridgeVLANRequest.Attribute.vlan, bytes: $0) }
    }
}
