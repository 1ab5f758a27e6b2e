internal import Glibc
internal import Logging

/// Writes each event on one line of standard error, for people or, as JSON, for machines.
struct LineLogHandler: LogHandler {
    let isJSON: Bool
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }
        guard isJSON else {
            let words = fields.sorted { $0.key < $1.key }.map { " \($0)=\(Self.quoted("\($1)"))" }.joined()
            Report.toStandardError("\(Self.time()) \(event.level) \(event.message)\(words)")
            return
        }
        var object = fields.mapValues(JSONField.init)
        object["time"] = JSONField(.string(Self.time()))
        object["level"] = JSONField(.string("\(event.level)"))
        object["message"] = JSONField(.string("\(event.message)"))
        if let line = try? JSONText.line(object) { Report.toStandardError(line) }
    }

    /// What a machine reads: a number as a number, all else as its text.
    private struct JSONField: Encodable {
        let value: Logger.Metadata.Value

        init(_ value: Logger.Metadata.Value) { self.value = value }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch value {
            case .stringConvertible(let number as Int): try container.encode(number)
            case .stringConvertible(let number as Double): try container.encode(number)
            default: try container.encode("\(value)")
            }
        }
    }

    private static func quoted(_ value: String) -> String {
        let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3d && $0 != 0x7f }
        return isPlain
            ? value
            : "\"\(value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n"))\""
    }

    /// As RFC 3339 has it, to the millisecond.
    private static func time() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let date = [(Int(parts.tm_year) + 1900, 4), (Int(parts.tm_mon) + 1, 2), (Int(parts.tm_mday), 2)]
        let hour = [(Int(parts.tm_hour), 2), (Int(parts.tm_min), 2), (Int(parts.tm_sec), 2)]
        return date.map { padded($0, $1) }.joined(separator: "-") + "T"
            + hour.map { padded($0, $1) }.joined(separator: ":") + ".\(padded(now.tv_nsec / 1_000_000, 3))Z"
    }
}
