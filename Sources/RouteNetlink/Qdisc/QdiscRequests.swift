import CPseudowireMNL

/// The requests about queueing disciplines, as bytes.
enum QdiscRequest {
    static func change(_ type: Int, _ flags: Int32, _ qdisc: Qdisc) -> Request {
        var request = Request(type, flags: flags)
        request.trafficHeader(qdisc.link, handle: qdisc.handle, parent: qdisc.parent)
        request.attribute(TCA_KIND, qdisc.kind)
        // Not marked as a nest: of some kinds they are a struct.
        if let options = qdisc.options { request.attribute(TCA_OPTIONS, bytes: options) }
        return request
    }

    static func clsact(_ type: Int, _ flags: Int32, _ link: LinkIndex) -> Request {
        change(
            type, flags,
            Qdisc(kind: "clsact", handle: Qdisc.clsactHandle, parent: Qdisc.clsactParent, link: link))
    }

    /// Asks what hangs at clsact's place.
    ///
    /// Without the echo the kernel does not answer at all.
    static func atClsactPlace(_ link: LinkIndex) -> Request {
        var request = Request(Int(RTM_GETQDISC), flags: NLM_F_ECHO)
        request.trafficHeader(link, parent: Qdisc.clsactParent)
        return request
    }

    static func list(_ link: LinkIndex?) -> Request {
        var request = Request(Int(RTM_GETQDISC), flags: NLM_F_DUMP_FLAGS)
        request.trafficHeader(link)
        return request
    }
}

extension Request {
    /// Appends `struct tcmsg`.
    mutating func trafficHeader(_ link: LinkIndex?, handle: UInt32 = 0, parent: UInt32 = 0, info: UInt32 = 0) {
        header {
            $0.append(UInt32(0))
            $0.append(link?.header ?? 0)
            $0.append(handle)
            $0.append(parent)
            $0.append(info)
        }
    }
}
