import CPseudowireMNL

extension Links {
    /// What an interface has counted, without the rest of its description; nil when there is none (Linux 4.7).
    ///
    /// ```swift
    /// let octets = try client.links.statistics(index)?.receivedBytes
    /// ```
    public func statistics(_ index: LinkIndex) throws(NetlinkError) -> LinkStatistics? {
        guard index.rawValue != 0 else { return nil }
        do throws(NetlinkError) {
            return try client.socket.object(
                StatisticsRequest.get(index), .link, "read the statistics of link \(index)"
            ) { message throws(MalformedMessage) in try StatisticsRequest.read(message)?.statistics }
        } catch {
            if error.errno == .noSuchDevice { return nil }
            throw error
        }
    }

    /// What all interfaces have counted.
    public func listStatistics() throws(NetlinkError) -> [LinkIndex: LinkStatistics] {
        let found = try client.socket.dump(StatisticsRequest.list(), .link, "list the statistics of links") {
            message throws(MalformedMessage) in try StatisticsRequest.read(message)
        }
        return Dictionary(found.map { ($0.link, $0.statistics) }) { _, last in last }
    }
}

/// The requests about statistics, as bytes, and their answers.
///
/// Source: `rtnl_stats_get` in `net/core/rtnetlink.c`.
enum StatisticsRequest {
    static func get(_ link: LinkIndex) -> Request {
        var request = Request(Int(RTM_GETSTATS), ending: .object)
        request.statisticsHeader(link)
        return request
    }

    static func list() -> Request {
        var request = Request(Int(RTM_GETSTATS), flags: NLM_F_DUMP_FLAGS)
        request.statisticsHeader(nil)
        return request
    }

    /// Reads an `RTM_NEWSTATS`; nil for anything else.
    static func read(
        _ message: borrowing Message
    ) throws(MalformedMessage) -> (link: LinkIndex, statistics: LinkStatistics)? {
        guard message.type == Int(RTM_NEWSTATS) else { return nil }
        try message.require(12, "if_stats_msg")
        guard let link = LinkIndex(message.field(4, Int32.self)) else { return nil }
        var cursor = message.attributes(after: 12)
        while let attribute = cursor.next() {
            if attribute.type == Int(IFLA_STATS_LINK_64) { return (link, LinkStatistics(attribute.payload)) }
        }
        return nil
    }
}

extension Request {
    /// Appends `struct if_stats_msg`, which asks for the counters that every link has.
    fileprivate mutating func statisticsHeader(_ link: LinkIndex?) {
        header {
            $0.append(UInt32(0))
            $0.append(link?.header ?? 0)
            $0.append(UInt32(1) << (UInt32(IFLA_STATS_LINK_64) - 1))
        }
    }
}
