import InternetAddress
import Testing

@Suite struct MACAddressTests {
    @Test(arguments: [
        ("02:00:5e:10:00:01", "02:00:5e:10:00:01"), ("FF:ff:Ff:fF:FF:FF", "ff:ff:ff:ff:ff:ff"),
        ("00:00:00:00:00:00", "00:00:00:00:00:00"), ("0a:0b:0c:0d:0e:0f", "0a:0b:0c:0d:0e:0f"),
    ])
    func readsAndPrints(text: String, printed: String) {
        #expect(MACAddress(text)?.description == printed)
    }

    @Test(arguments: [
        "", ":", ":::::", "02:00:5e:10:00", "02:00:5e:10:00:01:02", "2:0:5e:10:0:1", "02-00-5e-10-00-01",
        "02005e100001", "02:00:5e:10:00:0g", "02:00:5e:10:00:1 ", "02:00:5e:10:00:+1", "02:00:5e:10:00:-1",
        "02:00:5e:10:00:001",
        "02:00:5e:10:00:01 ", "０2:00:5e:10:00:01",
    ])
    func refuses(text: String) {
        #expect(MACAddress(text) == nil)
    }

    @Test func bytesBothWays() {
        let mac = MACAddress(1, 2, 3, 4, 5, 6)
        #expect(mac.bytes == [1, 2, 3, 4, 5, 6])
        #expect(MACAddress(bytes: mac.bytes) == mac)
        for count in [0, 5, 7, 8] { #expect(MACAddress(bytes: Array(repeating: 0, count: count)) == nil) }
    }

    @Test func kinds() {
        #expect(MACAddress.broadcast.isMulticast && MACAddress.broadcast.isLocallyAdministered)
        #expect(!MACAddress.zero.isMulticast && !MACAddress.zero.isLocallyAdministered)
        #expect(MACAddress("01:80:c2:00:00:0e").isMulticast && !MACAddress("01:80:c2:00:00:0e").isLocallyAdministered)
        #expect(MACAddress("02:00:00:00:00:01").isLocallyAdministered)
    }
}
