import CPseudowireMNL
import Glibc
import InternetAddress

/// `NLM_F_DUMP`, which is composed of two others and not imported.
let NLM_F_DUMP_FLAGS = NLM_F_ROOT | NLM_F_MATCH

/// `NLM_F_CREATE` with its two companions.
let createNew = NLM_F_CREATE | NLM_F_EXCL
let createOrReplace = NLM_F_CREATE | NLM_F_REPLACE

/// The attributes of routes, `enum rtattr_type_t`, which the importer wraps in a struct.
enum RouteAttribute {
    static let destination = 1
    static let source = 2
    static let outputInterface = 4
    static let gateway = 5
    static let priority = 6
    static let preferredSource = 7
    static let metrics = 8
    static let multipath = 9
    static let table = 15
    static let mark = 16
    static let via = 18
    static let userID = 25
    static let nextHopID = 30
}

extension IPAddress.Family {
    /// `AF_INET` or `AF_INET6`.
    var socketFamily: UInt8 { self == .v4 ? UInt8(AF_INET) : UInt8(AF_INET6) }

    init?(socketFamily: UInt8) {
        switch Int32(socketFamily) {
        case AF_INET: self = .v4
        case AF_INET6: self = .v6
        default: return nil
        }
    }

    /// The address of all zeros, which no attribute carries.
    var unspecified: IPAddress { self == .v4 ? "0.0.0.0" : "::" }
}
