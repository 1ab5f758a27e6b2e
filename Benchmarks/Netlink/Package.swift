// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "NetlinkBenchmark",
    dependencies: [.package(name: "swift-pseudowire", path: "../..")],
    targets: [
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
    ],
    swiftLanguageModes: [.v6]
)
