internal import BPF
internal import CPseudowireObject

/// What a state is, of whatever ABI: who made it, for which namespace, with which build.
struct StateIdentity: Equatable, Sendable {
    let abi: UInt32
    let maxSessions: UInt32
    let splitter: OwnPair.Indexes
    /// Zeros where there is none.
    let joiner: OwnPair.Indexes
    /// `PW_UPGRADE_*`.
    let upgrade: UInt32
    let namespaceCookie: UInt64
    let namespaceInode: UInt64
    /// How many upgrades there have been; 0 before ABI 4.
    let generation: UInt64
    /// Nil before ABI 4.
    let build: BuildID?

    /// Reads the entry of `meta`, whose first 40 octets are those of every ABI.
    init(at path: String) throws(PseudowireError) {
        let value: [UInt8]
        do throws(BPFError) {
            let map = try RawMap(pinnedAt: "\(path)/\(DatapathObject.MapName.meta.rawValue)")
            value = try map.value(of: [0, 0, 0, 0]) ?? []
        } catch {
            throw StateDirectory.unopened(path, error)
        }
        guard let identity = StateIdentity(value) else {
            throw .refused("\(path) was not made by this program")
        }
        self = identity
    }

    /// Nil for what we have not written.
    init?(_ octets: [UInt8]) {
        guard octets.count >= Self.commonSize else { return nil }
        var meta = pw_meta()
        Octets.write(octets, to: &meta)
        guard meta.magic == UInt32(PW_MAGIC) else { return nil }
        abi = meta.abi_version
        maxSessions = meta.max_sessions
        splitter = OwnPair.Indexes(outer: meta.splitter_outer, inner: meta.splitter_inner)
        joiner = OwnPair.Indexes(outer: meta.joiner_outer, inner: meta.joiner_inner)
        upgrade = meta.upgrade
        namespaceCookie = meta.namespace_cookie
        namespaceInode = meta.namespace_inode
        generation = meta.generation
        build = abi < 4 ? nil : BuildID(octets: Octets.read(meta.build))
    }

    private static let commonSize = 40

    static let ownABI = UInt32(PW_ABI_VERSION)

    /// Refuses what only another release can read, and says what to do.
    func requireOwnABI() throws(PseudowireError) {
        guard abi != Self.ownABI else { return }
        throw .refused(
            abi < Self.ownABI
                ? """
                the datapath in the kernel is of an earlier release (ABI \(abi), this program has \(Self.ownABI)); it \
                carries frames as before, and 'pwctl upgrade' replaces it without losing one
                """
                : """
                the datapath in the kernel is of a later release (ABI \(abi), this program has \(Self.ownABI)); use that \
                release's pwctl
                """)
    }
}
