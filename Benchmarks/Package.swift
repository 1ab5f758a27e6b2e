// swift-tools-version: 6.2

import PackageDescription

// A package of its own, so that whoever depends on the libraries resolves and builds none of it.
let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "swift-pseudowire", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // RouteNetlink beside C on libmnl, ip -batch and pyroute2.
        .systemLibrary(name: "CBenchmarkMNL", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
        .target(name: "CBaseline", dependencies: ["CBenchmarkMNL"], cSettings: [.unsafeFlags(["-O2"])]),
        .executableTarget(
            name: "netlink-bench",
            dependencies: [
                "CBaseline",
                .product(name: "RouteNetlink", package: "swift-pseudowire"),
                .product(name: "InternetAddress", package: "swift-pseudowire"),
            ],
            swiftSettings: [.defaultIsolation(MainActor.self)]),

        // The datapath beside a bridge, a redirect, VXLAN and the kernel's L2TP.
        .target(name: "CWorkload", cSettings: [.unsafeFlags(["-O2"])]),
        .executableTarget(
            name: "datapath-bench",
            dependencies: [
                "CWorkload",
                .product(name: "Pseudowire", package: "swift-pseudowire"),
                .product(name: "PseudowireTestbed", package: "swift-pseudowire"),
                .product(name: "RouteNetlink", package: "swift-pseudowire"),
                .product(name: "BPF", package: "swift-pseudowire"),
                .product(name: "InternetAddress", package: "swift-pseudowire"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
