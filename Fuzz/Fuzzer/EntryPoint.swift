import Foundation

/// Every target by its name, which is also that of its corpus.
private let targets: [String: any FuzzTarget.Type] = [
    "answers": Answers.self, "changelog": ChangelogRecords.self, "configuration": Configurations.self,
    "csv": CSVObservations.self, "framing": Framing.self, "json": JSONObservations.self, "messages": Messages.self,
    "models": ModelFiles.self, "positions": Positions.self,
    "requests": Requests.self, "snapshots": Snapshots.self, "tokens": TokenFiles.self,
]

/// The target of this process: `--target=NAME`, an argument that libFuzzer passes over. With `--seeds=FOLDER` besides,
/// the target's seeds are written there and that is all. libFuzzer has one thread.
nonisolated(unsafe) private let selected: any FuzzTarget = {
    func value(_ name: String) -> String? {
        CommandLine.arguments.first { $0.hasPrefix("--\(name)=") }.map { String($0.dropFirst(name.count + 3)) }
    }
    guard let type = targets[value("target") ?? ""] else {
        stop("give --target=NAME with one of \(targets.keys.sorted().joined(separator: ", "))")
    }
    do {
        if let folder = value("seeds") {
            try write(type.seeds(), to: folder)
            _exit(0)
        }
        return try type.init()
    } catch {
        stop("\(error)")
    }
}()

/// What libFuzzer calls first: a wrong argument is told before it begins.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
    _ = selected
    return 0
}

/// What libFuzzer calls with each input. Whatever the bytes, nothing may crash or escape a target as an error.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try selected.run(UnsafeRawBufferPointer(start: data, count: count))
    } catch {
        fail("an error that no caller expects: \(error)")
    }
    return 0
}

private func write(_ seeds: [Seed], to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for seed in seeds {
        try Data(seed.bytes).write(to: URL(filePath: folder).appending(path: seed.name))
    }
}

private func stop(_ message: String) -> Never {
    FileHandle.standardError.write(Data("fuzzer: \(message)\n".utf8))
    _exit(2)
}
