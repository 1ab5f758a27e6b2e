// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "DatapathBenchmark",
    dependencies: [
        .package(name: "swift-pseudowire", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
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
