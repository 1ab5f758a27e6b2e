internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// A compiled BPF object that has been opened but not loaded: sizes and constants can still be set.
///
/// ```swift
/// var file = try ObjectFile(image: bytes, name: "datapath")
/// try file.setMaxEntries(1024, ofMap: "sessions")
/// try file.setConstant("has_decap_l3", to: UInt32(1))
/// let object = try file.load()
/// ```
///
/// Errors: `BPFError`, with the verifier's reason where a program is rejected.
public struct ObjectFile: ~Copyable {
    let object: OpaquePointer
    private let log: UnsafeMutableBufferPointer<CChar>
    let name: String

    /// Room for the verifier's log, as much as it may ever need: an object cannot be loaded a second time with more.
    ///
    /// Its pages are only written, hence only paid for, when a program is rejected.
    private static var logCapacity: Int { VerifierLog.limit }

    /// `BTF_KIND_DATASEC`, which headers define twice.
    private static var dataSectionKind: UInt32 { 15 }

    /// Opens an ELF image in memory.
    ///
    /// The image is copied; `name` only appears in messages.
    public init(image: UnsafeRawBufferPointer, name: String) throws(BPFError) {
        let (opened, log) = try Self.open(image, name)
        self.object = opened
        self.log = log
        self.name = name
    }

    /// The same of octets that were read from somewhere.
    public init(image: [UInt8], name: String) throws(BPFError) {
        let (opened, log) = try image.withUnsafeBufferPointer { octets throws(BPFError) in
            try Self.open(UnsafeRawBufferPointer(octets), name)
        }
        self.object = opened
        self.log = log
        self.name = name
    }

    private static func open(
        _ image: UnsafeRawBufferPointer, _ name: String
    ) throws(BPFError) -> (object: OpaquePointer, log: UnsafeMutableBufferPointer<CChar>) {
        LibbpfMessages.silenced
        let log = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Self.logCapacity)
        log[0] = 0
        var options = bpf_object_open_opts()
        options.sz = MemoryLayout<bpf_object_open_opts>.size
        options.kernel_log_buf = log.baseAddress
        options.kernel_log_size = log.count
        options.kernel_log_level = 0
        let opened = name.withCString { text in
            options.object_name = text
            return bpf_object__open_mem(image.baseAddress, image.count, &options)
        }
        guard let opened else {
            let code = errno
            log.deallocate()
            throw BPFError("open object", name, Errno(rawValue: code))
        }
        return (opened, log)
    }

    deinit {
        bpf_object__close(object)
        log.deallocate()
    }

    /// Sets how many entries a map will have.
    public func setMaxEntries(_ count: UInt32, ofMap map: String) throws(BPFError) {
        try BPFError.check(bpf_map__set_max_entries(try pointer(toMap: map), count), "size map", map)
    }

    /// Sets what a map will be created with.
    ///
    /// - Parameter flags: the corresponding C constants are `BPF_F_*`.
    public func setFlags(_ flags: UInt32, ofMap map: String) throws(BPFError) {
        try BPFError.check(bpf_map__set_map_flags(try pointer(toMap: map), flags), "set flags of map", map)
    }

    /// Leaves a program out when the object is loaded: the kernel does not see it, and verifies it not.
    ///
    /// ```swift
    /// try file.leaveOut("pw_decap_l3")
    /// ```
    ///
    /// Errors: `noSuchFileOrDirectory` where there is no such program.
    public func leaveOut(_ program: String) throws(BPFError) {
        let code = bpf_program__set_autoload(try pointer(toProgram: program), false)
        try BPFError.check(code, "leave out program", program)
    }

    /// How this object declares a map.
    public func shape(ofMap map: String) throws(BPFError) -> MapShape {
        let pointer = try pointer(toMap: map)
        return MapShape(
            type: bpf_map__type(pointer).rawValue, keySize: Int(bpf_map__key_size(pointer)),
            valueSize: Int(bpf_map__value_size(pointer)), maxEntries: bpf_map__max_entries(pointer),
            flags: bpf_map__map_flags(pointer))
    }

    /// Makes a map of this object stand for one that exists already, so that programs loaded next use that one.
    public func reuse(descriptor: Int32, forMap map: String) throws(BPFError) {
        try BPFError.check(bpf_map__reuse_fd(try pointer(toMap: map), descriptor), "reuse map", map)
    }

    /// The same of a map that is lent until the call returns.
    public func reuse(_ present: borrowing RawMap, forMap map: String) throws(BPFError) {
        try reuse(descriptor: present.fileDescriptor, forMap: map)
    }

    /// Sets a `const volatile` variable of the program's read-only data.
    ///
    /// The types' sizes must agree.
    public func setConstant<Value: BitwiseCopyable>(_ variable: String, to value: Value) throws(BPFError) {
        let (offset, size) = try place(ofConstant: variable)
        guard size == MemoryLayout<Value>.size else {
            throw BPFError("set constant", variable, .invalidArgument, hint: "it has \(size) octets")
        }
        let map = try pointer(toMap: ".rodata")
        var capacity = 0
        guard let data = bpf_map__initial_value(map, &capacity), offset + size <= capacity else {
            throw BPFError("set constant", variable, .invalidArgument, hint: "the object's data is smaller")
        }
        UnsafeMutableRawPointer(mutating: data).storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }

    /// Creates the maps and has the kernel verify every program.
    ///
    /// Ownership of everything moves to the result.
    public consuming func load() throws(BPFError) -> LoadedObject {
        let result = bpf_object__load(object)
        guard result < 0 else { return LoadedObject(taking: self) }
        let code = Errno(rawValue: 0 - result)
        // What the verifier last wrote is about a program that it took, where the system had no more to give.
        let isExhausted = [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory].contains(code)
        let verifier = isExhausted ? nil : VerifierLog(written: log)
        let hint: String? =
            switch code {
            case .notPermitted where verifier == nil: "needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN"
            case .noSpace where verifier != nil: "the verifier's log has more than \(log.count >> 20) MiB"
            default: nil
            }
        throw BPFError("load object", name, code, hint: hint, verifier: verifier)
    }

    /// A map's descriptor; it stays this object's.
    ///
    /// Valid after loading.
    borrowing func descriptor(ofMap map: String) throws(BPFError) -> Int32 {
        try BPFError.check(bpf_map__fd(try pointer(toMap: map)), "find map", map)
    }

    /// A program's descriptor; it stays this object's.
    ///
    /// Valid after loading.
    borrowing func descriptor(ofProgram program: String) throws(BPFError) -> Int32 {
        try BPFError.check(bpf_program__fd(try pointer(toProgram: program)), "find program", program)
    }

    private borrowing func pointer(toProgram program: String) throws(BPFError) -> OpaquePointer {
        if let found = bpf_object__find_program_by_name(object, program) { return found }
        throw BPFError("find program", program, .noSuchFileOrDirectory)
    }

    borrowing func pointer(toMap map: String) throws(BPFError) -> OpaquePointer {
        if let found = bpf_object__find_map_by_name(object, map) { return found }
        throw BPFError("find map", map, .noSuchFileOrDirectory)
    }

    /// Where BTF says that a read-only variable lies.
    private borrowing func place(ofConstant variable: String) throws(BPFError) -> (offset: Int, size: Int) {
        let section = ".rodata"
        guard let types = bpf_object__btf(object) else {
            throw BPFError("set constant", variable, .noSuchFileOrDirectory, hint: "the object has no type information")
        }
        let identifier = btf__find_by_name_kind(types, section, Self.dataSectionKind)
        guard identifier > 0, let type = btf__type_by_id(types, UInt32(identifier)) else {
            throw BPFError("set constant", variable, .noSuchFileOrDirectory, hint: "the object has no constants")
        }
        // A data section's variables follow its btf_type.
        let count = Int(type.pointee.info & 0xffff)
        let variables = UnsafeRawPointer(type + 1).assumingMemoryBound(to: btf_var_secinfo.self)
        for index in 0..<count {
            guard let variableType = btf__type_by_id(types, variables[index].type),
                let text = btf__name_by_offset(types, variableType.pointee.name_off)
            else { continue }
            if String(cString: text) == variable {
                return (Int(variables[index].offset), Int(variables[index].size))
            }
        }
        throw BPFError("set constant", variable, .noSuchFileOrDirectory)
    }
}
