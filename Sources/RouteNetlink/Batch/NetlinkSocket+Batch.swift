import CPseudowireMNL
import Glibc
import SystemPackage

extension NetlinkSocket {
    /// What an unread acknowledgement takes of the receive buffer: 832 bytes, more with words of the kernel's.
    static let answerCost = 1536
    /// Beyond this many requests a `send` gains nothing.
    private static let chunkLength = 64
    /// A `send` must stay well below the default send buffer of 212,992 bytes.
    private static let chunkBytes = 64 * 1024

    /// Sends requests, several at once, and returns a result for each in order.
    func perform(_ entries: [RouteBatch.Entry]) -> [Result<Void, NetlinkError>] {
        var results: [Result<Void, NetlinkError>?] = Array(repeating: nil, count: entries.count)
        let room = max(1, min(Self.chunkLength, transport.receiveCapacity / Self.answerCost))
        var next = 0
        while next < entries.count {
            var chunk = Chunk()
            while next < entries.count, chunk.indexes.count < room, chunk.bytes.count < Self.chunkBytes {
                let entry = entries[next]
                if let fault = entry.request.fault {
                    results[next] = .failure(Self.failure(entry, fault.errno, fault.message))
                } else {
                    chunk.append(entry.request, nextSequence(), next)
                }
                next += 1
            }
            perform(chunk, entries, &results)
        }
        return results.enumerated().map { index, result in
            result ?? .failure(Self.failure(entries[index], .noBufferSpace, Loss.overflow.message, isUnknown: true))
        }
    }

    /// Some requests that go out together.
    private struct Chunk {
        var bytes: [UInt8] = []
        var indexes: [Int] = []
        /// Sequence numbers count up by one, but for the step over zero: hence a look-up, not a subtraction.
        var positions: [UInt32: Int] = [:]

        mutating func append(_ request: Request, _ sequence: UInt32, _ index: Int) {
            var request = request
            request.setSequence(sequence)
            bytes += request.bytes
            positions[sequence] = index
            indexes.append(index)
        }
    }

    /// The kernel has worked through all of a chunk when `send` returns: what is not there then was lost.
    private func perform(
        _ chunk: Chunk, _ entries: [RouteBatch.Entry], _ results: inout [Result<Void, NetlinkError>?]
    ) {
        guard !chunk.indexes.isEmpty else { return }
        if let errno = chunk.bytes.withUnsafeBytes(transport.send) {
            for index in chunk.indexes { results[index] = .failure(Self.failure(entries[index], errno, nil)) }
            return
        }
        var missing = chunk.indexes.count
        var lost = Loss.overflow
        reading: while missing > 0 {
            do throws(Loss) {
                _ = try receive(waits: false) { message -> Void? in
                    guard message.portID == transport.portID, let index = chunk.positions[message.sequence],
                        results[index] == nil, message.type == Int(NLMSG_ERROR)
                    else { return nil }
                    missing -= 1
                    let entry = entries[index]
                    guard let answer = ExtendedAcknowledgement(message) else {
                        results[index] = .failure(
                            Self.failure(
                                entry, Errno(rawValue: EBADMSG), "an acknowledgement without an errno", isUnknown: true)
                        )
                        return nil
                    }
                    results[index] =
                        answer.code == 0
                        ? .success(())
                        : .failure(refusal(answer, entry.request) { Self.failure(entry, $0, $1) })
                    return nil
                }
            } catch {
                switch error.errno {
                // An overflow is reported before what had still been room for: read on.
                case .noBufferSpace, .messageTooLong: lost = error
                case .resourceTemporarilyUnavailable: break reading
                default:
                    lost = error
                    break reading
                }
            }
        }
        // Until it was read empty, a socket that has lost something accepts nothing: nothing is left by now.
        for index in chunk.indexes where results[index] == nil {
            results[index] = .failure(Self.failure(entries[index], lost.errno, lost.message, isUnknown: true))
        }
    }

    private static func failure(
        _ entry: RouteBatch.Entry, _ errno: Errno, _ message: String?, isUnknown: Bool = false
    ) -> NetlinkError {
        var error = NetlinkError(errno, entry.operation(), object: entry.object, message: message)
        error.isOutcomeUnknown = isUnknown
        return error
    }
}
