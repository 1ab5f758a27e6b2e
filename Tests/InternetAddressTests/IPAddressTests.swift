import InternetAddress
import Testing

@Suite struct IPAddressTests {
    /// What goes in and what RFC 5952 wants to see; the first ones are its sections 4.1 to 5.
    @Test(arguments: [
        ("2001:0db8::0001", "2001:db8::1"),
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:DB8:AaAa::0", "2001:db8:aaaa::"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("::ffff:c000:201", "::ffff:192.0.2.1"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("::1", "::1"),
        ("1::", "1::"),
        ("::8:7:6:5:4:3:2", "0:8:7:6:5:4:3:2"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("fe80::1", "fe80::1"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("0.0.0.0", "0.0.0.0"),
        ("192.0.2.21", "192.0.2.21"),
        ("255.255.255.255", "255.255.255.255"),
    ])
    func readsAndPrints(text: String, printed: String) {
        #expect(IPAddress(text)?.description == printed)
        #expect(IPAddress(printed)?.description == printed)
    }

    @Test(arguments: [
        "", " ", ".", "...", "1", "1.2", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.1000",
        "01.2.3.4", "1.2.3.00", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "1.2.3.+4", "1.2.3.4/24", "1.2.3.a",
        "١.٢.٣.٤", ":", ":::", "::::", "1:", ":1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "1::2::3", "1:::2", "12345::", "g::", "::1%eth0", "::1 ", "[::1]", "::1/128", "1.2.3.4::",
        "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "::1.2.3.256",
        "1.2.3.4:1::", "1:2:3:4:1.2.3.4::", "::-1", "::+1", "0x1::",
    ])
    func refuses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func bytesBothWays() {
        let v4: IPAddress = "192.0.2.21"
        #expect(v4.family == .v4 && v4.bytes == [192, 0, 2, 21])
        #expect(v4 == IPAddress(192, 0, 2, 21))
        #expect(IPAddress(bytes: v4.bytes) == v4)
        let v6: IPAddress = "102:304:506:708:90a:b0c:d0e:f10"
        #expect(v6.family == .v6 && v6.bytes == Array(1...16))
        #expect(IPAddress(bytes: v6.bytes) == v6)
        #expect(IPAddress(bytes: v6.bytes[...]) == v6)
        for count in [0, 1, 3, 5, 15, 17, 400] { #expect(IPAddress(bytes: Array(repeating: 1, count: count)) == nil) }
        #expect(v4.octet(at: 3) == 21)
        #expect(v4.octet(at: 4) == 0 && v4.octet(at: -1) == 0 && v6.octet(at: 16) == 0)
    }

    /// The whole range of patterns of zero and non-zero words, of which "::" takes the first longest run.
    @Test func everyPatternOfZerosComesBack() {
        for mask in 0..<256 {
            let words = (0..<8).map { mask >> $0 & 1 == 1 ? UInt16(0x1000 + $0) : 0 }
            let bytes = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
            guard let address = IPAddress(bytes: bytes) else {
                Issue.record("16 octets are an address")
                continue
            }
            let text = address.description
            #expect(IPAddress(text) == address, "\(text)")
            #expect(text == expected(words))
        }
    }

    /// RFC 5952 written the slow way: of all ways to shorten, the longest run of at least two, then the leftmost.
    private func expected(_ words: [UInt16]) -> String {
        for length in stride(from: 8, through: 2, by: -1) {
            for start in 0...(8 - length) where words[start..<(start + length)].allSatisfy({ $0 == 0 }) {
                let left = words[..<start].map { String($0, radix: 16) }.joined(separator: ":")
                let right = words[(start + length)...].map { String($0, radix: 16) }.joined(separator: ":")
                return left + "::" + right
            }
        }
        return words.map { String($0, radix: 16) }.joined(separator: ":")
    }

    @Test func kinds() {
        #expect(IPAddress("0.0.0.0").isUnspecified && IPAddress("::").isUnspecified)
        #expect(IPAddress("0.0.0.0") != IPAddress("::"))
        #expect(IPAddress("127.8.9.1").isLoopback && IPAddress("::1").isLoopback && !IPAddress("::2").isLoopback)
        #expect(IPAddress("224.0.0.1").isMulticast && IPAddress("239.255.255.255").isMulticast)
        #expect(!IPAddress("240.0.0.0").isMulticast && !IPAddress("223.255.255.255").isMulticast)
        #expect(IPAddress("ff02::1").isMulticast && !IPAddress("fe80::1").isMulticast)
        #expect(IPAddress("255.255.255.255").isBroadcast && !IPAddress("255.255.255.254").isBroadcast)
        #expect(IPAddress("169.254.1.1").isLinkLocal && !IPAddress("169.253.1.1").isLinkLocal)
        #expect(IPAddress("fe80::1").isLinkLocal && IPAddress("febf::1").isLinkLocal)
        #expect(!IPAddress("fec0::1").isLinkLocal && !IPAddress("fe7f::1").isLinkLocal)
        #expect(IPAddress("::ffff:1.2.3.4").isIPv4Mapped && !IPAddress("::1.2.3.4").isIPv4Mapped)
        #expect(!IPAddress("1.2.3.4").isIPv4Mapped)
    }

    @Test func order() {
        let sorted: [IPAddress] = ["0.0.0.0", "9.0.0.0", "10.0.0.0", "255.255.255.255", "::", "::1", "1::", "ffff::"]
        #expect(sorted.reversed().sorted() == sorted)
    }
}
