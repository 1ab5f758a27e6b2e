import InternetAddress
import Testing

@Suite struct IPPrefixTests {
    @Test(arguments: [
        ("192.0.2.1/24", "192.0.2.1/24"), ("0.0.0.0/0", "0.0.0.0/0"), ("192.0.2.1", "192.0.2.1/32"),
        ("2001:db8::1/64", "2001:db8::1/64"), ("2001:DB8::", "2001:db8::/128"), ("::/0", "::/0"),
    ])
    func readsAndPrints(text: String, printed: String) {
        #expect(IPPrefix(text)?.description == printed)
    }

    @Test(arguments: [
        "", "/", "/24", "192.0.2.1/", "192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/+1", "192.0.2.1/24/24", "192.0.2/24",
        "::/129", "::/256", "::/ 1", "::/1 ", "::/0x1", "192.0.2.1/255.255.255.0", "::1/१",
    ])
    func refuses(text: String) {
        #expect(IPPrefix(text) == nil)
    }

    @Test func lengthIsThatOfTheFamily() {
        #expect(IPPrefix("1.2.3.4", length: 32) != nil)
        #expect(IPPrefix("1.2.3.4", length: 33) == nil)
        #expect(IPPrefix("::", length: 128) != nil)
        #expect(IPPrefix("::", length: 129) == nil)
        #expect(IPPrefix(host: "1.2.3.4") == "1.2.3.4/32")
        #expect(IPPrefix(host: "::1").length == 128)
    }

    @Test func contains() {
        let prefix: IPPrefix = "192.0.2.129/25"
        #expect(prefix.contains("192.0.2.128") && prefix.contains("192.0.2.255"))
        #expect(!prefix.contains("192.0.2.127") && !prefix.contains("192.0.3.129"))
        #expect(!prefix.contains("::"), "families never mix")
        #expect(IPPrefix("0.0.0.0/0").contains("255.255.255.255") && !IPPrefix("0.0.0.0/0").contains("::"))
        #expect(IPPrefix("::/0").contains("ffff::") && !IPPrefix("::/0").contains("0.0.0.0"))
        #expect(IPPrefix("2001:db8::/33").contains("2001:db8:7fff::"))
        #expect(!IPPrefix("2001:db8::/33").contains("2001:db8:8000::"))
        #expect(IPPrefix("::1/128").contains("::1") && !IPPrefix("::1/128").contains("::"))
    }

    @Test func network() {
        #expect(IPPrefix("192.0.2.129/25").network == "192.0.2.128/25")
        #expect(IPPrefix("192.0.2.129/0").network == "0.0.0.0/0")
        #expect(IPPrefix("192.0.2.129/32").network == "192.0.2.129/32")
        #expect(IPPrefix("2001:db8:ffff::1/33").network == "2001:db8:8000::/33")
    }
}
