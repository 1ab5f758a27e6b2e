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
        var widest = [Int](repeating: 0, count: columns)
        var widths: [Int] = []
        widths.reserveCapacity(rows.count * columns)
        for row in rows {
            for (column, cell) in row.enumerated() {
                let width = Self.width(cell)
                widths.append(width)
                widest[column] = max(widest[column], width)
            }
        }
        // Octet by octet: most cells have fewer than it takes to set about copying them.
        let space = UInt8(ascii: " ")
        var text: [UInt8] = []
        text.reserveCapacity(rows.count * (widest.reduce(0, +) + 2 * columns))
        var number = 0
        for row in rows {
            if number > 0 { text.append(UInt8(ascii: "\n")) }
            for (column, cell) in row.enumerated() {
                let padding = widest[column] - widths[number]
                number += 1
                if column > 0 { for _ in 0..<2 { text.append(space) } }
                let isRight = rightAligned.contains(column)
                if isRight { for _ in 0..<padding { text.append(space) } }
                for octet in cell.utf8 { text.append(octet) }
                if !isRight, column < row.count - 1 { for _ in 0..<padding { text.append(space) } }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Characters; of what is ASCII, as nearly everything is, without looking for what belongs together.
    private static func width(_ cell: String) -> Int {
        cell.utf8.allSatisfy { $0 < 0x80 } ? cell.utf8.count : cell.count
    }
}
