// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "Agent",
    dependencies: [.package(name: "swift-pseudowire", path: "../..")],
    targets: [
        .executableTarget(
            name: "Agent",
            dependencies: [
                .product(name: "Pseudowire", package: "swift-pseudowire"),
                .product(name: "InternetAddress", package: "swift-pseudowire"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
