internal import Pseudowire
internal import PseudowireTestbed
internal import RouteNetlink
internal import SystemPackage

/// Why a cell of the demo came to no result.
enum DemoFailure: Error, CustomStringConvertible {
    case testbed(TestbedError)
    case pseudowire(PseudowireError)
    /// The first was the failure, the second came while taking down what there was.
    indirect case also(DemoFailure, PseudowireError)
    case interrupted

    /// What happened and what can be done about it.
    var description: String {
        switch self {
        case .testbed(let error):
            switch error {
            case .netlink(let error): Self.describe("\(error)", error.errno)
            case .system(_, let code): Self.describe("\(error)", code)
            case .refused: "\(error)"
            }
        case .pseudowire(let error):
            switch error {
            case .netlink(let inner): Self.describe("\(error)", inner.errno)
            case .system(_, let code): Self.describe("\(error)", code)
            default: "\(error)"
            }
        case .also(let first, let second):
            "\(first)\nand taking it down failed: \(second); 'pwctl teardown' finishes it"
        case .interrupted: "interrupted"
        }
    }

    var isInterruption: Bool {
        switch self {
        case .interrupted: true
        case .also(let first, _): first.isInterruption
        default: false
        }
    }

    /// Nothing can work, so there is no use in trying the next case.
    var isLackOfPrivilege: Bool {
        switch self {
        case .testbed(.netlink(let error)), .pseudowire(.netlink(let error)): error.errno == .notPermitted
        case .testbed(.system(_, let code)), .pseudowire(.system(_, let code)): code == .notPermitted
        default: false
        }
    }

    private static func describe(_ text: String, _ code: Errno) -> String {
        switch code {
        case .notPermitted, .permissionDenied: "\(text); run it as root"
        case .notSupportedOnSocket, .notSupported: "\(text); this kernel lacks veth or namespaces, try 'modprobe veth'"
        case .timedOut, .noRouteToHost: "\(text); nothing came through, 'pwctl doctor' says what this machine lacks"
        default: text
        }
    }
}

func testbed<Value: ~Copyable>(_ body: () throws(TestbedError) -> Value) throws(DemoFailure) -> Value {
    do { return try body() } catch { throw .testbed(error) }
}

func pseudowire<Value: ~Copyable>(_ body: () throws(PseudowireError) -> Value) throws(DemoFailure) -> Value {
    do { return try body() } catch { throw .pseudowire(error) }
}
