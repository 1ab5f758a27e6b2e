import Foundation

extension Report {
    /// Bars for each figure of the chain, as a picture that needs nothing else.
    var chart: String {
        let (left, width, bar, gap) = (230.0, 430.0, 15.0, 34.0)
        var body: [String] = []
        var y = 10.0
        func text(_ x: Double, _ y: Double, _ text: String, _ style: String = "") {
            let escaped = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            body.append(#"<text x="\#(x)" y="\#(y)" \#(style)>\#(escaped)</text>"#)
        }
        func draw(_ title: String, _ bars: [(label: String, spread: Spread)]) {
            guard let longest = bars.map(\.spread.most).max(), longest > 0 else { return }
            y += gap
            text(10, y - 8, title, #"font-weight="bold""#)
            for (label, spread) in bars {
                let colour = chain.contenders.contains(label) && !label.hasPrefix("ours") ? "silver" : "steelblue"
                text(left - 8, y + 11, label, #"text-anchor="end""#)
                body.append(
                    #"<rect x="\#(left)" y="\#(y)" width="\#(width * spread.median / longest)" height="\#(bar - 3)" fill="\#(colour)"/>"#
                )
                let ends = [spread.least, spread.most].map { left + width * $0 / longest }
                body.append(
                    #"<line x1="\#(ends[0])" x2="\#(ends[1])" y1="\#(y + 6)" y2="\#(y + 6)" stroke="black"/>"#)
                text(left + width + 8, y + 11, Self.phrase(spread))
                y += bar
            }
        }
        for condition in Condition.allCases {
            for work in condition.works {
                draw(
                    "\(work.name) — \(condition.rawValue)",
                    chain.contenders.compactMap { contender in
                        Spread(chain.values(contender, condition, work.name).values).map { (contender, $0) }
                    })
            }
        }
        for (title, bars) in scale.bars { draw(title, bars) }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="820" height="\(y + 20)" font-family="sans-serif" \
            font-size="11"><rect width="100%" height="100%" fill="white"/>
            \(body.joined(separator: "\n"))
            </svg>

            """
    }
}
