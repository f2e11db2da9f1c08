import Foundation
import SluiceAdminTestKit
import SluiceCore
import SluiceLSTM
import SluiceState
import Testing

@testable import SluiceCommands

@Suite struct SnapshotCommandTests {
    /// The state of a stream behind some observations.
    private func snapshot(_ key: String) throws -> [UInt8] {
        let layout = SlotLayout(
            shape: LSTMShape(inputs: 1, hidden: 3, layers: 1, outputs: 1), targets: 1, ringLength: 1)
        let zero = [Float](repeating: 0, count: layout.shape.stateFloats)
        let table = SlotTable(layout: layout, initialStates: InitialStates(zero, shape: layout.shape))
        let slot = Array(key.utf8).withUnsafeBytes { table.intern($0) }
        let header = table[slot].header
        (header.pointee.fence, header.pointee.time, header.pointee.boundaryTime) = (12_344, 1_000, 0)
        (header.pointee.step, header.pointee.boundaryOffset) = (412, 11_933)
        var arena = ByteArena()
        try SlotSnapshot(layout: layout, modelHash: String(repeating: "ab", count: 32))
            .write(slot, of: table, position: 12_345, control: 0, to: &arena)
        return Array(arena.bytes)
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "sluice-snapshots-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    @Test func anExportedFileCanBeImported() async throws {
        let backend = FakeBackend()
        let bytes = try snapshot("pump-17")
        backend.change { $0.snapshot = bytes }
        try await withFolder { folder in
            let file = folder + "/pump.slot"
            try await withService(backend) { url in
                let text = await sluice("streams", "export", "pump-17", "--output", file, "--at", "12345", "--url", url)
                #expect(
                    text
                        == CommandResult(code: 0, out: "pump-17 before offset 12345: step 412, in \(file)\n", error: "")
                )
                let written = try Data(contentsOf: URL(fileURLWithPath: file))
                #expect(Array(written) == bytes)
                let json = await sluice("streams", "export", "pump-17", "-o", file, "--json", "--url", url)
                let hash = String(repeating: "ab", count: 32)
                #expect(
                    json.out == #"{"stream":"pump-17","offset":12345,"step":412,"sha256":"\#(hash)","#
                        + #""bytes":\#(bytes.count),"file":"\#(file)"}"# + "\n")
                let own = await sluice("streams", "import", file, "--url", url)
                #expect(
                    own.out == "import pump-17: goes on from the snapshot at offset 12346 of partition 1 (i-1)\n")
                let other = await sluice(
                    "streams", "import", file, "--as", "new", "--partition", "2", "--url", url, "--json")
                #expect(other.out == #"{"id":"i-2","stream":"new","partition":2,"offset":12346}"# + "\n")
                let unknown = await sluice("streams", "import", file, "--as", "new", "--url", url)
                #expect(unknown.code == 1 && unknown.error.contains("partition="))
            }
        }
    }

    @Test func whatIsNoSnapshotIsNotSent() async throws {
        try await withFolder { folder in
            let backend = FakeBackend()
            let file = folder + "/other"
            try Data("SLOTH".utf8).write(to: URL(fileURLWithPath: file))
            try await withService(backend) { url in
                let result = await sluice("streams", "import", file, "--url", url)
                #expect(result.code == 1 && result.error.contains("\(file) is not the file of an exported stream"))
                let missing = await sluice("streams", "import", file + "s", "--url", url)
                #expect(missing.code == 1 && missing.error.contains("there is no file"))
            }
            #expect(backend.resets.isEmpty)
        }
    }

    @Test(arguments: [
        (["export", "k"], "no text for a terminal"), (["export", "k", "--json"], "--output FILE"),
        (["export", "k", "--at=-1"], "begin at 0"), (["export", "k", "--partition", "1", "-o", "f"], "--at"),
        (["import", "f", "--as", ""], "empty key"), (["import"], "file"),
    ])
    func wrongUsageIsRefused(arguments: [String], text: String) async {
        let result = await sluice("streams", list: arguments, isTerminal: true)
        #expect(result.code == 2 && result.error.contains(text), "\(result)")
    }
}
