import Foundation
import InternetAddress
import Pseudowire
import PseudowireTestbed
import Synchronization

/// What replacing the datapath costs while it carries frames.
struct UpgradeCost: Codable, Sendable {
    /// From the call to its return.
    let milliseconds: [Double]
    /// Frames that were sent meanwhile, and those of them that did not arrive.
    let sent: Int
    let lost: Int

    /// Upgrades of one end, one after the other, under a stream of numbered frames.
    static func measure(upgrades: Int) throws -> UpgradeCost {
        let network = try FourNamespaces.anonymous(innerMTU: Setting.innerMTU)
        let takeDown = try Contender.ours("", .v4, udp: true).setUp(network)
        _ = try Echo(to: FourNamespaces.Place.host3.address(.v4), count: 2).run(in: network.host0)
        let manager = try PseudowireManager(in: .path(network.path(of: .edge1)))
        let clock = ContinuousClock()
        var milliseconds: [Double] = []
        let stream = try NumberedFrames(network)
        for _ in 0..<upgrades {
            milliseconds.append(try clock.measure { try manager.upgrade(evenIfCurrent: true) } / .milliseconds(1))
        }
        let (sent, arrived) = try stream.end()
        try takeDown()
        return UpgradeCost(milliseconds: milliseconds, sent: sent, lost: sent - arrived)
    }
}

/// Frames with numbers from host0 to host3, some thousands a second, until they are counted.
private final class NumberedFrames {
    private static let type: [UInt8] = [0x88, 0xb5]
    /// As many as the receiver's queue holds.
    private static let limit = 150_000

    private let sent = SharedCount()
    private let stop = SharedCount()
    private let far: FrameTap
    private let done = DispatchSemaphore(value: 0)

    init(_ network: borrowing FourNamespaces) throws {
        far = try FrameTap(on: "veth32", in: network.host3, directions: .received, bufferSize: 64 << 20)
        let near = Box(try FrameTap(on: "veth01", in: network.host0, directions: .received, bufferSize: 1 << 20))
        let (sent, stop, done) = (sent, stop, done)
        Thread.detachNewThread {
            while stop.value == 0, sent.value < Self.limit {
                let number = UInt32(sent.value)
                var frame: [UInt8] = [2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 1] + Self.type
                frame += (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
                frame += [UInt8](repeating: 0, count: 46)
                if (try? near.tap.send(frame)) != nil { sent.value += 1 }
                usleep(50)
            }
            done.signal()
        }
        while sent.value < 1000 { usleep(1000) }
    }

    /// How many were sent, and how many different ones have arrived.
    func end() throws -> (sent: Int, arrived: Int) {
        usleep(50_000)
        stop.value = 1
        done.wait()
        var seen: Set<UInt32> = []
        for frame in try far.frames(quiet: .milliseconds(300), timeout: .seconds(30))
        where frame.bytes.count >= 60 && Array(frame.bytes[12..<14]) == Self.type {
            seen.insert(frame.bytes[14..<18].reduce(0) { $0 << 8 | UInt32($1) })
        }
        guard try far.overflow() == 0 else { throw Failure("more frames came than were counted") }
        return (sent.value, seen.count)
    }

    private final class Box: Sendable {
        let tap: FrameTap
        init(_ tap: consuming FrameTap) { self.tap = tap }
    }
}

/// A number that two threads share.
private final class SharedCount: Sendable {
    private let number = Atomic<Int>(0)
    var value: Int {
        get { number.load(ordering: .sequentiallyConsistent) }
        set { number.store(newValue, ordering: .sequentiallyConsistent) }
    }
}
