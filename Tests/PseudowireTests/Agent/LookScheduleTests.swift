import Testing

@testable import Pseudowire

/// Time passes only here.
@Suite("when an agent looks")
struct LookScheduleTests {
    private static let start = ContinuousClock.now

    private static func at(_ milliseconds: Int) -> ContinuousClock.Instant {
        start.advanced(by: .milliseconds(milliseconds))
    }

    /// One that has looked just now.
    private static func schedule() -> LookSchedule {
        var schedule = LookSchedule(PseudowireAgent.Options(), now: start)
        #expect(schedule.due == start)
        schedule.looked(start, failed: false)
        return schedule
    }

    @Test("without events, only every so often")
    func idle() {
        #expect(Self.schedule().due == Self.at(60_000))
    }

    @Test("after an event, when nothing has followed it for 50 ms")
    func quiet() {
        var schedule = Self.schedule()
        schedule.note(Self.at(1000))
        #expect(schedule.due == Self.at(1050))
        schedule.note(Self.at(1040))
        #expect(schedule.due == Self.at(1090))
        schedule.looked(Self.at(1091), failed: false)
        #expect(schedule.due == Self.at(61_091))
    }

    @Test("in a storm, 500 ms after its first event")
    func storm() {
        var schedule = Self.schedule()
        for time in stride(from: 1000, through: 1900, by: 10) { schedule.note(Self.at(time)) }
        #expect(schedule.due == Self.at(1500))
    }

    @Test("after failures, at growing intervals; an event comes first; success forgets them")
    func retries() {
        var schedule = Self.schedule()
        var time = 0
        for delay in [1, 2, 4, 8, 16, 32, 60, 60] {
            schedule.looked(Self.at(time), failed: true)
            #expect(schedule.untilRetry(Self.at(time)) == .seconds(delay))
            time += delay * 1000
            #expect(schedule.due == Self.at(time))
        }
        schedule.note(Self.at(time - 9000))
        #expect(schedule.due == Self.at(time - 8950))
        schedule.looked(Self.at(time), failed: false)
        schedule.looked(Self.at(time), failed: true)
        #expect(schedule.due == Self.at(time + 1000))
    }

    @Test("an event hastens the next attempt, but not by all: the attempt before may have caused it")
    func echo() {
        var schedule = Self.schedule()
        for time in [0, 1000, 2000] { schedule.looked(Self.at(time), failed: true) }
        schedule.note(Self.at(2010))
        #expect(schedule.due == Self.at(3000))
        schedule.hurry(Self.at(2020))
        #expect(schedule.due == Self.at(2020))
        schedule.looked(Self.at(2030), failed: false)
        schedule.note(Self.at(2040))
        #expect(schedule.due == Self.at(2090))
    }

    @Test("at once when it is told to")
    func hurried() {
        var schedule = Self.schedule()
        schedule.hurry(Self.at(5))
        #expect(schedule.due == Self.at(5))
    }
}
