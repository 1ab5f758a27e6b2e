/// BTF: what the types of a BPF object or map look like, as its compiler said.
///
/// Every read is checked against the bytes that there are: malformed input is an error, never a trap, and no input
/// makes it loop. Source: `Documentation/bpf/btf.rst`.
public struct TypeInformation: Sendable {
    /// What is wrong with it.
    public struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        /// What and where, in one line, no full stop.
        public let description: String
        /// Where, in octets from the beginning.
        public let offset: Int

        init(_ description: String, at offset: Int) {
            self.description = "type information, octet \(offset): \(description)"
            self.offset = offset
        }
    }

    /// As they were given.
    public let bytes: [UInt8]
    /// Where each type begins; type 0 is `void` and has no place.
    private let places: [Int]
    private let strings: Range<Int>

    /// How many types there are, `void` not among them.
    public var count: Int { places.count - 1 }

    /// Reads the header and finds the types.
    ///
    /// Only of this machine's byte order.
    public init(_ bytes: [UInt8]) throws(Malformed) {
        let reader = Reader(bytes: bytes)
        guard try reader.word16(at: 0) == 0xeb9f else { throw Malformed("not BTF of this machine's byte order", at: 0) }
        guard try reader.octet(at: 2) == 1 else { throw Malformed("another version than 1", at: 2) }
        let headerLength = try reader.count(at: 4)
        guard headerLength >= 24 else { throw Malformed("a header of \(headerLength) octets", at: 4) }
        let types = try reader.section(at: 8, after: headerLength)
        let strings = try reader.section(at: 16, after: headerLength)
        guard !strings.isEmpty, bytes[strings.upperBound - 1] == 0 else {
            throw Malformed("strings without an end", at: strings.upperBound)
        }
        var places = [-1]
        var position = types.lowerBound
        while position < types.upperBound {
            guard types.upperBound - position >= 12 else { throw Malformed("half a type", at: position) }
            let length = try reader.lengthOfType(at: position)
            guard length <= types.upperBound - position else {
                throw Malformed("a type beyond the end of types", at: position)
            }
            places.append(position)
            position += length
        }
        self.bytes = bytes
        self.places = places
        self.strings = strings
    }

    /// The first structure or union of this name, by its number.
    public func structure(named name: String) throws(Malformed) -> Int? {
        for id in places.indices.dropFirst() {
            let type = try type(id)
            if type.kind == .structure || type.kind == .union, try text(type.nameOffset, at: type.place) == name {
                return id
            }
        }
        return nil
    }

    struct Entry {
        let place: Int
        let nameOffset: Int
        let kind: Kind?
        let hasBitFields: Bool
        let memberCount: Int
        /// A size to some kinds, another type's number to others.
        let sizeOrType: Int
    }

    func type(_ id: Int) throws(Malformed) -> Entry {
        guard id > 0, id < places.count else { throw Malformed("no type \(id)", at: 0) }
        let reader = Reader(bytes: bytes)
        let place = places[id]
        let info = try reader.count(at: place + 4)
        return Entry(
            place: place, nameOffset: try reader.count(at: place), kind: Kind(rawValue: info >> 24 & 0x1f),
            hasBitFields: info >> 31 == 1, memberCount: info & 0xffff, sizeOrType: try reader.count(at: place + 8))
    }

    func word(at offset: Int) throws(Malformed) -> Int {
        try Reader(bytes: bytes).count(at: offset)
    }

    /// A name; `place` is that of whatever refers to it.
    func text(_ offset: Int, at place: Int) throws(Malformed) -> String {
        guard offset < strings.count else { throw Malformed("a name beyond the strings", at: place) }
        let rest = bytes[(strings.lowerBound + offset)..<strings.upperBound]
        return String(decoding: rest.prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension TypeInformation {
    /// The corresponding C constants are `BTF_KIND_*`.
    enum Kind: Int {
        case integer = 1
        case pointer, array, structure, union, enumeration, forward, typedef, volatile, const, restrict
        case function, prototype, variable, dataSection, float, declarationTag, typeTag, enumeration64
    }

    private struct Reader {
        let bytes: [UInt8]

        func octet(at offset: Int) throws(Malformed) -> UInt8 {
            guard offset >= 0, offset < bytes.count else { throw Malformed("the end", at: bytes.count) }
            return bytes[offset]
        }

        func word16(at offset: Int) throws(Malformed) -> UInt16 {
            guard offset >= 0, offset <= bytes.count - 2 else { throw Malformed("the end", at: bytes.count) }
            return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }
        }

        func count(at offset: Int) throws(Malformed) -> Int {
            guard offset >= 0, offset <= bytes.count - 4 else { throw Malformed("the end", at: bytes.count) }
            return Int(bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) })
        }

        /// A part of the file whose offset from the header's end and whose length lie at `offset`.
        func section(at offset: Int, after header: Int) throws(Malformed) -> Range<Int> {
            // Three numbers of 32 bits: their sum does not overflow.
            let begin = header + (try count(at: offset))
            let end = begin + (try count(at: offset + 4))
            guard end <= bytes.count else { throw Malformed("a section that ends at octet \(end)", at: offset) }
            return begin..<end
        }

        /// Octets of a type with what follows it.
        func lengthOfType(at place: Int) throws(Malformed) -> Int {
            let info = try count(at: place + 4)
            let members = info & 0xffff
            guard let kind = Kind(rawValue: info >> 24 & 0x1f) else {
                throw Malformed("a type of kind \(info >> 24 & 0x1f)", at: place)
            }
            return switch kind {
            case .pointer, .forward, .typedef, .volatile, .const, .restrict, .function, .float, .typeTag: 12
            case .integer, .variable, .declarationTag: 16
            case .array: 24
            case .structure, .union, .dataSection, .enumeration64: 12 + 12 * members
            case .enumeration, .prototype: 12 + 8 * members
            }
        }
    }
}
