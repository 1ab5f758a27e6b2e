import Foundation
import InternetAddress
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    /// Whether an object is there already, or not there, is said in many ways by the kernel and in one by us.
    @Suite struct PresenceTests {
        struct Object: Sendable, CustomTestStringConvertible {
            var testDescription: String
            /// Whether the kernel minds that it is there already.
            var isUnique = true
            var add: @Sendable (Place) throws(NetlinkError) -> Void
            var delete: @Sendable (Place) throws(NetlinkError) -> Void
        }

        /// Where objects are put.
        struct Place {
            var client: RouteClient
            /// `left` of a `Cable`, up, port of a bridge that has a clsact, or an index that nobody has.
            var link: LinkIndex
            /// A VXLAN, or an index that nobody has.
            var tunnel: LinkIndex
            var program: Int32

            var hook: TrafficHook { TrafficHook(link: link, direction: .ingress) }
        }

        static let nobody = LinkIndex(rawValue: 9999)
        static let families: [(own: IPPrefix, network: IPPrefix, host: IPAddress)] = [
            ("10.0.0.1/24", "198.51.100.0/24", "10.0.0.9"), ("fd00::1/64", "2001:db8:1::/48", "fd00::9"),
        ]

        /// Objects that live on a link.
        static let onLinks: [Object] =
            [
                Object(testDescription: "alternative name") { place throws(NetlinkError) in
                    try place.client.links.addAlternativeName("other", to: place.link)
                } delete: { place throws(NetlinkError) in
                    try place.client.links.deleteAlternativeName("other", from: place.link)
                },
                Object(testDescription: "bridge's forwarding entry") { place throws(NetlinkError) in
                    try place.client.neighbors.addForwarding(ForwardingEntry("02:00:00:00:00:99", port: place.link))
                } delete: { place throws(NetlinkError) in
                    try place.client.neighbors.deleteForwarding(ForwardingEntry("02:00:00:00:00:99", port: place.link))
                },
                Object(testDescription: "tunnel's forwarding entry") { place throws(NetlinkError) in
                    try place.client.neighbors.addForwarding(far(place))
                } delete: { place throws(NetlinkError) in
                    try place.client.neighbors.deleteForwarding(far(place))
                },
                Object(testDescription: "BPF filter") { place throws(NetlinkError) in
                    try place.client.filters.add(filter(place), at: place.hook)
                } delete: { place throws(NetlinkError) in
                    try place.client.filters.delete(priority: 7, handle: 3, at: place.hook)
                },
                Object(testDescription: "BPF filter of a chain") { place throws(NetlinkError) in
                    try place.client.filters.add(filter(place, chain: 5), at: place.hook)
                } delete: { place throws(NetlinkError) in
                    try place.client.filters.delete(priority: 7, handle: 3, chain: 5, at: place.hook)
                },
                Object(testDescription: "filters of a priority", isUnique: false) { place throws(NetlinkError) in
                    try place.client.filters.replace(filter(place), at: place.hook)
                } delete: { place throws(NetlinkError) in
                    try place.client.filters.deleteAll(priority: 7, at: place.hook)
                },
                Object(testDescription: "next hop") { place throws(NetlinkError) in
                    try place.client.nextHops.add(NextHopObject(7, .v4, link: place.link))
                } delete: { place throws(NetlinkError) in
                    try place.client.nextHops.delete(7)
                },
            ]
            + families.flatMap { family in
                [
                    Object(testDescription: "address \(family.own)") { place throws(NetlinkError) in
                        try place.client.addresses.add(family.own, to: place.link, flags: .noDuplicateDetection)
                    } delete: { place throws(NetlinkError) in
                        try place.client.addresses.delete(family.own, from: place.link)
                    },
                    Object(testDescription: "route \(family.network)") { place throws(NetlinkError) in
                        try place.client.routes.add(Route(to: family.network, link: place.link))
                    } delete: { place throws(NetlinkError) in
                        try place.client.routes.delete(Route(to: family.network, link: place.link))
                    },
                    Object(testDescription: "neighbour proxy \(family.host)", isUnique: false) {
                        place throws(NetlinkError) in
                        try place.client.neighbors.addProxy(family.host, on: place.link)
                    } delete: { place throws(NetlinkError) in
                        try place.client.neighbors.deleteProxy(family.host, on: place.link)
                    },
                ]
            }

        /// Objects of a namespace.
        static let elsewhere: [Object] =
            [
                Object(testDescription: "link") { place throws(NetlinkError) in
                    var spec = LinkSpecification.bridge("br7")
                    spec.index = LinkIndex(rawValue: 700)
                    try place.client.links.create(spec)
                } delete: { place throws(NetlinkError) in
                    try place.client.links.delete(LinkIndex(rawValue: 700))
                }
            ]
            + IPAddress.Family.allCases.map { family in
                Object(testDescription: "rule of \(family)") { place throws(NetlinkError) in
                    try place.client.rules.add(Rule(family, mark: 5, table: 77, priority: 100))
                } delete: { place throws(NetlinkError) in
                    try place.client.rules.delete(Rule(family, mark: 5, table: 77, priority: 100))
                }
            }

        static func far(_ place: Place) -> ForwardingEntry {
            ForwardingEntry(
                "02:00:00:00:00:98", port: place.tunnel, in: .own, state: .permanent, remote: "192.0.2.9")
        }

        static func filter(_ place: Place, chain: UInt32 = 0) -> BPFFilter {
            BPFFilter(program: place.program, name: "x", priority: 7, handle: 3, chain: chain)
        }

        @Test(arguments: onLinks + elsewhere)
        func `says that it is there already, and that it is not`(_ object: Object) throws {
            let cable = try Cable()
            let client = cable.client
            let bridge = try client.links.create(.bridge("br0"))
            try client.links.update(cable.left.index, LinkUpdate(master: bridge.index))
            _ = try client.qdiscs.ensureClsact(on: cable.left.index)
            let tunnel = try client.links.create(.vxlan("vx0", id: 42, local: "192.0.2.1"))
            let program = try loadClassifier()
            defer { close(program) }
            let place = Place(client: client, link: cable.left.index, tunnel: tunnel.index, program: program)

            let never = try failure { () throws(NetlinkError) in try object.delete(place) }
            #expect(never.isNotFound, "never there: \(never)")
            try object.add(place)
            if object.isUnique {
                let again = try failure { () throws(NetlinkError) in try object.add(place) }
                #expect(again.isAlreadyPresent, "there already: \(again)")
                #expect(!again.isNotFound, "there already: \(again)")
            }
            try object.delete(place)
            let gone = try failure { () throws(NetlinkError) in try object.delete(place) }
            #expect(gone.isNotFound, "deleted: \(gone)")
            #expect(!gone.isAlreadyPresent, "deleted: \(gone)")
        }

        @Test(arguments: onLinks)
        func `says that its link is not there`(_ object: Object) throws {
            let program = try loadClassifier()
            defer { close(program) }
            let place = Place(
                client: try RouteClient(in: .anonymous()), link: Self.nobody, tunnel: Self.nobody, program: program)
            let add = try failure { () throws(NetlinkError) in try object.add(place) }
            #expect(add.isNotFound, "\(add)")
            #expect(!add.isAlreadyPresent, "\(add)")
            let delete = try failure { () throws(NetlinkError) in try object.delete(place) }
            #expect(delete.isNotFound, "\(delete)")
        }

        @Test func `leaves an alternative name to the link that has it`() throws {
            let cable = try Cable()
            let links = cable.client.links
            try links.addAlternativeName("other", to: cable.right.index)
            let error = try failure { () throws(NetlinkError) in
                try links.deleteAlternativeName("other", from: cable.left.index)
            }
            #expect(error.errno == .invalidArgument)
            #expect(!error.isNotFound)
            let first = try failure { () throws(NetlinkError) in
                try links.deleteAlternativeName("left", from: cable.left.index)
            }
            #expect(first.errno == .invalidArgument)
            let taken = try failure { () throws(NetlinkError) in
                try links.addAlternativeName("other", to: cable.left.index)
            }
            #expect(taken.isAlreadyPresent)
            #expect(try links.find(named: "other")?.index == cable.right.index)
            #expect(try links.find(named: "left")?.index == cable.left.index)
        }

        @Test func `says that a namespace has a number already, and that a name is taken or gone`() throws {
            let client = try RouteClient(in: .anonymous())
            let one = try NetworkNamespace.anonymous()
            let two = try NetworkNamespace.anonymous()
            let id = try client.namespaces.assign(to: one)
            for attempt in [nil, NamespaceID(rawValue: id.rawValue + 1)] {
                let again = try failure { () throws(NetlinkError) in
                    try client.namespaces.assign(attempt, to: one)
                }
                #expect(again.isAlreadyPresent && !again.isNotFound, "\(again)")
            }
            let taken = try failure { () throws(NetlinkError) in try client.namespaces.assign(id, to: two) }
            #expect(taken.isAlreadyPresent, "\(taken)")
        }
    }
}
