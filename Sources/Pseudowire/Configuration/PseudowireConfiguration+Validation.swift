internal import CPseudowireObject
internal import InternetAddress
internal import L2TP

extension PseudowireConfiguration {
    /// What no machine could make true, all of it; empty when there is nothing.
    public var faults: [ConfigurationFault] {
        var found: [ConfigurationFault] = []
        func fault(_ field: String, _ message: String) { found.append(ConfigurationFault(.usage, field, message)) }

        if let message = Self.faultOfName(name) { fault("NAME", message) }
        if let message = Self.faultOfInterfaceName(access) { fault(accessField, message) }
        for underlay in underlays {
            if let message = Self.faultOfInterfaceName(underlay) { fault("underlay", message) }
            if underlay == access {
                fault(
                    "underlay",
                    "\(underlay) is the \(makesInterface ? "new" : "access") interface; the underlay must be another")
            }
        }
        if underlays.count > 1, Set(underlays).count != underlays.count {
            fault("underlay", "names an interface twice")
        }
        if underlays.count > Int(PW_MAX_UNDERLAYS) {
            fault("underlay", "at most \(PW_MAX_UNDERLAYS) interfaces, not \(underlays.count)")
        }
        found += Self.faultsOfAddresses(local: tunnel.local, peer: tunnel.peer)
        if tunnel.encapsulation == .udp {
            if tunnel.localPort == 0 { fault("local-port", "0 is no port; 1 to 65535") }
            if tunnel.peerPort == 0 { fault("peer-port", "0 is no port; 1 to 65535") }
        }
        if session.expecting.count > Int(PW_MAX_COOKIES) {
            fault("expect-cookie", "at most \(PW_MAX_COOKIES) cookies at once, not \(session.expecting.count)")
        }
        if session.expecting.count > 1 {
            if Set(session.expecting).count != session.expecting.count {
                fault("expect-cookie", "names a cookie twice")
            }
            if Set(session.expecting.map(\.length)).count > 1 {
                fault("expect-cookie", "all cookies of a session have one length: 8 or 16 hexadecimal digits")
            }
        }
        if session.expecting.contains(.empty) {
            fault("expect-cookie", "is empty; leave it out if the peer sends none")
        }
        if ttl == 0 { fault("ttl", "0 would never leave this machine; 1 to 255") }
        if case .fixed(let value) = dscp, value > 63 { fault("dscp", "\(value) does not fit six bits; 0 to 63") }
        return found + faultsOfFrames + faultsOfOuterPackets
    }

    /// The option by which the access interface was named.
    var accessField: String { makesInterface ? "interface" : "access" }

    /// What a pseudowire may be called.
    static let names = "1 to \(PW_NAME_SIZE - 1) letters, digits, '-', '_' or '.'"

    static func faultOfName(_ name: String) -> String? {
        let allowed = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || byte == 0x2d || byte == 0x2e || byte == 0x5f
        }
        if name.isEmpty { return "is empty; \(names)" }
        if name.utf8.count >= Int(PW_NAME_SIZE) {
            return "\"\(name)\" has \(name.utf8.count) characters; at most \(PW_NAME_SIZE - 1)"
        }
        return allowed ? nil : "\"\(name)\" has characters other than letters, digits, '-', '_' and '.'"
    }

    static func faultOfInterfaceName(_ name: String) -> String? {
        if name.isEmpty { return "is empty; the name of an interface" }
        if name.utf8.count >= Int(PW_IFNAME_SIZE) {
            return
                "\"\(name)\" has \(name.utf8.count) characters; an interface's name has at most \(PW_IFNAME_SIZE - 1)"
        }
        if name == "." || name == ".." || name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x2f || $0 == 0x3a }) {
            return "\"\(name)\" cannot be an interface's name"
        }
        return nil
    }

    static func faultsOfAddresses(local: IPAddress, peer: IPAddress) -> [ConfigurationFault] {
        var found: [ConfigurationFault] = []
        func check(_ field: String, _ address: IPAddress) {
            let problem: String? =
                if address.isUnspecified { "stands for every address" } else if address.isMulticast {
                    "is a multicast address"
                } else if address.isBroadcast { "is the broadcast address" } else if address.isLoopback {
                    "is a loopback address and never leaves this machine"
                } else if address.isIPv4Mapped {
                    "is IPv4 in IPv6's clothes; write it as IPv4"
                } else if address.isLinkLocal && address.family == .v6 { "is link-local, which no route leads to" } else
                { nil }
            if let problem {
                found.append(ConfigurationFault(.usage, field, "\(address) \(problem); a unicast address is needed"))
            }
        }
        check("local", local)
        check("peer", peer)
        if local.family != peer.family {
            let message = "\(peer) is IPv\(peer.family.rawValue) but --local \(local) is IPv\(local.family.rawValue); "
            found.append(ConfigurationFault(.usage, "peer", message + "both must be of one family"))
        } else if local == peer {
            found.append(ConfigurationFault(.usage, "peer", "\(peer) is also --local; the peer is the other end"))
        }
        return found
    }
}
