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

    var change: Change {
        switch (old, new) {
        case (nil, _): .create(name)
        case (_, nil): .remove(name)
        case (let old?, let new?): .change(name, Change.differences(old.configuration, new.configuration))
        }
    }

    /// What the steps of a plan come to.
    static func all(of actions: [Action]) -> [Intent] {
        var intents: [Intent] = []
        // A slot is one pseudowire's, before and after.
        var places: [UInt32: Int] = [:]
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
        return intents.filter { $0.old != nil || $0.new != nil }
    }
}

extension Intent {
    /// As the journal keeps it.
    var value: pw_intent {
        var value = pw_intent()
        if let old {
            value.flags |= UInt32(PW_INTENT_OLD)
            value.before = old.value
        }
        if let new {
            value.flags |= UInt32(PW_INTENT_NEW)
            value.after = new.value
        }
        if made != nil { value.flags |= UInt32(PW_INTENT_MAKES) }
        if removed != nil { value.flags |= UInt32(PW_INTENT_REMOVES) }
        if let shape = made ?? removed {
            value.mtu = shape.mtu
            if shape.isDormant { value.flags |= UInt32(PW_INTENT_DORMANT) }
        }
        value.old_underlay = oldUnderlay
        value.new_underlay = newUnderlay
        return value
    }

    /// Nil for what we would not have written.
    init?(name: String, value: pw_intent, interfaceName: (UInt32) -> String?) {
        func has(_ flag: Int) -> Bool { value.flags & UInt32(flag) != 0 }
        self.name = name
        let shape = CustomerPort.Shape(mtu: value.mtu, isDormant: has(Int(PW_INTENT_DORMANT)))
        if has(Int(PW_INTENT_MAKES)) { made = shape }
        if has(Int(PW_INTENT_REMOVES)) { removed = shape }
        oldUnderlay = value.old_underlay
        newUnderlay = value.new_underlay
        if has(Int(PW_INTENT_OLD)) {
            guard let record = Record(name: name, value: value.before, interfaceName: interfaceName) else { return nil }
            old = record
        }
        if has(Int(PW_INTENT_NEW)) {
            guard let record = Record(name: name, value: value.after, interfaceName: interfaceName) else { return nil }
            new = record
        }
        if old == nil, new == nil { return nil }
    }
}
