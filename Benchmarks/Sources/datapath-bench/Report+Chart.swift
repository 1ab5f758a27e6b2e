import Foundation

extension Report {
    /// Bars for each figure of the chain, as a picture that needs nothing else.
    var chart: String {
        let (left, width, bar, gap) = (190.0, 430.0, 15.0, 34.0)
        var body: [String] = []
        var y = 10.0
        func text(_ x: Double, _ y: Double, _ text: String, _ style: String = "") {
            let escaped = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            body.append(#"<text x="\#(x)" y="\#(y)" \#(style)>\#(escaped)</text>"#)
        }
        for condition in Condition.allCases {
            for work in condition.works {
                let bars = chain.contenders.compactMap { contender in
                    Spread(chain.values(contender, condition, work.name).values).map { (contender, $0) }
                }
                guard let longest = bars.map(\.1.most).max(), longest > 0 else { continue }
                y += gap
                text(10, y - 8, "\(work.name) — \(condition.rawValue)", #"font-weight="bold""#)
                for (contender, spread) in bars {
                    let colour = contender.hasPrefix("ours") ? "steelblue" : "silver"
                    text(left - 8, y + 11, contender, #"text-anchor="end""#)
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
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="780" height="\(y + 20)" font-family="sans-serif" \
            font-size="11"><rect width="100%" height="100%" fill="white"/>
            \(body.joined(separator: "\n"))
            </svg>

            """
    }
}
