/// The steps of a plan, first to last.
///
/// Those that are one for each of very many pseudowires lie in it as these, once for all such steps, and are made when
/// they are asked for.
struct ActionList: Sendable, RandomAccessCollection {
    /// A step for each pseudowire.
    enum Kind: Sendable {
        case clearCounters, session, path, access, record
    }

    private enum Part: Sendable {
        case singles([Action])
        case row(Kind, [Transition.Pair])
    }

    private var parts: [Part] = []
    /// Where each part ends.
    private var ends: [Int] = []

    init() {}

    init(_ actions: [Action]) {
        append(actions)
    }

    var startIndex: Int { 0 }
    var endIndex: Int { ends.last ?? 0 }

    subscript(position: Int) -> Action {
        var number = 0
        while ends[number] <= position { number += 1 }
        let offset = position - (number == 0 ? 0 : ends[number - 1])
        return switch parts[number] {
        case .singles(let actions): actions[offset]
        case .row(let kind, let pairs): Action(kind, pairs[offset])
        }
    }

    /// What all of it comes to, where pseudowires are only added, and nothing is made with any of them.
    var additions: [Transition.Pair]? {
        var found: [Transition.Pair]?
        for part in parts {
            switch part {
            case .singles(let actions):
                guard actions.allSatisfy({ $0.subject == nil && !$0.isAboutInterface }) else { return nil }
            case .row(.record, let pairs):
                guard found == nil else { return nil }
                found = pairs
            case .row: continue
            }
        }
        return found
    }

    mutating func append(_ actions: [Action]) {
        guard !actions.isEmpty else { return }
        parts.append(.singles(actions))
        ends.append(endIndex + actions.count)
    }

    /// A step for each of some pseudowires, in the place of nothing that was there before.
    mutating func append(_ kind: Kind, _ pairs: [Transition.Pair]) {
        guard !pairs.isEmpty else { return }
        parts.append(.row(kind, pairs))
        ends.append(endIndex + pairs.count)
    }
}

extension Action {
    /// Whether it makes or removes an interface of a customer's.
    fileprivate var isAboutInterface: Bool {
        switch self {
        case .makeInterface, .removeInterface: true
        default: false
        }
    }

    /// - Parameters:
    ///   - over: the one whose entry is replaced.
    ///   - before: the way out that this entry names.
    init(_ kind: ActionList.Kind, _ pair: Transition.Pair, over: Record? = nil, before: UInt32 = 0) {
        self =
            switch kind {
            case .clearCounters: .clearCounters(pair.new)
            case .session: .write(.session, pair.new, over: over)
            case .path: .write(.path, pair.new, over: over)
            case .access: .write(.access(underlay: pair.underlay, before: before), pair.new, over: over)
            case .record:
                over.map { .replaceRecord(pair.new, over: $0) }
                    ?? (pair.makes ? .commitRecord(pair.new) : .addRecord(pair.new))
            }
    }
}
