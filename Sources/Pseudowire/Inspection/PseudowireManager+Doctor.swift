public import BPF
internal import CPseudowireObject
internal import RouteNetlink

/// One thing that was looked at, and what to do if it is not as it should be.
public struct Finding: Hashable, Sendable {
    /// How bad it is.
    public enum Severity: String, Hashable, Sendable {
        /// As it should be.
        case fine
        /// It works, but less well than it could.
        case warning
        /// It cannot work.
        case problem
    }

    /// Whether it works as it is.
    public let severity: Severity
    /// What was looked at.
    public let subject: String
    /// What was found.
    public let message: String
    /// What would make it right.
    public let cure: String?

    init(_ severity: Severity, _ subject: String, _ message: String, cure: String? = nil) {
        self.severity = severity
        self.subject = subject
        self.message = message
        self.cure = cure
    }
}

/// Whether this kernel, this host and these interfaces can do it.
///
/// Changes nothing; needs no privilege to be asked.
public enum Doctor {
    /// Looks at everything, also when the first thing is wrong already.
    ///
    /// - Parameter interfaces: interfaces that are to be used.
    public static func examine(
        in reference: NamespaceReference = .current, interfaces: [String] = [],
        fileSystem: String = BPFFileSystem.conventionalPath
    ) -> [Finding] {
        var findings = [kernel()] + privileges(reference) + [bpfFileSystem(fileSystem), justInTimeCompiler()]
        let mayLoad = Privileges.missing().isEmpty
        if mayLoad { findings += datapath() }
        findings += network(reference, interfaces, fileSystem)
        if mayLoad, let manager = try? PseudowireManager(in: reference, fileSystem: fileSystem) {
            findings += ipsec(manager)
        }
        return findings
    }

    private static func kernel() -> Finding {
        let version = KernelProbe.version()
        return (version.major, version.minor) >= (6, 1)
            ? Finding(.fine, "kernel", "Linux \(version.release)")
            : Finding(.problem, "kernel", "Linux \(version.release) is too old", cure: "Linux 6.1 or later")
    }

    /// One finding for each capability: what it is for, and whether it is there.
    private static func privileges(_ reference: NamespaceReference) -> [Finding] {
        var findings = Privileges.needed.map { capability in
            Privileges.has(capability)
                ? Finding(.fine, capability.name, "there, for \(capability.purpose)")
                : Finding(
                    .problem, capability.name, "missing, for \(capability.purpose)",
                    cure: "run it as root, or with AmbientCapabilities=\(capability.name) of systemd")
        }
        let sysAdmin = Privileges.sysAdmin
        let upgrades = Privileges.sysAdminUpgrades
        if Privileges.has(sysAdmin) {
            findings.append(Finding(.fine, sysAdmin.name, "there, for \(sysAdmin.purpose), and \(upgrades)"))
        } else if reference == .current {
            findings.append(
                Finding(
                    .fine, sysAdmin.name, "missing, but only for \(sysAdmin.purpose) (--netns), and \(upgrades)"))
        } else {
            findings.append(
                Finding(
                    .problem, sysAdmin.name, "missing, for \(sysAdmin.purpose)",
                    cure: "run it as root, or inside that namespace"))
        }
        return findings
    }

    private static func bpfFileSystem(_ path: String) -> Finding {
        let subject = "BPF file system"
        guard BPFFileSystem.isMounted(at: path) else {
            return Finding(.problem, subject, "none at \(path)", cure: "mount -t bpf bpf \(path)")
        }
        guard let obstacle = StateOwnership.obstacle(StateDirectory(root: path, namespaceCookie: 0).base) else {
            return Finding(.fine, subject, "mounted at \(path)")
        }
        return Finding(.problem, subject, "mounted at \(path), but \(obstacle.what)", cure: obstacle.cure)
    }

    private static func justInTimeCompiler() -> Finding {
        switch FileSystem.read("/proc/sys/net/core/bpf_jit_enable")?.first {
        case "0":
            Finding(
                .warning, "BPF compiler", "off: programs are interpreted, several times slower",
                cure: "sysctl net.core.bpf_jit_enable=1")
        case nil: Finding(.warning, "BPF compiler", "state unknown: /proc/sys/net/core/bpf_jit_enable is not readable")
        default: Finding(.fine, "BPF compiler", "on")
        }
    }

    /// Where `--attach auto` puts filters, and why.
    private static func attachment() -> Finding {
        AttachmentHook.hasTCX
            ? Finding(
                .fine, "attachment",
                "tcx links (Linux 6.6); clsact filters where somebody's filter is to come before ours")
            : Finding(.fine, "attachment", "clsact filters: tcx came with Linux 6.6")
    }

    /// Has the kernel's verifier judge the datapath itself, for four pseudowires, and throws it away again.
    private static func datapath() -> [Finding] {
        do throws(BPFError) {
            let object = try DatapathObject.open(maxSessions: 4).load()
            let decap = KernelProbe.hasDecapL3()
            var costs: [String] = []
            for name in DatapathObject.carriers {
                costs.append("\(name) \(try object.program(name).verifiedInstructions)")
            }
            return [
                Finding(
                    .fine, "datapath",
                    "the kernel's verifier accepts it (of 1000000 instructions: \(costs.joined(separator: ", ")))"),
                attachment(),
                Finding(
                    .fine, "cross-family decapsulation",
                    decap ? "by the kernel's own flag (Linux 6.3)" : "by the datapath itself"),
            ]
        } catch {
            return [Finding(.problem, "datapath", "\(error)", cure: "report it, with the kernel's version")]
        }
    }

    private static func network(
        _ reference: NamespaceReference, _ interfaces: [String], _ fileSystem: String
    ) -> [Finding] {
        do throws(NetlinkError) {
            let client = try RouteClient(in: try reference.open())
            var findings = [Finding(.fine, "rtnetlink", "answers in \(reference)")]
            let directory = StateDirectory(root: fileSystem, namespaceCookie: client.namespaceCookie)
            findings += installed(directory)
            let ports = (try? DatapathState(directory))?.portsOrNone ?? [:]
            for name in interfaces {
                guard let link = try client.links.find(named: name) else {
                    findings.append(Finding(.problem, name, "no such interface", cure: "choose one of 'ip link'"))
                    continue
                }
                findings += examination(of: link, client)
                let isOurs = ports[link.index.rawValue]?.hasXDP == true
                let judgement = try DriverSurvey(client).judge(link, isOurs: isOurs)
                findings.append(Finding(.fine, name, "\(judgement)"))
            }
            return findings
        } catch {
            return [Finding(.problem, "rtnetlink", "\(error)", cure: "name a namespace that exists, as root")]
        }
    }

    /// What carries frames already, beside what this program would load.
    private static func installed(_ directory: StateDirectory) -> [Finding] {
        guard directory.exists else { return [] }
        let subject = "loaded datapath"
        do throws(PseudowireError) {
            let identity = try StateIdentity(at: directory.path)
            if identity.abi < StateIdentity.ownABI {
                return [
                    Finding(
                        .warning, subject, "of an earlier release, ABI \(identity.abi); it carries frames as before",
                        cure: Privileges.has(Privileges.sysAdmin)
                            ? "pwctl upgrade, which replaces it without losing one"
                            : "pwctl upgrade as root, for it takes \(Privileges.sysAdmin.name); it loses none")
                ]
            }
            try identity.requireOwnABI()
            if identity.upgrade == UInt32(PW_UPGRADE_BEGUN) {
                return [
                    Finding(
                        .warning, subject, "a command died while it replaced it; frames are carried",
                        cure: "pwctl upgrade, which finishes that")
                ]
            }
            let own = DatapathImage.embedded.build
            let text =
                "ABI \(identity.abi), build \(identity.build?.short ?? "unknown"), generation \(identity.generation)"
            return [
                identity.build == own
                    ? Finding(.fine, subject, "\(text): this program's")
                    : Finding(.warning, subject, "\(text); this program has build \(own.short)", cure: "pwctl upgrade")
            ]
        } catch {
            return [Finding(.problem, subject, "\(error)")]
        }
    }

    private static func examination(of link: Link, _ client: RouteClient) -> [Finding] {
        var findings: [Finding] = []
        guard link.canBeUnderlay else {
            return [Finding(.problem, link.name, "is no Ethernet interface", cure: "choose an Ethernet interface")]
        }
        let kind = link.hasEthernetHeader ? "Ethernet" : "no Ethernet header: an underlay only"
        findings.append(
            link.flags.contains(.up)
                ? Finding(.fine, link.name, "\(kind), up, MTU \(link.mtu)")
                : Finding(.warning, link.name, "\(kind), down, MTU \(link.mtu)", cure: "ip link set \(link.name) up"))
        if let qdiscs = try? client.qdiscs.list(on: link.index),
            qdiscs.contains(where: { $0.kind == "ingress" })
        {
            findings.append(
                Finding(
                    .problem, link.name, "has an ingress qdisc where clsact is needed",
                    cure: "tc qdisc del dev \(link.name) ingress, if nothing uses it"))
        }
        return findings
    }
}
