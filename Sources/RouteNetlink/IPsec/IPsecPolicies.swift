import CPseudowireMNL
import Glibc
import SystemPackage

/// The IPsec policies of a client's namespace, to read.
///
/// ```swift
/// let forbidding = try client.ipsecPolicies.list().filter(\.forbidsPlainPackets)
/// ```
///
/// Needs `CAP_NET_ADMIN`. A kernel without IPsec has no policy.
public struct IPsecPolicies {
    let client: RouteClient

    /// All policies, in the kernel's order, which is not that of their priorities.
    public func list() throws(NetlinkError) -> [IPsecPolicy] {
        guard let socket = try client.ipsecSocket() else { return [] }
        return try socket.dump(IPsecRequest.list(), .policy, "list IPsec policies") {
            message throws(MalformedMessage) in try IPsecPolicy(message)
        }
    }

    /// What becomes of packets that no policy fits: they pass, also before Linux 5.16, unless somebody said otherwise.
    public func defaults() throws(NetlinkError) -> IPsecDefaults {
        var defaults = IPsecDefaults()
        guard let socket = try client.ipsecSocket() else { return defaults }
        do throws(NetlinkError) {
            try socket.perform(IPsecRequest.defaults(), .policy, "read the defaults of IPsec policies") {
                message throws(MalformedMessage) in defaults = try IPsecDefaults(message) ?? defaults
            }
        } catch  where error.errno == .invalidArgument {
            // A kernel that does not know the message.
        }
        return defaults
    }
}

extension RouteClient {
    /// The IPsec policies of the namespace.
    public var ipsecPolicies: IPsecPolicies { IPsecPolicies(client: self) }

    /// The socket for IPsec policies, opened when first needed; nil if the kernel has no IPsec.
    func ipsecSocket() throws(NetlinkError) -> NetlinkSocket? {
        if let ipsec { return ipsec }
        guard script == nil else {
            throw NetlinkError(.notSupported, "open an xfrm socket", message: "IPsec policies cannot be scripted")
        }
        do throws(NetlinkError) {
            ipsec = try NetlinkSocket(NETLINK_XFRM, in: namespace)
        } catch  where error.errno == .protocolNotSupported {
            return nil
        }
        return ipsec
    }
}
