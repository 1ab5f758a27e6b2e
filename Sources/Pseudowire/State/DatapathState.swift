internal import BPF
internal import CPseudowireObject

/// The pinned maps and programs of one namespace, opened.
final class DatapathState {
    let directory: StateDirectory
    let meta: Map<UInt32, pw_meta>
    let access: Map<pw_access_key, pw_encap>
    let sessions: Map<UInt32, pw_decap>
    let pseudowires: Map<pw_name, pw_record>
    let ports: Map<UInt32, pw_port>
    let counters: Map<UInt32, pw_counters>
    let drops: Map<UInt32, UInt64>
    let sessionDrops: Map<pw_drop_key, pw_drop>
    let paths: Map<pw_path_key, pw_access_key>
    let sequences: Map<UInt32, pw_sequence>
    /// A ring buffer of `pw_event`: it has neither keys nor values.
    let events: Map<Nothing, Nothing>
    let encap: Program
    let encapSplit: Program
    let decap: Program
    /// For interfaces whose packets begin with the IP header.
    let decapL3: Program

    /// Opens what is pinned, after making sure that it is of our making and of our ABI.
    init(_ directory: StateDirectory) throws(PseudowireError) {
        func pin(_ map: DatapathObject.MapName) -> String { directory.pin(map.rawValue) }
        self.directory = directory
        do {
            meta = try Map(pinnedAt: pin(.meta))
            guard let described = try meta[0], described.magic == UInt32(PW_MAGIC) else {
                throw PseudowireError.refused("\(directory.path) was not made by this program")
            }
            guard described.abi_version == UInt32(PW_ABI_VERSION) else {
                throw PseudowireError.refused(
                    "the datapath in the kernel has ABI \(described.abi_version), this program has ABI \(PW_ABI_VERSION)"
                )
            }
            access = try Map(pinnedAt: pin(.access))
            sessions = try Map(pinnedAt: pin(.sessions))
            pseudowires = try Map(pinnedAt: pin(.pseudowires))
            ports = try Map(pinnedAt: pin(.ports))
            counters = try Map(pinnedAt: pin(.counters))
            drops = try Map(pinnedAt: pin(.drops))
            sessionDrops = try Map(pinnedAt: pin(.sessionDrops))
            paths = try Map(pinnedAt: pin(.paths))
            sequences = try Map(pinnedAt: pin(.sequences))
            events = try Map(pinnedAt: pin(.events))
            encap = try Program(pinnedAt: directory.pin(DatapathObject.encap))
            encapSplit = try Program(pinnedAt: directory.pin(DatapathObject.encapSplit))
            decap = try Program(pinnedAt: directory.pin(DatapathObject.decap))
            decapL3 = try Program(pinnedAt: directory.pin(DatapathObject.decapL3))
        } catch let error as BPFError {
            throw .bpf(error)
        } catch let error as PseudowireError {
            throw error
        } catch {
            throw .refused("\(error)")
        }
    }

    var description: pw_meta {
        get throws(PseudowireError) {
            try bpf { () throws(BPFError) in try meta[0] } ?? pw_meta()
        }
    }

    /// All pseudowires, by name.
    func records(interfaceName: (UInt32) -> String?) throws(PseudowireError) -> [Record] {
        try bpf { () throws(BPFError) in try pseudowires.entries() }
            .compactMap { Record(name: $0.key.string, value: $0.value, interfaceName: interfaceName) }
            .sorted { $0.configuration.name < $1.configuration.name }
    }
}
