import CPseudowireMNL

/// What the kernel accepts as an attribute, as its refusal states it (`NLMSGERR_ATTR_POLICY`, Linux 5.8).
///
/// ```swift
/// print(error.policy?.description ?? "no policy")   // a text of at most 15 bytes
/// ```
public struct AttributePolicy: Hashable, Sendable, CustomStringConvertible {
    /// `enum netlink_attribute_type` of `linux/netlink.h`: 3 for a u16, 11 and 12 for texts.
    public var type: UInt32 = 0
    /// Bounds of a signed integer.
    public var signedRange: ClosedRange<Int64>?
    /// Bounds of an unsigned integer.
    public var unsignedRange: ClosedRange<UInt64>?
    /// The least length of a text or a blob in bytes; nil where the kernel states none.
    public var minLength: UInt32?
    /// The greatest length of a text or a blob in bytes; nil where the kernel states none.
    public var maxLength: UInt32?
    /// The bits that may be set.
    public var mask: UInt64?

    public var description: String {
        let names: [UInt32: String] = [
            1: "a flag", 2: "a u8", 3: "a u16", 4: "a u32", 5: "a u64", 6: "an s8", 7: "an s16", 8: "an s32",
            9: "an s64", 10: "bytes", 11: "a text", 12: "a text with a NUL", 13: "a nest", 14: "an array of nests",
            15: "a bit field", 16: "a signed integer", 17: "an unsigned integer",
        ]
        var text = names[type] ?? "of type \(type)"
        if let range = signedRange { text += " from \(range.lowerBound) to \(range.upperBound)" }
        if let range = unsignedRange { text += " from \(range.lowerBound) to \(range.upperBound)" }
        switch (minLength, maxLength) {
        case (let low?, let high?): text += " of \(low) to \(high) bytes"
        case (let low?, nil): text += " of at least \(low) bytes"
        case (nil, let high?): text += " of at most \(high) bytes"
        case (nil, nil): break
        }
        if let mask { text += " within mask 0x\(String(mask, radix: 16))" }
        return text
    }
}

extension AttributePolicy {
    /// Reads the nest; what it lacks, or has in another shape, is left out.
    init(_ nest: borrowing Attribute) {
        var signed: (Int64?, Int64?)
        var unsigned: (UInt64?, UInt64?)
        var cursor = nest.attributes
        while let attribute = cursor.next() {
            let payload = attribute.payload
            switch attribute.type {
            case Int(NL_POLICY_TYPE_ATTR_TYPE.rawValue): type = payload.integer(at: 0) ?? 0
            case Int(NL_POLICY_TYPE_ATTR_MIN_VALUE_S.rawValue): signed.0 = payload.integer(at: 0)
            case Int(NL_POLICY_TYPE_ATTR_MAX_VALUE_S.rawValue): signed.1 = payload.integer(at: 0)
            case Int(NL_POLICY_TYPE_ATTR_MIN_VALUE_U.rawValue): unsigned.0 = payload.integer(at: 0)
            case Int(NL_POLICY_TYPE_ATTR_MAX_VALUE_U.rawValue): unsigned.1 = payload.integer(at: 0)
            case Int(NL_POLICY_TYPE_ATTR_MIN_LENGTH.rawValue): minLength = payload.integer(at: 0)
            case Int(NL_POLICY_TYPE_ATTR_MAX_LENGTH.rawValue): maxLength = payload.integer(at: 0)
            case Int(NL_POLICY_TYPE_ATTR_MASK.rawValue): mask = payload.integer(at: 0)
            default: continue
            }
        }
        // A range from the wire is a range only when it is one: ClosedRange traps otherwise.
        if let low = signed.0, let high = signed.1, low <= high { signedRange = low...high }
        if let low = unsigned.0, let high = unsigned.1, low <= high { unsignedRange = low...high }
    }
}
