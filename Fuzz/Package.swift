// swift-tools-version: 6.2
import PackageDescription

// The parsers of the service under libFuzzer (`scripts/fuzz`). `Modules` is a link to the sources: what parses bytes
// from outside, and no more, is compiled once more here, so that it bears the fuzzer's counters and the sanitizer's
// checks, is of one package with the targets, and takes no server with it.

/// Besides the fuzzer's own, which `swift build --sanitize fuzzer` gives everything. The last of Swift's flags counts,
/// so it names both.
let address = ["-sanitize=fuzzer,address"]
/// As in the package itself, with assertions: what they hold is what an input may break.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    .unsafeFlags(["-enable-testing", "-assert-config", "Debug"] + address),
]
let exactC: [CSetting] = [.unsafeFlags(["-ffp-contract=off", "-fno-math-errno", "-fsanitize=address"])]

func product(_ name: String, _ package: String) -> Target.Dependency { .product(name: name, package: package) }
func module(_ name: String, _ dependencies: [Target.Dependency], sources: [String]? = nil) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Modules/\(name)", sources: sources, swiftSettings: settings)
}

let package = Package(
    name: "fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibcrypto", path: "Modules/CLibcrypto", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CRocksDB", path: "Modules/CRocksDB"),
        .systemLibrary(name: "CXXHash", path: "Modules/CXXHash", pkgConfig: "libxxhash"),
        .target(name: "CStepKernel", path: "Modules/CStepKernel", cSettings: exactC),
        .target(
            name: "CSimdJSON", path: "Modules/CSimdJSON", cxxSettings: [.unsafeFlags(["-fsanitize=address"])],
            linkerSettings: [.linkedLibrary("simdjson")]),
        module("SluiceCore", ["CLibcrypto", "CXXHash"]),
        module("SluiceFiles", ["SluiceCore", product("SystemPackage", "swift-system")]),
        module("SluiceNumerics", ["CStepKernel"]),
        module("SluiceLSTM", ["SluiceCore", "SluiceNumerics"]),
        module("SluiceModelFile", ["SluiceCore", "SluiceFiles", "SluiceLSTM"]),
        module("SluiceSchema", ["SluiceCore", "CSimdJSON"]),
        module("SluiceLog", ["SluiceCore"]),
        module("SluiceState", ["SluiceCore", "SluiceLSTM", "SluiceSchema"]),
        module(
            "SluiceEngine",
            ["SluiceCore", "SluiceLSTM", "SluiceLog", "SluiceNumerics", "SluiceSchema", "SluiceState"]),
        module("SluiceTraining", ["SluiceCore", "SluiceNumerics", "SluiceLSTM", "SluiceState"]),
        module("SluiceAccess", ["SluiceCore", product("SystemPackage", "swift-system"), "Yams"]),
        module(
            "SluiceConfiguration",
            ["SluiceAccess", "SluiceCore", "SluiceLSTM", "SluiceSchema", "SluiceState", "SluiceTraining", "Yams"]),
        // What the HTTP API reads and writes, without its server.
        module(
            "SluiceAdmin", ["SluiceCore"],
            sources: [
                "API", "HTTP/JSONWriter.swift", "HTTP/Problem.swift", "HTTP/RequestReading.swift",
                "HTTP/ResetRequests.swift",
            ]),
        // What is read of a local store without RocksDB.
        module(
            "SluiceStore", ["CRocksDB", "SluiceCore", "SluiceFiles", "SluiceState"],
            sources: ["RocksError.swift", "RocksFiles.swift", "StoredPosition+Bytes.swift"]),
        // What the service makes of a configuration, without the service.
        module(
            "SluiceService",
            ["SluiceConfiguration", "SluiceCore", "SluiceLSTM", "SluiceLog", "SluiceSchema", "SluiceState"],
            sources: [
                "Runtime/Configuration+Engine.swift", "Runtime/TopicPlan.swift", "Runtime/ZoneTransitions.swift",
            ]),
        .executableTarget(
            name: "Fuzzer",
            dependencies: [
                "SluiceAccess", "SluiceAdmin", "SluiceConfiguration", "SluiceCore", "SluiceEngine", "SluiceLSTM",
                "SluiceLog", "SluiceModelFile", "SluiceSchema", "SluiceService", "SluiceState", "SluiceStore",
            ], path: "Fuzzer",
            // libFuzzer has the main function.
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(address)]),
    ],
    cLanguageStandard: .c17,
    cxxLanguageStandard: .cxx17
)
