internal import CPseudowireBPF
internal import SystemPackage

extension ObjectFile {
    /// The types of everything in the object.
    public func typeInformation() throws(BPFError) -> TypeInformation {
        guard let types = bpf_object__btf(object) else {
            throw BPFError("read types of", name, .noSuchFileOrDirectory, hint: "the object has no type information")
        }
        var size: UInt32 = 0
        guard let data = btf__raw_data(types, &size) else { throw BPFError("read types of", name, .noMemory) }
        return try TypeInformation(checking: Array(UnsafeRawBufferPointer(start: data, count: Int(size))), of: name)
    }

    /// How the object declares a map's keys.
    public func keyLayout(ofMap map: String) throws(BPFError) -> StructLayout {
        try typeInformation().layout(checking: bpf_map__btf_key_type_id(pointer(toMap: map)), of: map)
    }

    /// How the object declares a map's values.
    public func valueLayout(ofMap map: String) throws(BPFError) -> StructLayout {
        try typeInformation().layout(checking: bpf_map__btf_value_type_id(pointer(toMap: map)), of: map)
    }
}

extension Map {
    /// How whoever created the map declared its keys and values; nil if they did not say.
    ///
    /// Needs CAP_SYS_ADMIN. Linux 4.18.
    public func layouts() throws(BPFError) -> (key: StructLayout, value: StructLayout)? {
        try MapLayouts.of(fileDescriptor, name)
    }
}

extension RawMap {
    /// How whoever created the map declared its keys and values; nil if they did not say.
    ///
    /// Needs CAP_SYS_ADMIN. Linux 4.18.
    public func layouts() throws(BPFError) -> (key: StructLayout, value: StructLayout)? {
        try MapLayouts.of(fileDescriptor, name)
    }
}

private enum MapLayouts {
    static func of(
        _ descriptor: Int32, _ name: String
    ) throws(BPFError) -> (key: StructLayout, value: StructLayout)? {
        var map = bpf_map_info()
        var length = UInt32(MemoryLayout<bpf_map_info>.size)
        try BPFError.check(bpf_obj_get_info_by_fd(descriptor, &map, &length), "inspect map", name)
        guard map.btf_id != 0, map.btf_key_type_id != 0, map.btf_value_type_id != 0 else { return nil }
        let opened = try BPFError.check(bpf_btf_get_fd_by_id(map.btf_id), "open types of", name)
        let types = try TypeInformation(of: OwnedDescriptor(adopting: opened), name: name)
        return (
            try types.layout(checking: map.btf_key_type_id, of: name),
            try types.layout(checking: map.btf_value_type_id, of: name)
        )
    }
}

extension TypeInformation {
    /// Reads what the kernel holds; once to learn how long it is.
    fileprivate init(of descriptor: consuming OwnedDescriptor, name: String) throws(BPFError) {
        var bytes: [UInt8] = []
        while true {
            var info = bpf_btf_info()
            var length = UInt32(MemoryLayout<bpf_btf_info>.size)
            let capacity = bytes.count
            let result = bytes.withUnsafeMutableBytes {
                info.btf = UInt64(UInt(bitPattern: $0.baseAddress))
                info.btf_size = UInt32(capacity)
                return bpf_obj_get_info_by_fd(descriptor.raw, &info, &length)
            }
            try BPFError.check(result, "read types of", name)
            guard info.btf_size > capacity else { break }
            bytes = [UInt8](repeating: 0, count: Int(info.btf_size))
        }
        try self.init(checking: bytes, of: name)
    }

    fileprivate init(checking bytes: [UInt8], of name: String) throws(BPFError) {
        do throws(Malformed) {
            try self.init(bytes)
        } catch {
            throw BPFError("read types of", name, .invalidArgument, hint: error.description)
        }
    }

    fileprivate func layout(checking id: UInt32, of name: String) throws(BPFError) -> StructLayout {
        do throws(Malformed) {
            return try layout(of: Int(id))
        } catch {
            throw BPFError("read types of", name, .invalidArgument, hint: error.description)
        }
    }
}
