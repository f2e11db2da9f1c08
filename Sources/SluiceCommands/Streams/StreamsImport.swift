internal import ArgumentParser
internal import Foundation
internal import SluiceAdmin
internal import SluiceCore
internal import SluiceFiles

/// `sluice streams import`.
struct StreamsImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Let a stream go on from a state that was exported.",
        discussion: """
            The stream's next observation is folded from the snapshot, whatever its state is now. The import is \
            recorded with the snapshot and audited, and applied between two observations; 'sluice streams reset' or \
            another import takes it back. The snapshot must be of the model that predicts.

            Examples:
              sluice streams import pump-17.slot
              sluice streams import pump-17.slot --as pump-18
              sluice streams import pump-17.slot --partition 3
              sluice streams export pump-17 --at 12345 | sluice streams import -
            """)

    @Argument(help: "The file; '-' is stdin.")
    var file: String

    @Option(name: .customLong("as"), help: "The stream that goes on from it; else the one whose state it is.")
    var stream: String?

    @Option(help: "Where the records of a stream go that has not been seen yet.")
    var partition: Int32?

    @OptionGroup var service: ServiceOptions

    func validate() throws {
        guard partition ?? 0 >= 0 else { throw ValidationError("Partitions begin at 0.") }
        guard stream != "" else { throw ValidationError("No stream has an empty key.") }
    }

    func run() async throws {
        let console = Console.current
        let bytes = try read()
        let key = try stream ?? SnapshotFile(bytes, file).key
        let query = partition.map { [("partition", String($0))] } ?? []
        let answer = try await service.client().post(
            ["v1", "streams", key, "import"], query: query, body: Data(bytes), type: "application/octet-stream")
        if service.format == .json { return console.line(answer.text) }
        if answer.status == 202 {
            let id = try answer.decode(PendingCommand.self).id
            console.line("import \(id) into \(key.printable) is queued: it was not applied within 10 s")
            return console.line("the events topic records \(id) when it is, or why it is refused")
        }
        let done = try answer.decode(AppliedCommand.self)
        console.line(
            "import \(key.printable): goes on from the snapshot at offset \(done.offset) of partition \(done.partition)"
                + " (\(done.id))")
    }

    private func read() throws -> [UInt8] {
        if file == "-" {
            let data = try FileHandle.standardInput.read(upToCount: Limits.snapshotBytes + 1) ?? Data()
            return Array(data)
        }
        guard let bytes = try FileBytes.read(file, limit: Limits.snapshotBytes) else {
            throw SluiceError(.file, "there is no file \(file)", remedy: "'sluice streams export' makes one")
        }
        return bytes
    }
}
