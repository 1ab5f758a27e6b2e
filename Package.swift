// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    // Needed to declare ~Escapable cursors; swift-nio, swift-system and swift-collections enable it too.
    .enableExperimentalFeature("Lifetimes"),
]

let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let package = Package(
    name: "swift-pseudowire",
    products: [
        .library(name: "Pseudowire", targets: ["Pseudowire"]),
        .library(name: "RouteNetlink", targets: ["RouteNetlink"]),
        .library(name: "RouteNetlinkTestKit", targets: ["RouteNetlinkTestKit"]),
        .library(name: "BPF", targets: ["BPF"]),
        .library(name: "L2TP", targets: ["L2TP"]),
        .library(name: "InternetAddress", targets: ["InternetAddress"]),
        .library(name: "PseudowireTestbed", targets: ["PseudowireTestbed"]),
        .executable(name: "pwctl", targets: ["pwctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        // The command line's alone: an agent is a service, with a log.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C: the two system libraries, the system calls that Swift cannot make, the datapath.
        .systemLibrary(
            name: "CPseudowireMNL", pkgConfig: "libmnl",
            providers: [.apt(["libmnl-dev"]), .yum(["libmnl-devel"])]),
        .systemLibrary(
            name: "CPseudowireBPF", pkgConfig: "libbpf",
            providers: [.apt(["libbpf-dev"]), .yum(["libbpf-devel"])]),
        .target(name: "CPseudowireLinux"),
        .target(
            name: "CPseudowireObject",
            exclude: ["pseudowire.bpf.o"],
            cSettings: [.headerSearchPath(".")]),

        // Swift: layers that know nothing of each other, and the pseudowire that stands on them.
        library("InternetAddress", []),
        library("JSON5", []),
        library("L2TP", ["InternetAddress"]),
        library("RouteNetlink", ["InternetAddress", "CPseudowireMNL", "CPseudowireLinux", systemPackage]),
        library("RouteNetlinkTestKit", ["RouteNetlink", "InternetAddress", systemPackage]),
        library("BPF", ["CPseudowireBPF", "CPseudowireLinux", systemPackage]),
        library(
            "Pseudowire",
            [
                "RouteNetlink", "BPF", "L2TP", "InternetAddress", "JSON5", "CPseudowireObject", "CPseudowireLinux",
                systemPackage,
            ]),
        library(
            "PseudowireTestbed", ["RouteNetlink", "L2TP", "InternetAddress", "CPseudowireLinux", systemPackage]),
        .executableTarget(
            name: "pwctl",
            dependencies: [
                "Pseudowire", "PseudowireTestbed", argumentParser,
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: settings),

        // A command that tests have die, or fail, at any place.
        .executableTarget(
            name: "faultprocess", dependencies: ["Pseudowire"], path: "Tests/FaultProcess", swiftSettings: settings),

        tests("InternetAddressTests", ["InternetAddress"]),
        tests("JSON5Tests", ["JSON5"]),
        tests("L2TPTests", ["L2TP", "InternetAddress", "PseudowireTestbed"]),
        .target(name: "CPseudowireAllocations", path: "Tests/Allocations"),
        tests(
            "RouteNetlinkTests",
            ["RouteNetlink", "RouteNetlinkTestKit", "InternetAddress", "CPseudowireAllocations", systemPackage]),
        tests("BPFTests", ["BPF", "CPseudowireObject", "CPseudowireLinux", systemPackage]),
        tests(
            "DatapathTests",
            ["Pseudowire", "PseudowireTestbed", "BPF", "L2TP", "InternetAddress", "CPseudowireObject", "RouteNetlink"]),
        tests("FuzzTests", ["Pseudowire", "BPF", "L2TP", "InternetAddress", "CPseudowireObject"]),
        tests("PseudowireTests", ["Pseudowire", "BPF", "InternetAddress", "L2TP", "JSON5", "CPseudowireObject"]),
        tests(
            "IntegrationTests",
            [
                "Pseudowire", "PseudowireTestbed", "RouteNetlink", "BPF", "InternetAddress", "L2TP",
                "CPseudowireObject", systemPackage, "faultprocess",
            ], exclude: ["Fixtures"]),
        tests("CommandLineTests", ["Pseudowire", "RouteNetlink", "InternetAddress"]),
        tests("InteropTests", []),
    ],
    swiftLanguageModes: [.v6]
)
