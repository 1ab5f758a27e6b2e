internal import CPseudowireObject

/// What a command means to make of one pseudowire.
struct Intent: Sendable {
    let name: String
    /// Nil for one that is to be made.
    var old: Record?
    /// Nil for one that is to go.
    var new: Record?
    /// The ways out that the datapath has for it, before and after.
    var oldUnderlay: UInt32 = 0
    var newUnderlay: UInt32 = 0
    /// How the interface is that is made with it; nil where none is made.
    var made: CustomerPort.Shape?
    /// How the interface was that is removed with it; nil where none is removed.
    var removed: CustomerPort.Shape?

    init(name: String) {
        self.name = name
    }

    private init(_ addition: Transition.Pair) {
        name = addition.new.configuration.name
        new = addition.new
        newUnderlay = addition.isParked ? 0 : addition.underlay
    }

    var change: Change {
        switch (old, new) {
        case (nil, _): .create(name)
        case (_, nil): .remove(name)
        case (let old?, let new?):
            old.configuration == new.configuration
                ? .place(name, ["its interfaces had changed"])
                : .change(name, Change.differences(old.configuration, new.configuration))
        }
    }

    /// What the steps of a plan come to.
    static func all(of actions: ActionList) -> [Intent] {
        if let additions = actions.additions { return additions.map(Intent.init) }
        var intents: [Intent] = []
        // A slot is one pseudowire's, before and after. Most plans have four steps for each.
        var places: [UInt32: Int] = [:]
        places.reserveCapacity(actions.count / 4)
        intents.reserveCapacity(actions.count / 4)
        func note(_ record: Record, _ change: (inout Intent) -> Void) {
            let place = places[record.slot] ?? intents.count
            if place == intents.count {
                intents.append(Intent(name: record.configuration.name))
                places[record.slot] = place
            }
            change(&intents[place])
        }
        for action in actions {
            switch action {
            case .addRecord(let record): if record.isReady { note(record) { $0.new = record } }
            case .commitRecord(let record): note(record) { $0.new = record.committed }
            case .replaceRecord(let record, let over):
                note(record) {
                    $0.new = record
                    $0.old = over
                }
            case .eraseRecord(let record): note(record) { $0.old = record }
            case .makeInterface(let record, let shape): note(record) { $0.made = shape }
            case .removeInterface(let record, let shape): note(record) { $0.removed = shape }
            case .write(.access(let underlay, _), let record, _):
                note(record) { $0.newUnderlay = underlay }
            default: continue
            }
        }
        intents.removeAll { $0.old == nil && $0.new == nil }
        return intents
    }
}

extension Intent {
    /// How many entries of the journal it takes.
    var entryCount: Int { (old == nil ? 0 : 1) + (new == nil ? 0 : 1) }

    /// The first of them, or the second.
    func entry(_ number: Int) -> pw_intent {
        var entry = pw_intent()
        entry.name = pw_name(name)
        var shape: CustomerPort.Shape?
        if number == 0, let old {
            entry.flags = UInt32(PW_INTENT_OLD)
            entry.record = old.value
            entry.underlay = oldUnderlay
            if removed != nil { entry.flags |= UInt32(PW_INTENT_REMOVES) }
            shape = removed
        } else if let new {
            entry.flags = UInt32(PW_INTENT_NEW)
            entry.record = new.value
            entry.underlay = newUnderlay
            if made != nil { entry.flags |= UInt32(PW_INTENT_MAKES) }
            shape = made
        }
        if let shape {
            entry.mtu = shape.mtu
            if shape.isDormant { entry.flags |= UInt32(PW_INTENT_DORMANT) }
        }
        return entry
    }

    /// Adds what an entry says; false for what we would not have written.
    mutating func take(_ entry: pw_intent, interfaceName: (UInt32) -> String?) -> Bool {
        func has(_ flag: Int) -> Bool { entry.flags & UInt32(flag) != 0 }
        guard has(Int(PW_INTENT_OLD)) != has(Int(PW_INTENT_NEW)),
            let record = Record(name: name, value: entry.record, interfaceName: interfaceName)
        else { return false }
        let shape = CustomerPort.Shape(mtu: entry.mtu, isDormant: has(Int(PW_INTENT_DORMANT)))
        if has(Int(PW_INTENT_OLD)) {
            old = record
            oldUnderlay = entry.underlay
            if has(Int(PW_INTENT_REMOVES)) { removed = shape }
        } else {
            new = record
            newUnderlay = entry.underlay
            if has(Int(PW_INTENT_MAKES)) { made = shape }
        }
        return true
    }
}
