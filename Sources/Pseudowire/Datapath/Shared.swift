/// A value that lies in memory once, however many copies there are of what holds it; written to, it becomes its own.
@propertyWrapper
struct Shared<Value: Sendable>: Sendable {
    private final class Storage: @unchecked Sendable {
        // Written only while one reference to it exists.
        var value: Value
        init(_ value: Value) { self.value = value }
    }

    private var storage: Storage

    init(wrappedValue: Value) { storage = Storage(wrappedValue) }

    var wrappedValue: Value {
        _read { yield storage.value }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.value) }
            yield &storage.value
        }
    }
}
