// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: language mode 6, the upcoming features that make imports and existentials visible,
/// warnings as errors. Exclusive access is checked at run time in debug builds, which tests are.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    .unsafeFlags(
        ["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]
/// Modules that hold raw memory or C handles spell every unsafe use.
let marked: [SwiftSetting] = [.strictMemorySafety()]
/// Optimised even in debug builds (tests run millions of steps), never contracted: the arithmetic is part of the
/// contract.
let exactC: [CSetting] = [.unsafeFlags(["-O3", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Werror"])]
let exactCXX: [CXXSetting] = [.unsafeFlags(["-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"])]

func product(_ name: String, _ package: String) -> Target.Dependency { .product(name: name, package: package) }
func test(
    _ module: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [], exclude: [String] = []
) -> Target {
    .testTarget(
        name: "\(module)Tests", dependencies: [.target(name: module)] + dependencies, exclude: exclude,
        resources: resources, swiftSettings: strict)
}

let package = Package(
    name: "sluice",
    products: [
        .executable(name: "sluice", targets: ["sluice"]),
        .executable(name: "sluice-simulate", targets: ["sluice-simulate"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        // Without its default trait ConfigurationSupport, which takes swift-configuration with it.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: ["FullFoundation"]),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // System libraries: a module map and a shim, nothing else.
        .systemLibrary(name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLibrdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CRocksDB", pkgConfig: "rocksdb", providers: [.apt(["librocksdb-dev"])]),
        .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        // C where Swift cannot choose an instruction set at run time, and a shim over a C++ library.
        .target(name: "CStepKernel", cSettings: exactC),
        .target(name: "CSimdJSON", cxxSettings: exactCXX, linkerSettings: [.linkedLibrary("simdjson")]),

        .target(name: "SluiceCore", dependencies: ["CLibcrypto", "CXXHash"], swiftSettings: strict),
        .target(
            name: "SluiceFiles", dependencies: ["SluiceCore", product("SystemPackage", "swift-system")],
            swiftSettings: strict),
        .target(name: "SluiceNumerics", dependencies: ["CStepKernel"], swiftSettings: strict + marked),
        .target(name: "SluiceLSTM", dependencies: ["SluiceCore", "SluiceNumerics"], swiftSettings: strict),
        .target(
            name: "SluiceModelFile", dependencies: ["SluiceCore", "SluiceFiles", "SluiceLSTM"],
            swiftSettings: strict + marked),
        .target(name: "SluiceSchema", dependencies: ["SluiceCore", "CSimdJSON"], swiftSettings: strict),
        .target(name: "SluiceLog", dependencies: ["SluiceCore"], swiftSettings: strict),
        .target(
            name: "SluiceKafka",
            dependencies: [
                "SluiceCore", "SluiceLog", "CLibrdkafka", product("Logging", "swift-log"),
                product("NIOCore", "swift-nio"), product("NIOPosix", "swift-nio"),
            ], swiftSettings: strict + marked),
        .target(
            name: "SluiceState", dependencies: ["SluiceCore", "SluiceLSTM", "SluiceNumerics", "SluiceSchema"],
            swiftSettings: strict + marked),
        .target(
            name: "SluiceStore",
            dependencies: [
                "CRocksDB", "SluiceCore", "SluiceFiles", "SluiceState", product("SystemPackage", "swift-system"),
            ], swiftSettings: strict + marked),
        .target(
            name: "SluiceEngine",
            dependencies: [
                "SluiceCore", "SluiceLSTM", "SluiceLog", "SluiceNumerics", "SluiceSchema", "SluiceState",
            ],
            swiftSettings: strict),
        // The engine in a simulated world, from a seed. Optimised even in debug builds: tests run hundreds of worlds.
        .target(
            name: "SluiceSimulation",
            dependencies: [
                "SluiceCore", "SluiceEngine", "SluiceLSTM", "SluiceLog", "SluiceNumerics", "SluiceSchema",
                "SluiceState",
            ],
            swiftSettings: strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]),
        .executableTarget(
            name: "sluice-simulate",
            dependencies: ["SluiceCore", "SluiceSimulation", product("ArgumentParser", "swift-argument-parser")],
            swiftSettings: strict),
        .target(
            name: "SluiceTraining",
            dependencies: ["SluiceCore", "SluiceNumerics", "SluiceLSTM", "SluiceState"], swiftSettings: strict),
        .target(name: "SluiceExperiments", dependencies: ["SluiceLSTM", "SluiceTraining"], swiftSettings: strict),
        .target(
            name: "SluiceReport", dependencies: ["SluiceCore", "SluiceLSTM", "SluiceTraining"], swiftSettings: strict),
        .target(
            name: "SluiceAccess",
            dependencies: ["SluiceCore", product("SystemPackage", "swift-system"), "Yams"], swiftSettings: strict),
        .target(
            name: "SluiceConfiguration",
            dependencies: [
                "SluiceAccess", "SluiceCore", "SluiceLSTM", "SluiceSchema", "SluiceState", "SluiceTraining", "Yams",
            ],
            swiftSettings: strict),
        .target(
            name: "SluiceAdmin",
            dependencies: [
                "SluiceAccess", "SluiceCore", product("CoreMetrics", "swift-metrics"),
                product("Hummingbird", "hummingbird"),
                product("HummingbirdCore", "hummingbird"), product("Logging", "swift-log"),
                product("Metrics", "swift-metrics"), product("NIOCore", "swift-nio"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
            ], resources: [.embedInCode("Resources")], swiftSettings: strict),
        .target(
            name: "SluiceModels", dependencies: ["SluiceCore", "SluiceFiles", "SluiceLSTM", "SluiceModelFile"],
            swiftSettings: strict),
        .target(
            name: "SluiceService",
            dependencies: [
                "SluiceAdmin", "SluiceConfiguration", "SluiceEngine", "SluiceFiles", "SluiceKafka", "SluiceModelFile",
                "SluiceModels", "SluiceStore",
                "SluiceTraining", product("DequeModule", "swift-collections"),
                product("Logging", "swift-log"), product("CoreMetrics", "swift-metrics"),
                product("ServiceLifecycle", "swift-service-lifecycle"), product("SystemPackage", "swift-system"),
            ], resources: [.copy("Resources")], swiftSettings: strict),
        .target(
            name: "SluiceCommands",
            dependencies: [
                "SluiceAccess", "SluiceAdmin", "SluiceConfiguration", "SluiceCore", "SluiceExperiments", "SluiceFiles",
                "SluiceKafka", "SluiceLSTM", "SluiceLog", "SluiceModelFile", "SluiceReport", "SluiceSchema",
                "SluiceService", "SluiceState", "SluiceTraining",
                product("ArgumentParser", "swift-argument-parser"), product("Logging", "swift-log"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
                product("UnixSignals", "swift-service-lifecycle"),
            ], swiftSettings: strict),
        .executableTarget(name: "sluice", dependencies: ["SluiceCommands"], swiftSettings: strict),

        test("SluiceCore", ["SluiceTestKit"]),
        test("SluiceFiles", ["SluiceCore"]),
        test("SluiceNumerics", ["CStepKernel", "SluiceTestKit"]),
        test("SluiceLSTM", ["SluiceCore", "SluiceNumerics", "SluiceTestKit"], exclude: ["Goldens"]),
        test("SluiceModelFile", ["SluiceLSTM", "SluiceTestKit"], exclude: ["Goldens", "make_goldens.py"]),
        test("SluiceSchema", ["SluiceTestKit"]),
        test("SluiceKafka", ["SluiceTestKit"]),
        test("SluiceState", ["SluiceTestKit"]),
        test("SluiceStore", ["SluiceTestKit"]),
        test("SluiceSimulation", ["SluiceCore", "SluiceLog"]),
        test("SluiceEngine", ["SluiceTestKit"]),
        test("SluiceExperiments", ["SluiceTraining"]),
        test(
            "SluiceTraining", ["SluiceTestKit"],
            exclude: ["Goldens", "make_goldens.py", "draws.py", "check_keras_strided.py"]),
        test("SluiceReport", ["SluiceCore", "SluiceLSTM", "SluiceTraining"], exclude: ["Snapshots"]),
        test("SluiceAccess", ["SluiceCore"]),
        test("SluiceConfiguration", ["SluiceCore"], exclude: ["Snapshots"]),
        // What the tests of several modules share, and a count of the heap allocations of a thread.
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        .target(
            name: "SluiceTestKit", dependencies: ["CAllocationCounter"], path: "Tests/SluiceTestKit",
            swiftSettings: strict),
        // A service without an engine behind the HTTP API, for the tests of both its ends.
        .target(
            name: "SluiceAdminTestKit", dependencies: ["SluiceAdmin", "SluiceCore"], path: "Tests/SluiceAdminTestKit",
            swiftSettings: strict),
        test("SluiceModels", ["SluiceCore", "SluiceLSTM", "SluiceModelFile"]),
        test(
            "SluiceAdmin",
            [
                "SluiceAccess", "SluiceAdminTestKit", "Yams", product("Hummingbird", "hummingbird"),
                product("NIOCore", "swift-nio"), product("NIOEmbedded", "swift-nio"), product("NIOPosix", "swift-nio"),
            ]),
        test(
            "SluiceService",
            [
                "CLibrdkafka", "SluiceAdmin", "SluiceAdminTestKit", "SluiceConfiguration", "SluiceCore", "SluiceEngine",
                "SluiceKafka",
                "SluiceLSTM", "SluiceLog", "SluiceModelFile", "SluiceModels", "SluiceSchema", "SluiceState", "sluice",
                product("Logging", "swift-log"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
            ]),
        test(
            "SluiceCommands",
            [
                "SluiceAccess", "SluiceAdmin", "SluiceAdminTestKit", "SluiceConfiguration", "SluiceCore", "SluiceLSTM",
                "SluiceModelFile", "SluiceState", product("ArgumentParser", "swift-argument-parser"),
                product("Logging", "swift-log"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
            ],
            exclude: ["Snapshots", "check_pytorch.py"]),
        // Needs a real Kafka cluster, named by SLUICE_TEST_BOOTSTRAP; says so and does nothing without.
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["SluiceCore", "SluiceKafka", "SluiceLog", product("Logging", "swift-log")],
            swiftSettings: strict),
        .testTarget(name: "ConventionTests", swiftSettings: strict),
    ],
    cLanguageStandard: .c17,
    cxxLanguageStandard: .cxx17
)
