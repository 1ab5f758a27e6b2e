public import RouteNetlink
import SystemPackage

/// A kernel that answers by a script, for tests of code that takes a `RouteClient` or a `RouteMonitor`.
///
/// ```swift
/// let kernel = ScriptedKernel()
/// kernel.expect(.getLink, answering: .objects([.link(2, name: "eth0")]))
/// kernel.expect(.newRoute, where: { $0.attribute(1)?.bytes == [198, 51, 100, 0] }, answering: .refusal(.fileExists))
/// try setUpRoutes(kernel.makeClient())
/// #expect(kernel.problems == [])
/// ```
///
/// It needs no privilege and changes nothing. Requests must come in the order of the script; one that does not is
/// refused with `EPROTO` and is a problem, as is what was expected and never came. Works with every test library. One
/// thread at a time, like what it makes. Offloads are no part of the script: links have the `features`, `xdpFeatures`
/// and `drivers` that you give them. Links that are born in another namespace go over sockets of their own, which no
/// script replaces: they are refused with `ENOTSUP`.
public final class ScriptedKernel {
    private struct Expectation {
        let type: MessageType
        let matches: (RecordedRequest) -> Bool
        let answer: Answer
    }

    private var script: [Expectation] = []
    private var faults: [String] = []
    private var monitors: [ScriptedTransport] = []

    /// The features of interfaces, which `Links.setOffloads` and `setFeatures` change as a driver would: those that are
    /// `changeable` obey, the others do not, and a request with one that is `fixed` is refused (`EINVAL`).
    ///
    /// An interface that is not here has none (`ENODEV`).
    public var features: [LinkIndex: LinkFeatures] = [:]

    /// What drivers can do for XDP programs; nil is a kernel that does not say, before Linux 6.3.
    ///
    /// An interface that is not here does not exist (`ENODEV`).
    public var xdpFeatures: [LinkIndex: XDPFeatures]?

    /// What drivers are called, by their interfaces' names.
    public var drivers: [String: String] = [:]

    /// What was asked, in order.
    public private(set) var requests: [RecordedRequest] = []

    /// A kernel without a script: whatever is asked is a problem.
    public init() {}

    /// The next request shall be of this type and fit `matches`; gets `answer`.
    public func expect(
        _ type: MessageType, where matches: @escaping (RecordedRequest) -> Bool = { _ in true },
        answering answer: Answer = .acknowledgement
    ) {
        script.append(Expectation(type: type, matches: matches, answer: answer))
    }

    /// What went otherwise than scripted, up to now: empty when all is well.
    public var problems: [String] { faults + script.map { "\($0.type): expected, but never asked for" } }

    /// A client whose requests this kernel answers.
    public func makeClient() throws(NetlinkError) -> RouteClient {
        try RouteClient(to: self)
    }

    /// A monitor that tells what is announced from now on.
    ///
    /// With `includingPresent` its lists are asked for as by a client, and need expectations.
    public func makeMonitor(
        _ topics: RouteMonitor.Topics = .all, includingPresent: Bool = false
    ) throws(NetlinkError) -> RouteMonitor {
        let transport = ScriptedTransport { _ in [] }
        monitors.append(transport)
        return RouteMonitor(over: transport, includingPresent: includingPresent ? try makeClient() : nil, topics)
    }

    /// Tells the monitors of events, in one datagram.
    public func announce(_ events: KernelMessage...) {
        let datagram = events.flatMap { $0.bytes(sequence: 0, portID: 0) }
        for monitor in monitors { monitor.push([.datagram(datagram)]) }
    }

    /// The monitors' buffers overflow: what is announced before they next read is lost too.
    public func announceOverflow() {
        for monitor in monitors { monitor.push([.failed(.noBufferSpace)]) }
    }

    private func makeTransport() -> ScriptedTransport {
        let transport = ScriptedTransport { _ in [] }
        let portID = transport.portID
        transport.drivers = { [self] in drivers }
        transport.answer = { [self] requests in
            requests.flatMap { request in answer(request).datagrams.compactMap { $0.step(to: request, portID) } }
        }
        return transport
    }

    private func answer(_ request: RecordedRequest) -> Answer {
        requests.append(request)
        guard let expectation = script.first else {
            return problem("\(request.type): asked for after the script's end")
        }
        guard expectation.type == request.type else {
            return problem("\(request.type): asked for where \(expectation.type) was expected")
        }
        script.removeFirst()
        guard expectation.matches(request) else {
            return problem("\(request.type): asked for otherwise than expected, in \(request.attributes)")
        }
        return expectation.answer
    }

    private func problem(_ text: String) -> Answer {
        faults.append(text)
        return .refusal(Errno(rawValue: 71), "not in the script")
    }
}

extension ScriptedKernel: NetlinkScript {
    package func makeRouteTransport() -> any NetlinkTransport { makeTransport() }

    package func makeGenericTransport() -> any NetlinkTransport {
        let transport = ScriptedTransport { _ in [] }
        let portID = transport.portID
        transport.answer = { [self] requests in
            requests.flatMap {
                ScriptedNetDevice.answer($0, portID, xdpFeatures) ?? ScriptedEthtool.answer($0, portID, &features)
            }
        }
        return transport
    }
}

extension Answer.Datagram {
    /// Nil for the end of what asked for no acknowledgement: the kernel says nothing then, but when it refuses.
    fileprivate func step(to request: RecordedRequest, _ portID: UInt32) -> ScriptedTransport.Step? {
        // NLM_F_MULTI
        let flags: UInt16 = request.isDump ? 2 : 0
        func join(_ messages: [KernelMessage], _ sequence: UInt32) -> [UInt8] {
            messages.flatMap { $0.bytes(sequence: sequence, portID: portID, addingFlags: flags) }
        }
        switch self {
        case .messages(let messages): return .datagram(join(messages, request.sequence))
        case .stranger(let messages): return .stranger(join(messages, request.sequence))
        case .echo(let messages): return .datagram(join(messages, request.sequence &+ 0x4000_0000))
        case .truncated(let messages): return .truncated(join(messages, request.sequence), length: 1 << 17)
        case .failure(let errno): return .failed(errno)
        case .end where request.isDump:
            return .datagram(join([KernelMessage(MessageType(rawValue: 3), payload: [0, 0, 0, 0])], request.sequence))
        case .end where !request.wantsAcknowledgement: return nil
        case .end(let warning): return .datagram(request.acknowledgement(0, warning, path: [], portID))
        case .refusal(let errno, let text, let path):
            return .datagram(request.acknowledgement(errno.rawValue, text, path: path, portID))
        }
    }
}

extension RecordedRequest {
    /// `NLMSG_ERROR`, capped, with its extended acknowledgement.
    func acknowledgement(_ errno: Int32, _ text: String?, path: [Int], _ portID: UInt32) -> [UInt8] {
        var header: [UInt8] = []
        header.append(native: -errno)
        header += bytes.prefix(16)
        var attributes: [(type: Int, bytes: [UInt8])] = []
        if let text { attributes.append((1, Array(text.utf8) + [0])) }
        var found: Attribute?
        var level = self.attributes
        for type in path {
            found = level.first { $0.type == type } ?? found
            level = found?.attributes ?? []
        }
        if let found { attributes.append((2, withUnsafeBytes(of: UInt32(found.offset)) { Array($0) })) }
        var message = KernelMessage(MessageType(rawValue: 2), header: header, attributes: attributes)
        // NLM_F_CAPPED, NLM_F_ACK_TLVS
        message.flags = attributes.isEmpty ? 0x100 : 0x300
        return message.bytes(sequence: sequence, portID: portID)
    }
}
