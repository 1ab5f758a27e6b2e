/// A frame of which the two implementations think differently, and how to see it again.
struct Disagreement: Sendable, CustomStringConvertible {
    let seed: UInt64
    let number: Int
    let what: String
    let wires: [Wire]
    let input: [UInt8]
    let expected: String
    let found: String

    var description: String {
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
        case .deliver(let octets): "deliver \(hexadecimal(octets))"
        }
    }
}
