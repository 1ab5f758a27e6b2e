import Foundation
import Pseudowire
import PseudowireTestbed

/// How long the control plane takes for something, in milliseconds.
struct ControlTime: Codable, Sendable {
    let name: String
    let values: [Double]

    var milliseconds: Spread { Spread(values) ?? .none }

    static let apply = "apply, 10,000 pseudowires"
    static let again = "apply again, nothing to change"
    static let one = "add one beside 10,000, and remove it"

    /// What operators do, in the library, with 10,000 pseudowires; and `pwctl list` of them.
    static func measure(pwctl: String?, rounds: Int) throws -> (times: [ControlTime], list: CommandTime?) {
        let city = try City(10_000)
        let clock = ContinuousClock()
        var values: [String: [Double]] = [:]
        func time(_ name: String, _ body: () throws -> Void) throws {
            values[name, default: []].append(try clock.measure(body) / .milliseconds(1))
        }
        let document = city.document()
        let changed = city.document(ttl: 63)
        var extra = document.pseudowires[0]
        extra.name = "extra"
        extra.session.local = 4_000_000
        extra.access = "veth10"
        let names = [
            "read the file", apply, again, "change an option of all", "export", one, "remove all",
        ]
        let text = Array(document.text.utf8)
        var list: CommandTime?
        for round in 0..<rounds {
            try time(names[0]) { _ = try PseudowireDocument(parsing: text) }
            try time(names[1]) { try city.manager.apply(document) }
            try time(names[2]) { try city.manager.apply(document) }
            if round == rounds - 1, let pwctl {
                list = try CommandTime.measure(
                    [(CommandTime.list, [pwctl, "list", "--netns", city.path])], rounds: max(5, rounds)
                ).first
            }
            try time(names[3]) { try city.manager.apply(changed) }
            try time(names[4]) { _ = try city.manager.export() }
            try time(names[5]) {
                try city.manager.add(extra)
                try city.manager.remove(extra.name)
            }
            try time(names[6]) { try city.manager.apply(PseudowireDocument([])) }
        }
        return (names.map { ControlTime(name: $0, values: values[$0] ?? []) }, list)
    }
}
