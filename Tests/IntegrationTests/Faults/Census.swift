import BPF
import CPseudowireObject
import RouteNetlink
import Testing

@testable import Pseudowire

/// Everything that pseudowires have left in a namespace, in words that are the same wherever the same is there.
///
/// Interfaces have their names in it, pseudowires too, not the indexes and slots that they happened to get.
struct Census: Equatable, CustomStringConvertible {
    private var lines: Set<String> = []

    var description: String { lines.sorted().joined(separator: "\n") }

    /// What is in only one of the two.
    func differences(from other: Census) -> String {
        (lines.subtracting(other.lines).map { "+ \($0)" } + other.lines.subtracting(lines).map { "- \($0)" })
            .sorted().joined(separator: "\n")
    }

    init(_ manager: PseudowireManager) throws {
        let client = manager.client
        let links = try client.links.list()
        var names = Dictionary(links.map { ($0.index.rawValue, $0.name) }) { first, _ in first }
        for link in links where link.alias == CustomerPort.alias {
            names[link.index.rawValue] = "hidden end of \(link.peer.flatMap { names[$0.rawValue] } ?? "nothing")"
        }
        func name(_ index: UInt32) -> String { names[index] ?? (index == 0 ? "none" : "#gone") }
        for link in links {
            let flags = [("up", link.isUp), ("promiscuous", link.flags.contains(.promiscuous))]
                .filter(\.1).map(\.0).joined(separator: " ")
            let name = name(link.index.rawValue)
            // Not which number it has.
            if link.xdp != nil { lines.insert("xdp \(name)") }
            lines.insert("link \(name) mtu \(link.mtu) \(link.alias ?? "") \(flags) \(link.linkMode)")
            for direction in [TrafficDirection.ingress, .egress] {
                let hook = TrafficHook(link: link.index, direction: direction)
                guard let filters = try? client.filters.list(at: hook) else { continue }
                for filter in filters {
                    lines.insert(
                        "filter \(name) \(direction) \(filter.priority) \(filter.handle) \(filter.name ?? "")")
                }
            }
        }
        // One of our making stays while the interface is used: making or removing one stops its transmit queues.
        let kept = try Self.keptQdiscs(manager)
        for qdisc in try client.qdiscs.list() where qdisc.kind == "clsact" && !kept.contains(qdisc.link.rawValue) {
            lines.insert("clsact \(name(qdisc.link.rawValue))")
        }
        for path in [manager.directory.path, manager.directory.draft] {
            let what = path == manager.directory.path ? "pin" : "draft"
            for pin in try FileSystem.entries(of: path) {
                // A link's pin has the interface's index in it.
                let words = pin.split(separator: ":").map { word in UInt32(word).map(name) ?? String(word) }
                lines.insert("\(what) \(words.joined(separator: " "))")
            }
        }
        try describe(manager, name)
    }

    /// Interfaces with a clsact qdisc of ours that our filter has moved away from.
    private static func keptQdiscs(_ manager: PseudowireManager) throws -> Set<UInt32> {
        guard let state = try manager.openState() else { return [] }
        let kept = try state.portList.filter { _, port in
            port.flags & UInt32(PW_PORT_OWNS_CLSACT) != 0 && port[.access] != .clsact && port[.underlay] != .clsact
        }
        return Set(kept.keys)
    }

    private mutating func describe(_ manager: PseudowireManager, _ name: (UInt32) -> String) throws {
        guard let state = try manager.openState() else { return }
        var names: [UInt32: String] = [0: "nobody"]
        for record in try manager.records(state) {
            names[record.slot] = record.configuration.name
            lines.insert(
                "record \(record.configuration) on \(name(record.access)) under \(record.underlays.map(name)) "
                    + "ready \(record.isReady)")
        }
        func owner(_ slot: UInt32) -> String { names[slot] ?? "nobody" }
        for (key, value) in try state.sessions.entries() {
            var rest = value
            (rest.access_ifindex, rest.slot) = (0, 0)
            lines.insert("session \(key) \(owner(value.slot)) \(name(value.access_ifindex)) \(octets(rest))")
        }
        for (key, value) in try state.access.entries() {
            var rest = value
            // The splitter's indexes are others where it was made anew, and the datapath learns.
            (rest.slot, rest.underlay, rest.fib_ifindex, rest.split_ifindex) = (0, 0, 0, 0)
            (rest.path_mtu, rest.path_mtu_until) = (0, 0)
            lines.insert(
                "access \(name(key.ifindex)) \(key.vlan) \(owner(value.slot)) by \(name(value.underlay)) \(octets(rest))"
            )
        }
        for (key, value) in try state.paths.entries() {
            lines.insert("path \(octets(key)) \(name(value.ifindex)) \(value.vlan)")
        }
        for (index, port) in try state.ports.entries() {
            let flags =
                try Self.keptQdiscs(manager).contains(index) ? port.flags & ~UInt32(PW_PORT_OWNS_CLSACT) : port.flags
            lines.insert("port \(name(index)) flags \(flags) hooks \(port.access_hook) \(port.underlay_hook)")
        }
    }

    private func octets(_ value: some BitwiseCopyable) -> String {
        withUnsafeBytes(of: value) { $0.map { String($0, radix: 16) }.joined(separator: ".") }
    }
}
