/// Names that differ by a number, as the kernel chooses from (`dev.c`, `dev_alloc_name`).
struct LinkNamePattern {
    private let before: String
    private let after: String

    /// The pattern that a name is; nil for one that says all, and for what the kernel would refuse as a pattern.
    init?(_ name: String) {
        let parts = name.split(separator: "%", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].first == "d" else { return nil }
        before = String(parts[0])
        after = String(parts[1].dropFirst())
    }

    /// The name with the lowest number that is not among `taken`.
    func first(notIn taken: Set<String>) -> String {
        var number = 0
        while taken.contains("\(before)\(number)\(after)") { number += 1 }
        return "\(before)\(number)\(after)"
    }
}

extension LinkSpecification {
    /// What the name is to be chosen from; nil when it is given.
    var namePattern: LinkNamePattern? {
        guard name.isEmpty else { return LinkNamePattern(name) }
        // As the drivers have it: all but netkit's use the name of the kind.
        if case .netkit = kind { return LinkNamePattern("nk%d") }
        return LinkNamePattern("\(kind.name)%d")
    }
}
