import Foundation

extension Report {
    /// Everything that was found.
    var markdown: String {
        var lines = [origin, ""] + judgements
        for condition in Condition.allCases {
            lines += chainTable(condition)
        }
        if let guest {
            for condition in Condition.allCases {
                lines += table(
                    of: guest, condition,
                    heading: "In a Linux 6.1 guest, every instruction emulated, \(condition.rawValue)")
            }
        }
        lines += table("Cost of a program", programs)
        lines += table("Cost of a program with many sessions, frames of all of them in turn", programsAtScale)
        lines += scale.markdown
        if !commands.isEmpty {
            lines += ["", "### Commands", "", "| command | ms |", "|---|---|"]
            lines += commands.map { "| \($0.name) | \(Self.phrase($0.milliseconds)) |" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What a reader wants to know first: where the figures are from, what they are, what was wanted.
    var summary: String {
        ([origin] + chainTable(.defaults) + chainTable(.injection) + ["", "### What was to be reached", ""] + judgements)
            .joined(separator: "\n") + "\n"
    }

    private var origin: String {
        "Linux \(machine.kernel), \(machine.processors) × \(machine.processor), \(machine.date), commit \(machine.commit): "
            + "\(rounds) rounds of \(secondsPerTurn) s for each figure, all contenders in turn, medians (least to most)."
    }

    private var judgements: [String] {
        ["| what | wanted | measured | |", "|---|---|---|---|"]
            + targets.map { target in
                let figure = target.measured.map(Self.phrase) ?? target.remark ?? ""
                let verdict = target.isReached ? "reached" : "**missed**"
                return "| \(target.name) | \(target.wanted) | \(figure) | \(verdict) |"
            }
    }

    private func chainTable(_ condition: Condition) -> [String] {
        table(of: chain, condition, heading: "Four namespaces in a row, \(condition.rawValue)")
    }

    private func table(of run: Run, _ condition: Condition, heading: String) -> [String] {
        let works = condition.works.filter { work in
            run.samples.contains { $0.condition == condition && $0.work == work.name }
        }
        guard !works.isEmpty else { return [] }
        var lines = ["", "### \(heading)", "", "| | " + works.map(\.name).joined(separator: " | ") + " |"]
        lines.append("|---|" + works.map { _ in "---|" }.joined())
        for contender in run.contenders {
            if let faults = run.invalid[contender] {
                lines.append("| \(contender) | **invalid frames**: \(faults.joined(separator: "; ")) |")
                continue
            }
            let figures = works.map { work in
                Spread(run.values(contender, condition, work.name).values).map(Self.phrase) ?? ""
            }
            if figures.contains(where: { !$0.isEmpty }) {
                lines.append("| \(contender) | \(figures.joined(separator: " | ")) |")
            }
        }
        return lines
    }

    private func table(_ heading: String, _ costs: [ProgramCost]) -> [String] {
        guard !costs.isEmpty else { return [] }
        var lines = ["", "### \(heading)", "", "| program | frame | sessions | ns beyond an empty program |"]
        lines.append("|---|---|---|---|")
        lines += costs.map { "| \($0.program) | \($0.octets) | \($0.sessions) | \(Self.phrase($0.nanoseconds)) |" }
        return lines
    }

    static func phrase(_ spread: Spread) -> String {
        let digits = spread.median < 10 ? 2 : spread.median < 100 ? 1 : 0
        return String(
            format: "%.\(digits)f (%.\(digits)f to %.\(digits)f)", spread.median, spread.least, spread.most)
    }
}
