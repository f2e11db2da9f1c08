import Foundation
import SluiceCore
import SluiceFiles
import Testing

@Suite struct FileBytesTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "sluice-files-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test func whatReplacesIsReadAndMapped() throws {
        try withFolder { folder in
            let path = folder + "/a"
            #expect(try FileBytes.read(path, limit: 3) == nil)
            #expect(try FileBytes.withMapped(path) { $0.count } == nil)
            for bytes in [[1, 2, 3], [4], []] as [[UInt8]] {
                try FileBytes.replace(path, with: bytes)
                #expect(try FileBytes.read(path, limit: 3) == bytes)
                #expect(try FileBytes.withMapped(path) { Array($0) } == bytes)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
        }
    }

    @Test func whatIsNoFileOfThatSizeIsRefused() throws {
        try withFolder { folder in
            try FileBytes.replace(folder + "/a", with: [1, 2, 3])
            for (path, reason) in [(folder + "/a", "has 3 bytes, and may have 2"), (folder, "is not a regular file")] {
                let error = #expect(throws: SluiceError.self) { try FileBytes.read(path, limit: 2) }
                #expect(error?.code == .file && error?.message == "\(path) \(reason)")
            }
        }
    }

    @Test func linksAreFollowedAndWhatIsNoFileIsWrittenTo() throws {
        try withFolder { folder in
            try FileBytes.replace(folder + "/a", with: [1])
            try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "a")
            try FileBytes.replace(folder + "/link", with: [2])
            #expect(try FileBytes.read(folder + "/a", limit: 1) == [2])
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/link") == "a")

            #expect(mkfifo(folder + "/pipe", 0o600) == 0)
            let reader = open(folder + "/pipe", O_RDONLY | O_NONBLOCK)
            defer { close(reader) }
            try FileBytes.replace(folder + "/pipe", with: [3, 4])
            var bytes: [UInt8] = [0, 0, 0]
            #expect(read(reader, &bytes, 3) == 2 && bytes == [3, 4, 0])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a", "link", "pipe"])
        }
    }

    @Test func failureLeavesWhatWasThere() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/a/b", withIntermediateDirectories: true)
            let error = #expect(throws: SluiceError.self) { try FileBytes.replace(folder + "/a", with: [1]) }
            #expect(error?.message == "\(folder)/a cannot be written" && error?.retry == .later)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
        }
    }
}
