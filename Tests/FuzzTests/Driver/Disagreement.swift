/// A frame of which the two implementations think differently.
struct Disagreement: Sendable {
    let what: String
    /// Which frame of the walk it is; what is only noticed at a round's end bears the last one's number.
    let number: Int
    let wires: [Wire]
    let input: [UInt8]
    let expected: String
    let found: String

    /// All that is known, and how to see it again.
    func report(seed: UInt64) -> String {
        """
        \(what): FUZZ_SEED=\(seed) FUZZ_CASE=\(number)
          frame     \(hexadecimal(input))
          reference \(expected)
          datapath  \(found)
          \(wires.map { "\($0)" }.joined(separator: "\n  "))
        """
    }
}

func hexadecimal(_ octets: [UInt8]) -> String {
    octets.map { octet in
        let digits = String(octet, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }.joined()
}

extension Outcome: CustomStringConvertible {
    var description: String {
        switch self {
        case .pass: "pass"
        case .drop(let reason): "drop \(reason.rawValue)"
        case .send(let octets): "send \(hexadecimal(octets))"
        case .reply(let octets): "reply \(hexadecimal(octets))"
        case .deliver(let octets): "deliver \(hexadecimal(octets))"
        }
    }
}
