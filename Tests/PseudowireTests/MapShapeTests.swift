import BPF
import CPseudowireObject
import Testing

@testable import Pseudowire

@Suite("what the maps are like, said without opening the object")
struct MapShapeTests {
    @Test("is what the object says", arguments: DatapathObject.MapName.allCases, [1, 4, 65536, .max] as [UInt32])
    func shapes(map: DatapathObject.MapName, maxSessions: UInt32) throws {
        let declared = try DatapathObject.open(maxSessions: maxSessions).shape(ofMap: map.rawValue)
        let said = map.shape(maxSessions: maxSessions)
        #expect(said.type == declared.type)
        #expect(said.flags == (DatapathObject.roomy.contains(map) ? nil : declared.flags))
        #expect(map == .drops ? said.maxEntries == nil : said.maxEntries == declared.maxEntries)
    }

    @Test("a build is named by the hash of its object")
    func build() {
        // The function's own examples.
        #expect(BuildID(of: []).description == "6c62272e07bb014262b821756295c58d")
        #expect(BuildID(of: Array("foobar".utf8)).description == "343e1662793c64bf6f0d3597ba446f18")
        #expect(DatapathImage.embedded.build.short.count == 8)
    }
}
