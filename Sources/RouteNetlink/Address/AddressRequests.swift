import CPseudowireMNL
import Glibc
import InternetAddress

/// The requests about addresses, as bytes.
enum AddressRequest {
    static func change(
        _ type: Int, _ requestFlags: Int32, _ prefix: IPPrefix, _ link: LinkIndex, flags: AddressFlags,
        peer: IPAddress?, scope: Scope
    ) -> Request {
        var request = Request(type, flags: requestFlags)
        let isWide = flags.rawValue > 0xff
        request.addressHeader(
            prefix.address.family.socketFamily, prefix.length, flags: isWide ? 0 : UInt8(flags.rawValue), scope, link)
        if isWide { request.attribute(IFA_FLAGS, flags.rawValue) }
        request.attribute(IFA_LOCAL, prefix.address)
        request.attribute(IFA_ADDRESS, peer ?? prefix.address)
        if let peer, peer.family != prefix.address.family {
            request.refuse(.invalid("the peer is of another family than the address"))
        }
        return request
    }

    static func list(on link: LinkIndex?) -> Request {
        var request = Request(Int(RTM_GETADDR), flags: NLM_F_DUMP_FLAGS)
        request.addressHeader(UInt8(AF_UNSPEC), 0, flags: 0, .universe, link)
        return request
    }
}

extension Request {
    /// Appends `struct ifaddrmsg`.
    fileprivate mutating func addressHeader(
        _ family: UInt8, _ length: UInt8, flags: UInt8, _ scope: Scope, _ link: LinkIndex?
    ) {
        header {
            $0.append(family)
            $0.append(length)
            $0.append(flags)
            $0.append(scope.rawValue)
            $0.append(link?.header ?? 0)
        }
    }
}
