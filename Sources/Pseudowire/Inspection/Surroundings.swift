/// What of a pseudowire's state is not its own, but that of interfaces, routes and filters: the next one in the same
/// place has the same, and the very same object.
final class Surroundings {
    private let record: Record
    /// Names of the interfaces at which packets are taken in.
    var underlays: [String] = []
    /// Where the filters are, by interface.
    var hooks: [String: AttachmentHook] = [:]
    /// Whether XDP programs are before them, by interface.
    var acceleration: [String: PseudowireStatus.AccelerationState] = [:]
    var nextHop: String?
    /// The largest outer packet that the way takes as far as this machine knows.
    var pathMTU: Int?
    /// What is not as it was made.
    var damage: String?
    /// Why it has to wait.
    var obstacle: String?
    /// What comes before what packets have shown, and what comes after.
    var firstRemarks: [String] = []
    var lastRemarks: [String] = []
    /// How one is of which packets have shown nothing: the same words for all.
    private(set) lazy var usualSentence = sentence([])

    init(_ record: Record) {
        self.record = record
    }

    func isShared(by other: Record) -> Bool {
        let (mine, its) = (record.configuration, other.configuration)
        return record.access == other.access && record.underlays == other.underlays && record.isReady == other.isReady
            && record.coalesces == other.coalesces && mine.tunnel == its.tunnel && mine.access == its.access
            && mine.makesInterface == its.makesInterface && mine.attach == its.attach
    }

    /// How one is that carries frames.
    func sentence(_ shown: [String]) -> String {
        let remarks = firstRemarks + shown + lastRemarks
        return remarks.isEmpty
            ? "carrying frames of \(record.configuration.access)"
            : "carrying frames; but \(remarks.joined(separator: "; and "))"
    }
}
