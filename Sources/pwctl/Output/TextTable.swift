/// Columns as wide as their widest cell.
struct TextTable {
    private var rows: [[String]]
    private let rightAligned: Set<Int>

    init(_ header: [String], rightAligned: Set<Int> = []) {
        rows = [header]
        self.rightAligned = rightAligned
    }

    mutating func add(_ row: [String]) {
        rows.append(row)
    }

    var text: String {
        let columns = rows.map(\.count).max() ?? 0
        var widths = [Int](repeating: 0, count: columns)
        for row in rows {
            for (column, cell) in row.enumerated() { widths[column] = max(widths[column], Self.width(cell)) }
        }
        var text = ""
        for (number, row) in rows.enumerated() {
            if number > 0 { text += "\n" }
            for (column, cell) in row.enumerated() {
                if column > 0 { text += "  " }
                let padding = widths[column] - Self.width(cell)
                let isLast = column == row.count - 1
                if rightAligned.contains(column) { Self.pad(&text, padding) }
                text += cell
                if !isLast, !rightAligned.contains(column) { Self.pad(&text, padding) }
            }
        }
        return text
    }

    private static func pad(_ text: inout String, _ count: Int) {
        for _ in 0..<count { text.unicodeScalars.append(" ") }
    }

    /// Characters; of what is ASCII, as nearly everything is, without looking for what belongs together.
    private static func width(_ cell: String) -> Int {
        cell.utf8.allSatisfy { $0 < 0x80 } ? cell.utf8.count : cell.count
    }
}
