// RouteNetlink beside what one would use instead, in a network namespace of this process's own.
//
// All contenders of a job take turns in one run, in an order that rotates from round to round; what is printed is the
// median over the rounds, and the median of each round's ratio to the first contender. Times are of a noisy machine:
// only the ratios mean anything. `netlink-bench JOB WHO` does one contender's turns alone, for a profiler: a part
// of the job's name, and the contender's whole one, as in `netlink-bench find RouteNetlink`.

import CBaseline
import Foundation
import InternetAddress
import RouteNetlink

let rounds = 7
let routeCount = 4000
let linkPairs = 300
let dumps = 20
let lookups = 3000

struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// A job, and who does it; each returns how many it has done, which must be `count`.
struct Job {
    let name: String
    let count: Int
    let contenders: [(name: String, run: () throws -> (done: Int, seconds: Double?))]
    var between: () throws -> Void = {}
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted[sorted.count / 2]
}

/// Runs a program of the system's, in this process's namespace; its standard output.
func output(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(description: "\(program) failed") }
    return String(decoding: data, as: UTF8.self)
}

guard baseline_isolate() == 0 else { throw Failure(description: "no namespace: are you root?") }
let client = try RouteClient()
// Foundation talks to itself over the loopback interface when it runs a program.
try client.links.update(LinkIndex(rawValue: 1), LinkUpdate(isUp: true))
let port = try client.links.create(.veth("port", peer: .init(name: "peer"), isUp: true))
for number in 0..<(linkPairs - 1) {
    _ = try client.links.create(.veth("left\(number)", peer: .init(name: "right\(number)")))
}
let linkCount = try client.links.list().count

let routes = try (0..<routeCount).map { number in
    let text = "10.0.\(number >> 8).\(number & 255)"
    guard let address = IPAddress(text), let prefix = IPPrefix(address, length: 32) else {
        throw Failure(description: "\(text) is no address")
    }
    return Route(to: prefix, link: port.index, scope: .link)
}
let batchFile = NSTemporaryDirectory() + "netlink-bench.\(getpid())"
try (0..<routeCount).map { "route add 10.0.\($0 >> 8).\($0 & 255)/32 dev port scope link proto static\n" }.joined()
    .write(toFile: batchFile, atomically: true, encoding: .utf8)
defer { try? FileManager.default.removeItem(atPath: batchFile) }

let python = """
    import time
    from pyroute2 import IPRoute
    ip = IPRoute()
    start = time.perf_counter()
    count = 0
    for _ in range(2):
        count += len(list(ip.get_links()))
    print(count, time.perf_counter() - start)
    """
let hasPyroute2 = (try? output("python3", ["-c", "import pyroute2"])) != nil

func forgetRoutes() throws {
    try client.links.update(port.index, LinkUpdate(isUp: false))
    try client.links.update(port.index, LinkUpdate(isUp: true))
    guard try client.routes.list(.v4, table: Route.mainTable).isEmpty else {
        throw Failure(description: "routes are left")
    }
}

var jobs = [
    Job(
        name: "add a route", count: routeCount,
        contenders: [
            ("C, libmnl", { (Int(baseline_add_routes(Int32(port.index.rawValue), Int32(routeCount))), nil) }),
            (
                "RouteNetlink",
                {
                    for route in routes { try client.routes.add(route) }
                    return (routeCount, nil)
                }
            ),
            (
                "RouteNetlink, batch",
                {
                    var batch = RouteBatch()
                    for route in routes { batch.add(route) }
                    return (client.perform(batch).count { if case .success = $0 { true } else { false } }, nil)
                }
            ),
            (
                "ip -batch",
                {
                    _ = try output("ip", ["-batch", batchFile])
                    return (try client.routes.list(.v4, table: Route.mainTable).count, nil)
                }
            ),
        ], between: forgetRoutes),
    Job(
        name: "read a link, of \(linkCount)", count: linkCount * dumps,
        contenders: [
            ("C, libmnl", { (Int(baseline_dump_links(Int32(dumps))), nil) }),
            ("RouteNetlink", { (try (0..<dumps).reduce(0) { sum, _ in try sum + client.links.list().count }, nil) }),
        ]),
    Job(
        name: "find a link by name", count: lookups,
        contenders: [
            ("C, libmnl", { (Int(baseline_find_link("left7", Int32(lookups))), nil) }),
            (
                "RouteNetlink",
                {
                    (try (0..<lookups).count { _ in try client.links.find(named: "left7") != nil }, nil)
                }
            ),
        ]),
]
if hasPyroute2 {
    let pyroute2: (name: String, run: () throws -> (done: Int, seconds: Double?)) = (
        "pyroute2",
        {
            let words = try output("python3", ["-c", python]).split(whereSeparator: \.isWhitespace)
            guard words.count == 2, let count = Int(words[0]), let time = Double(words[1]) else {
                throw Failure(description: "pyroute2 printed something else")
            }
            // Fewer turns, for it is slow: the time is scaled to as many as the others have.
            return (count * dumps / 2, time * Double(dumps) / 2)
        }
    )
    let dump = jobs[1]
    jobs[1] = Job(name: dump.name, count: dump.count, contenders: dump.contenders + [pyroute2])
} else {
    print("pyroute2 is not installed: not measured (pip install pyroute2)")
}

let filters = CommandLine.arguments.dropFirst()
if filters.count == 2, let job = filters.first, let who = filters.last {
    jobs = jobs.filter { $0.name.contains(job) }.map { job in
        Job(
            name: job.name, count: job.count, contenders: job.contenders.filter { $0.name == who },
            between: job.between)
    }
}

print("| job | who | per second, median | × C, median (least to most) |")
print("|---|---|---|---|")
for job in jobs where !job.contenders.isEmpty {
    var times = [[Double]](repeating: [], count: job.contenders.count)
    for round in 0..<(rounds + 1) {
        for turn in job.contenders.indices {
            let number = (round + turn) % job.contenders.count
            var done = (done: 0, seconds: Double?.none)
            let time = try seconds { done = try job.contenders[number].run() }
            guard done.done == job.count else {
                throw Failure(
                    description: "\(job.name): \(job.contenders[number].name) did \(done.done) of \(job.count)")
            }
            try job.between()
            // The first round warms up.
            if round > 0 { times[number].append(done.seconds ?? time) }
        }
    }
    for (number, contender) in job.contenders.enumerated() {
        let ratios = zip(times[0], times[number]).map { $0 / $1 }.sorted()
        let rate = Int(Double(job.count) / median(times[number]))
        print(
            "| \(job.name) | \(contender.name) | \(rate) | "
                + String(format: "%.2f (%.2f to %.2f) |", median(ratios), ratios[0], ratios[ratios.count - 1]))
    }
}
