/// What will be done, in order: a value that can be printed, refused, or executed.
///
/// ```swift
/// let plan = try manager.plan(adding: [wire])
/// for step in plan.steps { print(step) }
/// // attach encap to eth1 (tcx)
/// // …
/// try manager.execute(plan)
/// ```
public struct Plan: Sendable, CustomStringConvertible {
    /// The steps, first to last.
    ///
    /// Executing stops at the first that fails and undoes those before it.
    public var steps: [Step] { actions.map(Step.init(action:)) }

    let actions: ActionList

    /// In a few words, what becomes of which pseudowire; of plans for documents and for changes in place.
    public internal(set) var changes: [Change] = []

    /// Whether it was asked of every pseudowire that there will be whether it is in its place: none is left to look at.
    var hasSeenAll = false

    /// The pseudowires that there were when it was made.
    private let existing: [Record]

    /// The same, to be compared: it fits no others.
    var basis: Set<Basis> { Set(existing.map(\.basis)) }

    /// One pseudowire that a plan reckons with.
    struct Basis: Hashable, Sendable {
        let configuration: PseudowireConfiguration
        /// Where it is: steps name interfaces by their indexes.
        let access: UInt32
        let underlays: [UInt32]
        let slot: UInt32
        let created: UInt64
        let isReady: Bool
    }

    /// Whether there is nothing to do.
    public var isEmpty: Bool { actions.isEmpty }

    public var description: String { steps.map(\.description).joined(separator: "\n") }

    /// One change of the system.
    public struct Step: Sendable, CustomStringConvertible {
        let action: Action
        public var description: String { action.description }
    }

    init(_ actions: [Action], for existing: [Record]) {
        self.init(ActionList(actions), for: existing)
    }

    init(_ actions: ActionList, for existing: [Record]) {
        self.actions = actions
        self.existing = existing
    }
}

/// What a step does.
///
/// Each that changes what others could see has an opposite, by which it is undone.
enum Action: Sendable, CustomStringConvertible {
    case makeState(maxSessions: UInt32)
    case removeState
    /// Whole, or only begun, as it says.
    case addRecord(Record)
    case commitRecord(Record)
    case reopenRecord(Record)
    case eraseRecord(Record)
    case makeInterface(Record, CustomerPort.Shape)
    case removeInterface(Record, CustomerPort.Shape)
    case attach(Attachment.Role, interface: UInt32, name: String, hook: AttachmentHook)
    /// What the filter's interface lacks besides, which carries others' frames as well: it is not taken off again.
    case reattach(Attachment.Role, interface: UInt32, name: String, hook: AttachmentHook)
    case detach(Attachment.Role, interface: UInt32, name: String, hook: AttachmentHook)
    case moveFilter(Attachment.Role, interface: UInt32, name: String, to: AttachmentHook)
    /// `isAsked`: whether it fails the plan if it cannot be.
    case attachXDP(Attachment.Role, interface: UInt32, name: String, isAsked: Bool)
    case detachXDP(Attachment.Role, interface: UInt32, name: String)
    /// One entry of a map set at once, in the place of another pseudowire's or an earlier one, or added.
    case write(Entry, Record, over: Record?)
    /// One entry that nobody needs any more.
    case drop(Entry, Record)
    case clearCounters(Record)
    case replaceRecord(Record, over: Record)

    /// The entries by which the datapath knows a pseudowire.
    enum Entry: Sendable {
        case session, path
        /// The way out that it names, and the one that what was there before names.
        case access(underlay: UInt32, before: UInt32)

        var inverse: Entry {
            if case .access(let underlay, let before) = self {
                .access(underlay: before, before: underlay)
            } else {
                self
            }
        }
    }

    var description: String {
        switch self {
        case .makeState(let maxSessions): "load the datapath for up to \(maxSessions) pseudowires"
        case .removeState: "unload the datapath"
        case .addRecord(let record): "record \(record.configuration.name)"
        case .commitRecord(let record): "commit \(record.configuration.name)"
        case .reopenRecord(let record): "mark \(record.configuration.name) as half made"
        case .eraseRecord(let record): "forget \(record.configuration.name)"
        case .makeInterface(let record, let shape): "make interface \(record.configuration.access), MTU \(shape.mtu)"
        case .removeInterface(let record, _): "remove interface \(record.configuration.access)"
        case .attach(let role, _, let name, let hook): "attach \(role.word) to \(name) (\(hook.rawValue))"
        case .reattach(let role, _, let name, _): "put \(role.word) of \(name) in its place again"
        case .detach(let role, _, let name, let hook): "detach \(role.word) from \(name) (\(hook.rawValue))"
        case .moveFilter(let role, _, let name, let hook): "move \(role.word) of \(name) to \(hook.rawValue)"
        case .attachXDP(let role, _, let name, _): "attach \(role.word) to \(name) (xdp)"
        case .detachXDP(let role, _, let name): "detach \(role.word) from \(name) (xdp)"
        case .write(let entry, let record, let over): "\(over == nil ? "add" : "replace") \(entry.phrase(record))"
        case .drop(let entry, let record): "drop \(entry.phrase(record))"
        case .clearCounters(let record): "clear the counters of \(record.configuration.name)"
        case .replaceRecord(let record, _): "record what \(record.configuration.name) is now"
        }
    }

    /// What undoes it, also where it was done by half; nil where nothing has to be.
    var inverse: Action? {
        switch self {
        case .makeState: .removeState
        // It is the last step, and undoes itself if it fails.
        case .removeState: nil
        case .addRecord(let record): .eraseRecord(record)
        case .commitRecord(let record): .reopenRecord(record.committed)
        case .reopenRecord(let record): record.isReady ? .commitRecord(record) : .addRecord(record)
        case .eraseRecord(let record): .addRecord(record)
        case .makeInterface(let record, let shape): .removeInterface(record, shape)
        case .removeInterface(let record, let shape): .makeInterface(record, shape)
        case .attach(let role, let interface, let name, let hook):
            .detach(role, interface: interface, name: name, hook: hook)
        case .detach(let role, let interface, let name, let hook):
            .attach(role, interface: interface, name: name, hook: hook)
        case .reattach: nil
        case .moveFilter(let role, let interface, let name, let hook):
            .moveFilter(role, interface: interface, name: name, to: hook.other)
        case .attachXDP(let role, let interface, let name, _): .detachXDP(role, interface: interface, name: name)
        case .detachXDP(let role, let interface, let name):
            // Where it cannot be, the filter does.
            .attachXDP(role, interface: interface, name: name, isAsked: false)
        case .write(let entry, let record, let over):
            if let over { .write(entry.inverse, over, over: record) } else { .drop(entry.inverse, record) }
        case .drop(let entry, let record): .write(entry.inverse, record, over: nil)
        case .clearCounters: nil
        case .replaceRecord(let record, let over): .replaceRecord(over, over: record)
        }
    }
}

extension Action.Entry {
    fileprivate func phrase(_ record: Record) -> String {
        let configuration = record.configuration
        return switch self {
        case .session: "session \(configuration.session.local) of \(configuration.name)"
        case .path: "the path to \(configuration.tunnel.peer) of \(configuration.name)"
        case .access: "\(configuration.vlan.phrase) of \(configuration.access) for \(configuration.name)"
        }
    }
}

extension Record {
    /// The same, half made.
    var begun: Record {
        guard isReady else { return self }
        var record = self
        record.isReady = false
        return record
    }

    /// The same, done.
    var committed: Record {
        guard !isReady else { return self }
        var record = self
        record.isReady = true
        return record
    }

    var basis: Plan.Basis {
        Plan.Basis(
            configuration: configuration, access: access, underlays: underlays, slot: slot, created: created,
            isReady: isReady)
    }
}
