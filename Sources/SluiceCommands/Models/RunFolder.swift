internal import Foundation
internal import SluiceCore
internal import SluiceFiles
internal import SluiceTraining

/// The folder of a run of training: its search, its checkpoint while there is something left to train, and its report.
/// It is made when there is something to be kept: a run that comes to nothing leaves none behind.
struct RunFolder {
    private static let namesMaximum = 1_000

    /// As it is, or will be unless another run takes the name first.
    private(set) var path: String
    /// Or resumed.
    let started: Timestamp
    private let isGiven: Bool
    /// Writing takes as long as a short epoch: what came since the last time is kept here until it is due.
    private var waiting: TrainingCheckpoint?
    private var writtenAt: ContinuousClock.Instant?
    private var isMade: Bool

    /// nil while nothing is kept.
    var kept: String? { isMade ? path : nil }

    private var checkpoint: CheckpointFile { CheckpointFile(folder: path) }

    /// For a run that begins: checks that it can be made.
    ///
    /// - Parameters:
    ///   - given: its name, or nil for one after the time.
    ///   - output: the model file.
    /// - Throws: `file`, also where it is there already.
    init(_ given: String?, beside output: String, started: Timestamp) throws {
        self.started = started
        (isGiven, isMade) = (given != nil, false)
        let parent = URL(filePath: output).deletingLastPathComponent().relativePath
        let name = Timestamp.text(started.milliseconds / 1_000 * 1_000).replacingOccurrences(of: ":", with: "-")
        path = given ?? (parent == "." ? "" : parent + "/") + "runs/" + name
        let files = FileManager.default
        if isGiven, files.fileExists(atPath: path) {
            throw SluiceError(
                .file, "\(path) is there already",
                remedy: "name a new folder with --run, or go on with the run in this one by --resume \(path)")
        }
        // The nearest folder that is there.
        var ancestor = URL(filePath: path).deletingLastPathComponent()
        while !files.fileExists(atPath: ancestor.path), ancestor.pathComponents.count > 1 {
            ancestor.deleteLastPathComponent()
        }
        var isDirectory: ObjCBool = false
        guard files.fileExists(atPath: ancestor.path, isDirectory: &isDirectory), isDirectory.boolValue,
            files.isWritableFile(atPath: ancestor.path)
        else {
            throw SluiceError(
                .file, "the run folder \(path) cannot be made", remedy: "name another with --run")
        }
    }

    /// Of a run that is resumed.
    init(resuming path: String, started: Timestamp) {
        self.path = path
        self.started = started
        (isGiven, isMade) = (true, true)
    }

    /// Writes the checkpoint if the last time is some seconds ago, else later.
    ///
    /// - Throws: `file`; the checkpoint before is still there then.
    mutating func keep(_ checkpoint: TrainingCheckpoint) throws {
        if let writtenAt, .now - writtenAt < Console.current.checkpointEvery {
            waiting = checkpoint
            return
        }
        try make()
        try self.checkpoint.write(checkpoint)
        (waiting, writtenAt) = (nil, .now)
    }

    /// - Throws: `file`; what was kept before is still there then.
    mutating func keep(_ search: TuningRecord) throws {
        try make()
        try TuningFile(folder: path).write(search)
    }

    /// Writes the report, and removes the checkpoint of a run that is over.
    ///
    /// - Throws: `file`; the checkpoint is still there then.
    mutating func write(_ report: [(name: String, text: String)], isOver: Bool) throws {
        try make()
        if let waiting, !isOver { try checkpoint.write(waiting) }
        for file in report { try FileBytes.replace(path + "/" + file.name, with: Array(file.text.utf8)) }
        if isOver { checkpoint.remove() }
    }

    private mutating func make() throws {
        guard !isMade else { return }
        let files = FileManager.default
        let parent = URL(filePath: path).deletingLastPathComponent().relativePath
        do {
            try files.createDirectory(atPath: parent, withIntermediateDirectories: true)
            for number in 1...Self.namesMaximum {
                let name = number == 1 ? path : "\(path)-\(number)"
                if mkdir(name, 0o777) == 0 {
                    (path, isMade) = (name, true)
                    return
                }
                guard !isGiven, errno == EEXIST else { break }
            }
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        } catch {
            let reason = (error as? POSIXError).map { String(cString: strerror($0.code.rawValue)) }
            throw SluiceError(
                .file, "the run folder \(path) cannot be made: \(reason ?? error.localizedDescription)",
                remedy: "is the disk full, or is the name taken? --run names another", retry: .later)
        }
    }
}

extension Timestamp {
    static var now: Timestamp { Timestamp(EpochMilliseconds(Date().timeIntervalSince1970 * 1_000)) }
}
