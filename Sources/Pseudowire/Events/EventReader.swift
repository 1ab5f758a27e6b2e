internal import BPF

/// Reads what the datapath of a namespace reports.
///
/// ```swift
/// let reader = try manager.eventReader()
/// while true { for event in try reader.next(within: .seconds(1)) { print(event) } }
/// ```
///
/// An event that one reader has taken no other one gets. Reading changes nothing else, and whether anybody reads makes
/// no difference to the datapath.
public final class EventReader {
    private let buffer: RingBufferReader

    init(_ buffer: RingBufferReader) {
        self.buffer = buffer
    }

    /// What has come, or comes within a time; empty when nothing does.
    public func next(within time: Duration = .zero) throws(PseudowireError) -> [PacketEvent] {
        try bpf { () throws(BPFError) in try buffer.records(waitingAtMost: time) }.compactMap(PacketEvent.init(record:))
    }
}

extension PseudowireManager {
    /// A reader of this namespace's events.
    ///
    /// - Throws: `refused` where there is no pseudowire, hence no datapath that could report any.
    public func eventReader() throws(PseudowireError) -> EventReader {
        let reader = try reading { (state) throws(PseudowireError) in
            try bpf { () throws(BPFError) in
                EventReader(try RingBufferReader(descriptor: state.events.fileDescriptor, name: "events"))
            }
        }
        guard let reader else { throw .refused("there is no pseudowire here, and so nothing to report") }
        return reader
    }
}
