// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "OneWire",
    dependencies: [.package(name: "swift-pseudowire", path: "../..")],
    targets: [
        .executableTarget(
            name: "OneWire",
            dependencies: [.product(name: "Pseudowire", package: "swift-pseudowire")])
    ],
    swiftLanguageModes: [.v6]
)
