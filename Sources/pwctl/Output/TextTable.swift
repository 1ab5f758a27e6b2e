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
        let spaces = [UInt8](repeating: UInt8(ascii: " "), count: widest.max() ?? 0)
        var text: [UInt8] = []
        text.reserveCapacity(rows.count * (widest.reduce(0, +) + 2 * columns))
        var number = 0
        for row in rows {
            if number > 0 { text.append(UInt8(ascii: "\n")) }
            for (column, cell) in row.enumerated() {
                let padding = spaces[..<(widest[column] - widths[number])]
                number += 1
                if column > 0 { text += [UInt8(ascii: " "), UInt8(ascii: " ")] }
                let isRight = rightAligned.contains(column)
                if isRight { text += padding }
                var cell = cell
                cell.withUTF8 { text += $0 }
                if !isRight, column < row.count - 1 { text += padding }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Characters; of what is ASCII, as nearly everything is, without looking for what belongs together.
    private static func width(_ cell: String) -> Int {
        cell.utf8.allSatisfy { $0 < 0x80 } ? cell.utf8.count : cell.count
    }
}
