import BPF
import PseudowireTestbed
import RouteNetlink

/// An interface of a host's whose frames have a VLAN tag on another one, as a VLAN interface's do.
///
/// Two small programs on a veth, since not every kernel has 802.1Q. The tag stays beside the frame, and frames stay
/// as large as segmentation offload makes them.
enum TaggedPort {
    /// Makes the interface `name` in a client's namespace, and the tags on `parent`.
    static func make(_ name: String, vlan: Int32, on parent: String, _ client: RouteClient) throws {
        _ = try client.links.create(.veth(name, peer: .init(name: "\(name)x", isUp: true), isUp: true))
        let inner = try client.links.require("\(name)x").index
        let outer = try client.links.require(parent).index
        let push = try Program(
            instructions: [
                code(0xb7, to: 2, 0x0081),  // 0x8100 in network byte order
                code(0xb7, to: 3, vlan),
                code(0x85, 18),  // bpf_skb_vlan_push
                code(0xb7, to: 1, Int32(outer.rawValue)),
                code(0xb7, to: 2, 0),
                code(0x85, 23),  // bpf_redirect
                code(0x95, 0),
            ], type: 3, name: "push")
        let pop = try Program(
            instructions: [
                code(0x61, to: 2, from: 1, offset: 20, 0),  // vlan_present
                code(0x15, to: 2, offset: 8, 0),
                code(0x61, to: 2, from: 1, offset: 24, 0),  // vlan_tci
                code(0x57, to: 2, 0xfff),
                code(0x55, to: 2, offset: 5, vlan),
                code(0x85, 19),  // bpf_skb_vlan_pop
                code(0xb7, to: 1, Int32(inner.rawValue)),
                code(0xb7, to: 2, 0),
                code(0x85, 23),  // bpf_redirect
                code(0x95, 0),
                code(0xb7, to: 0, -1),  // TC_ACT_UNSPEC
                code(0x95, 0),
            ], type: 3, name: "pop")
        for (link, program) in [(inner, push.fileDescriptor), (outer, pop.fileDescriptor)] {
            _ = try client.qdiscs.ensureClsact(on: link)
            _ = try client.filters.add(
                BPFFilter(program: program, name: "tag", priority: UInt16(vlan), handle: 1),
                at: TrafficHook(link: link, direction: .ingress))
        }
    }

    /// One instruction, as the kernel reads it on a little-endian machine.
    private static func code(_ operation: UInt64, to: UInt64 = 0, from: UInt64 = 0, offset: UInt64 = 0, _ value: Int32)
        -> UInt64
    {
        operation | to << 8 | from << 12 | offset << 16 | UInt64(UInt32(bitPattern: value)) << 32
    }
}

extension Links {
    /// The interface with this name.
    fileprivate func require(_ name: String) throws -> Link {
        guard let link = try find(named: name) else { throw TestbedError.refused("there is no \(name)") }
        return link
    }
}
