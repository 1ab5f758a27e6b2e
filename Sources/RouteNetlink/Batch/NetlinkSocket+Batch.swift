import CPseudowireMNL
import Glibc
import SystemPackage

extension NetlinkSocket {
    /// What an unread answer takes of the receive buffer: 832 bytes, more with words of the kernel's.
    static let answerCost = 1536
    /// Beyond this many requests a `send` gains nothing.
    private static let chunkLength = 64
    /// A `send` must stay well below the default send buffer of 212,992 bytes.
    private static let chunkBytes = 64 * 1024

    /// Sends requests, several at once, and returns a result for each in order.
    func perform(_ batch: RouteBatch) -> [Result<Void, NetlinkError>] {
        var results: [Result<Void, NetlinkError>] = Array(repeating: .success(()), count: batch.count)
        for (index, error) in batch.refusals { results[index] = .failure(error) }
        let room = max(1, min(Self.chunkLength, transport.receiveCapacity / Self.answerCost))
        var requests = batch.bytes
        var next = 0
        while next < batch.count {
            var chunk = Chunk(firstSequence: reserveSequences(Self.chunkLength))
            while next < batch.count, chunk.indexes.count < room, chunk.range.count < Self.chunkBytes {
                let range = batch.entries[next].range
                if !range.isEmpty {
                    chunk.append(range, next, &requests)
                }
                next += 1
            }
            perform(chunk, batch, requests, &results)
        }
        return results
    }

    /// Some requests that go out together.
    private struct Chunk {
        let firstSequence: UInt32
        private(set) var range = 0..<0
        /// Whose they are, in the order of their sequence numbers.
        private(set) var indexes: [Int] = []

        init(firstSequence: UInt32) { self.firstSequence = firstSequence }

        /// Takes in the next request, and numbers it; the acknowledgement is asked for by the last one alone.
        ///
        /// The kernel (`netlink_rcv_skb`) works through a datagram in order, answers every request that fails, asked
        /// or not, and says `ENOBUFS` when an answer is lost: after the last one's answer, silence is success.
        mutating func append(_ request: Range<Int>, _ index: Int, _ bytes: inout [UInt8]) {
            if let last = indexes.isEmpty ? nil : lastStart { Request.setAcknowledged(false, in: &bytes, at: last) }
            Request.setSequence(firstSequence + UInt32(indexes.count), in: &bytes, at: request.lowerBound)
            range = (indexes.isEmpty ? request.lowerBound : range.lowerBound)..<request.upperBound
            lastStart = request.lowerBound
            indexes.append(index)
        }

        private var lastStart = 0

        /// Which of `indexes` a sequence number belongs to.
        func place(of sequence: UInt32) -> Int? {
            guard sequence >= firstSequence else { return nil }
            let place = Int(sequence - firstSequence)
            return place < indexes.count ? place : nil
        }
    }

    /// The kernel has worked through all of a chunk when `send` returns: what is not there then was lost.
    private func perform(
        _ chunk: Chunk, _ batch: RouteBatch, _ requests: [UInt8], _ results: inout [Result<Void, NetlinkError>]
    ) {
        guard !chunk.indexes.isEmpty else { return }
        let errno = requests.withUnsafeBytes { transport.send(UnsafeRawBufferPointer(rebasing: $0[chunk.range])) }
        if let errno {
            for index in chunk.indexes { results[index] = .failure(batch.failure(index, errno)) }
            return
        }
        var isAnswered = Array(repeating: false, count: chunk.indexes.count)
        var loss: Loss?
        reading: while isAnswered.last == false {
            do throws(Loss) {
                _ = try receive(waits: false) { message -> Void? in
                    guard message.portID == transport.portID, message.type == Int(NLMSG_ERROR),
                        let place = chunk.place(of: message.sequence), !isAnswered[place]
                    else { return nil }
                    isAnswered[place] = true
                    let index = chunk.indexes[place]
                    guard let answer = ExtendedAcknowledgement(message) else {
                        results[index] = .failure(
                            batch.failure(
                                index, Errno(rawValue: EBADMSG), "an acknowledgement without an errno", isUnknown: true)
                        )
                        return nil
                    }
                    if answer.code != 0 {
                        results[index] = .failure(
                            refusal(answer, Array(batch.bytes[batch.entries[index].range])) {
                                batch.failure(index, $0, $1)
                            })
                    }
                    return nil
                }
            } catch {
                switch error.errno {
                // An overflow is reported before what had still been room for: read on.
                case .noBufferSpace, .messageTooLong: loss = error
                case .resourceTemporarilyUnavailable:
                    loss = loss ?? .overflow
                    break reading
                default:
                    loss = error
                    break reading
                }
            }
        }
        // Until it was read empty, a socket that has lost something accepts nothing: nothing is left by now.
        guard let loss else { return }
        for (index, isAnswered) in zip(chunk.indexes, isAnswered) where !isAnswered {
            results[index] = .failure(batch.failure(index, loss.errno, loss.message, isUnknown: true))
        }
    }
}

extension RouteBatch {
    /// How the change at `index` failed.
    fileprivate func failure(
        _ index: Int, _ errno: Errno, _ message: String? = nil, isUnknown: Bool = false
    ) -> NetlinkError {
        let entry = entries[index]
        let subject = BatchSubject(Array(bytes[entry.range]))
        var error = NetlinkError(errno, subject.operation(entry.verb), object: subject.object, message: message)
        error.isOutcomeUnknown = isUnknown
        return error
    }
}
