import Foundation

/// All that is measured with many pseudowires, and of the control plane.
struct ScaleFigures: Codable, Sendable {
    var sessions: [SessionScale] = []
    var control: [ControlTime] = []
    var upgrade: UpgradeCost?

    var markdown: [String] {
        var lines: [String] = []
        if !sessions.isEmpty {
            lines += [
                "", "### Many pseudowires in one namespace, a VLAN each", "",
                "| sessions | configured by `apply`, s | the kernel's part, s | all maps, MB | octets a session "
                    + "| kernel memory grown, MB |",
                "|---|---|---|---|---|---|",
            ]
            lines += sessions.map { row in
                let octets = row.maps.values.reduce(0, +)
                return "| \(row.sessions) | \(Spread(row.seconds).map(Report.phrase) ?? "") "
                    + String(
                        format: "| %.2f | %.1f | %.0f | %.1f |", row.floor, octets / 1e6, row.octetsPerSession,
                        row.kernel / 1e6)
            }
            if let most = sessions.last {
                let parts = most.maps.sorted { $0.value > $1.value }.map { name, octets in
                    String(format: "%@ %.0f", name, octets / Double(most.sessions))
                }
                lines += ["", "Octets a session with \(most.sessions): \(parts.joined(separator: ", "))."]
            }
        }
        if !control.isEmpty {
            lines += [
                "", "### The control plane, 10,000 pseudowires, in the library", "", "| what | ms |", "|---|---|",
            ]
            lines += control.map { "| \($0.name) | \(Report.phrase($0.milliseconds)) |" }
        }
        if let upgrade, let time = Spread(upgrade.milliseconds) {
            lines += [
                "", "### Upgrades under load", "",
                "\(upgrade.milliseconds.count) upgrades of one end: \(Report.phrase(time)) ms each; of \(upgrade.sent) frames "
                    + "sent meanwhile \(upgrade.lost) were lost.",
            ]
        }
        return lines
    }

    /// Bars for the picture, by their headings.
    var bars: [(title: String, bars: [(label: String, spread: Spread)])] {
        [
            (
                "configured by apply, s",
                sessions.compactMap { row in Spread(row.seconds).map { ("\(row.sessions)", $0) } }
            ),
            (
                "octets of kernel memory a session",
                sessions.filter { $0.sessions >= 1000 }.compactMap { row in
                    Spread([row.octetsPerSession]).map { ("\(row.sessions)", $0) }
                }
            ),
            ("the control plane, 10,000 pseudowires, ms", control.map { ($0.name, $0.milliseconds) }),
        ]
    }
}

extension Target {
    static let scale: [Target] = [
        Target("1,000,000 sessions configured, s", atMost: 4) { report in
            report.scale.sessions.first { $0.sessions == 1_000_000 }?.seconds ?? []
        },
        Target("kernel memory of a session, of 1,000,000, octets", atMost: 512) { report in
            report.scale.sessions.filter { $0.sessions == 1_000_000 }.map(\.octetsPerSession)
        },
        Target("program cost, one session of 1,000,000 / one alone", atMost: 1.25) { report in
            let rows = report.scale.sessions
            guard let one = rows.first(where: { $0.sessions == 1 }),
                let many = rows.first(where: { $0.sessions == 1_000_000 })
            else { return [] }
            return zip(many.busy.filter(\.isOurs), one.busy.filter(\.isOurs)).flatMap {
                zip($0.values, $1.values).map { $0 / $1 }
            }
        },
        Target("frames lost by an upgrade under load", atMost: 0) { report in
            report.scale.upgrade.map { [Double($0.lost)] } ?? []
        },
    ]
}
