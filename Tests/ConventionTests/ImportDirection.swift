/// Which module may import what. `Sources/README.md` says why.
enum ImportDirection {
    /// The modules of this package that each may import: everything else of this package is forbidden.
    static let table: [String: Set<String>] = [
        "SluiceCore": ["CLibcrypto", "CXXHash"],
        "SluiceFiles": ["SluiceCore"],
        "SluiceNumerics": ["CStepKernel"],
        "SluiceLSTM": ["SluiceCore", "SluiceNumerics"],
        "SluiceModelFile": ["SluiceCore", "SluiceFiles", "SluiceLSTM"],
        "SluiceSchema": ["SluiceCore", "CSimdJSON"],
        "SluiceLog": ["SluiceCore"],
        "SluiceKafka": ["SluiceCore", "SluiceLog", "CLibrdkafka"],
        "SluiceState": ["SluiceCore", "SluiceLSTM", "SluiceNumerics", "SluiceSchema"],
        "SluiceStore": ["CRocksDB", "SluiceCore", "SluiceFiles", "SluiceState"],
        "SluiceEngine": ["SluiceCore", "SluiceLSTM", "SluiceLog", "SluiceNumerics", "SluiceSchema", "SluiceState"],
        "SluiceSimulation": [
            "SluiceCore", "SluiceEngine", "SluiceLSTM", "SluiceLog", "SluiceNumerics", "SluiceSchema", "SluiceState",
        ],
        "sluice-simulate": ["SluiceCore", "SluiceSimulation"],
        "SluiceTraining": ["SluiceCore", "SluiceNumerics", "SluiceLSTM", "SluiceState"],
        "SluiceReport": ["SluiceCore", "SluiceLSTM", "SluiceTraining"],
        "SluiceExperiments": ["SluiceLSTM", "SluiceTraining"],
        "SluiceAccess": ["SluiceCore"],
        "SluiceConfiguration": [
            "SluiceAccess", "SluiceCore", "SluiceLSTM", "SluiceSchema", "SluiceState", "SluiceTraining",
        ],
        "SluiceModels": ["SluiceCore", "SluiceFiles", "SluiceLSTM", "SluiceModelFile"],
        "SluiceAdmin": ["SluiceAccess", "SluiceCore"],
        "SluiceService": [
            "SluiceCore", "SluiceLSTM", "SluiceModelFile", "SluiceSchema", "SluiceLog", "SluiceKafka", "SluiceState",
            "SluiceNumerics", "SluiceStore", "SluiceEngine", "SluiceTraining", "SluiceConfiguration", "SluiceAdmin",
            "SluiceFiles", "SluiceModels",
        ],
        "SluiceCommands": [
            "SluiceAccess", "SluiceCore", "SluiceFiles", "SluiceNumerics", "SluiceLSTM", "SluiceModelFile",
            "SluiceSchema", "SluiceLog", "SluiceKafka", "SluiceState", "SluiceStore", "SluiceEngine", "SluiceTraining",
            "SluiceExperiments", "SluiceConfiguration", "SluiceAdmin", "SluiceReport", "SluiceService",
        ],
        "sluice": ["SluiceCommands"],
    ]

    /// The pure modules, with all they may import from outside: no Foundation, no logging, and in the state and the
    /// engine neither clock nor disk, so that a simulator can take their place.
    static let pure: [String: Set<String>] = [
        "SluiceCore": ["Synchronization"],
        "SluiceNumerics": ["Synchronization", "Glibc"],
        "SluiceLSTM": ["Synchronization"],
        "SluiceLog": ["Synchronization"],
        "SluiceState": ["Synchronization"],
        "SluiceEngine": ["Synchronization"],
        "SluiceSimulation": [],
    ]

    /// Clocks that need no import, for the modules that may have none.
    static let clocks = ["ContinuousClock", "SuspendingClock", "Task.sleep", "Date("]
    static let clockless = [
        "SluiceLSTM", "SluiceNumerics", "SluiceSchema", "SluiceState", "SluiceEngine", "SluiceSimulation",
    ]

    /// C modules; every other module is Swift and has a row of the table.
    static let c: Set<String> = ["CLibcrypto", "CLibrdkafka", "CRocksDB", "CXXHash", "CStepKernel", "CSimdJSON"]

    /// What of `imports` a module may not import.
    static func violations(_ module: String, imports: Set<String>) -> [String] {
        let own = Set(table.keys).union(c)
        return imports.filter { name in
            if own.contains(name) { return !(table[module]?.contains(name) ?? false) }
            return pure[module].map { !$0.contains(name) } ?? false
        }.sorted()
    }

    /// A module that reaches itself by way of others; nil if there is none.
    static func cycle(_ edges: [String: Set<String>]) -> String? {
        var remaining = edges
        while !remaining.isEmpty {
            let ready = remaining.filter { $0.value.filter { remaining[$0] != nil }.isEmpty }.map(\.key)
            guard !ready.isEmpty else { return remaining.keys.min() }
            for name in ready { remaining[name] = nil }
        }
        return nil
    }
}
