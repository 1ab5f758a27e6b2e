import CPseudowireMNL

/// A group of optional properties that are attributes of one nest, written and read by one table.
protocol AttributeSettings {
    init()
    static var fields: [SettingField<Self>] { get }
}

/// One row of the table: the attribute's type, and the property with its form on the wire.
enum SettingField<Settings> {
    /// One byte, 0 or 1.
    case flag(Int, WritableKeyPath<Settings, Bool?>)
    /// Four bytes, 0 or 1.
    case wideFlag(Int, WritableKeyPath<Settings, Bool?>)
    case byte(Int, WritableKeyPath<Settings, UInt8?>)
    case short(Int, WritableKeyPath<Settings, UInt16?>)
    /// Two bytes in network order.
    case networkShort(Int, WritableKeyPath<Settings, UInt16?>)
    case long(Int, WritableKeyPath<Settings, UInt32?>)

    func write(_ settings: Settings, to request: inout Request) {
        switch self {
        case .flag(let type, let path):
            if let value = settings[keyPath: path] { request.attribute(type, UInt8(value ? 1 : 0)) }
        case .wideFlag(let type, let path):
            if let value = settings[keyPath: path] { request.attribute(type, UInt32(value ? 1 : 0)) }
        case .byte(let type, let path):
            if let value = settings[keyPath: path] { request.attribute(type, value) }
        case .short(let type, let path):
            if let value = settings[keyPath: path] { request.attribute(type, value) }
        case .networkShort(let type, let path):
            if let value = settings[keyPath: path] { request.attribute(type, value.bigEndian) }
        case .long(let type, let path):
            if let value = settings[keyPath: path] { request.attribute(type, value) }
        }
    }

    /// Takes an attribute if it is this row's; one of another size than ours is passed over.
    func read(_ attribute: borrowing Attribute, into settings: inout Settings) {
        let bytes = attribute.payload
        switch self {
        case .flag(attribute.type, let path): settings[keyPath: path] = bytes.whole(UInt8.self).map { $0 != 0 }
        case .wideFlag(attribute.type, let path): settings[keyPath: path] = bytes.whole(UInt32.self).map { $0 != 0 }
        case .byte(attribute.type, let path): settings[keyPath: path] = bytes.whole()
        case .short(attribute.type, let path): settings[keyPath: path] = bytes.whole()
        case .networkShort(attribute.type, let path):
            settings[keyPath: path] = bytes.whole(UInt16.self).map(UInt16.init(bigEndian:))
        case .long(attribute.type, let path): settings[keyPath: path] = bytes.whole()
        default: break
        }
    }
}

extension RawSpan {
    /// The integer that fills these bytes exactly.
    fileprivate func whole<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) -> T? {
        byteCount == MemoryLayout<T>.size ? integer(at: 0) : nil
    }
}

extension AttributeSettings {
    /// Reads what a link says about itself, as of `Link.kindData`; attributes without a property are passed over.
    init(_ data: [UInt8]) {
        let span = data.span
        self.init(span.bytes)
    }

    init(_ data: RawSpan) {
        self.init()
        var cursor = AttributeCursor(data)
        while let attribute = cursor.next() {
            for field in Self.fields { field.read(attribute, into: &self) }
        }
    }

    func write(to request: inout Request) {
        for field in Self.fields { field.write(self, to: &request) }
    }
}
