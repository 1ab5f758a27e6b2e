internal import ArgumentParser
internal import Pseudowire

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Replace the datapath that carries frames by this build's, without losing one.",
        discussion: """
            Sessions, counters and sequence numbers are kept, also from an earlier release. The new datapath is tried on \
            frames of every kind of session first; if it fails, nothing is changed. The plan is printed.
            """)

    @Flag(help: "Print the plan, and do nothing.")
    var dryRun = false

    @Flag(help: "Also where this build carries the frames already.")
    var force = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let manager = try common.manager()
        let plan = try Report.failures { () throws(PseudowireError) in
            dryRun ? try manager.planUpgrade() : try manager.upgrade(evenIfCurrent: force)
        }
        if output.json {
            print(try JSONText.of(UpgradeView(plan, isForced: force)))
        } else {
            print(plan.isEmpty && !force ? "nothing to upgrade: \(plan.from) is this build's" : "\(plan)")
        }
    }
}

/// `upgrade --json`.
struct UpgradeView: Encodable {
    let from: DatapathView
    let to: DatapathView
    let isNeeded: Bool
    let kept: [String]
    /// Why each of the others was carried over.
    let carriedOver: [String: [String]]
    let filters: [String: String]
    let steps: [String]

    enum CodingKeys: String, CodingKey {
        case from, to, kept, filters, steps
        case isNeeded = "needed"
        case carriedOver = "carried-over"
    }

    struct DatapathView: Encodable {
        let abi: UInt32
        let build: String?
        let generation: UInt64

        init(_ datapath: UpgradePlan.Datapath) {
            abi = datapath.abi
            build = datapath.build?.description
            generation = datapath.generation
        }
    }

    init(_ plan: UpgradePlan, isForced: Bool) {
        let isNeeded = isForced || !plan.isEmpty
        from = DatapathView(plan.from)
        to = DatapathView(isNeeded ? plan.to : plan.from)
        self.isNeeded = isNeeded
        kept = plan.maps.filter(\.isKept).map(\.map)
        carriedOver = Dictionary(plan.maps.filter { !$0.isKept }.map { ($0.map, $0.differences) }) { $1 }
        filters = Dictionary(plan.filters.map { ($0.name, $0.hook.rawValue) }) { $1 }
        steps = isNeeded ? plan.steps : []
    }
}
