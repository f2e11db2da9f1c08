import Foundation
import SluiceCore
import Testing

@testable import SluiceStore

@Suite struct StateDirectoryTests {
    private func error(_ body: () throws -> Void) -> SluiceError? {
        do {
            try body()
            return nil
        } catch { return error as? SluiceError }
    }

    @Test func itIsMadeWithItsParents() throws {
        let folder = try TemporaryFolder()
        let directory = try StateDirectory(folder.path + "/a//b/c/", identity: identity)
        #expect(directory.identity == identity)
        let text = try String(contentsOfFile: folder.path + "/a/b/c/identity", encoding: .utf8)
        #expect(text == "cluster=c1\napplication=pumps\ntopic=observations\n")
    }

    @Test func anothersStateIsRefusedAndNamed() throws {
        let folder = try TemporaryFolder()
        do { _ = try folder.open() }
        for other in [
            StateIdentity(cluster: "c2", application: "pumps", topic: "observations"),
            StateIdentity(cluster: "c1", application: "fans", topic: "observations"),
            StateIdentity(cluster: "c1", application: "pumps", topic: "others"),
        ] {
            let refusal = try #require(error { _ = try folder.open(other) })
            #expect(refusal.code == .foreignState && refusal.retry == .never)
            #expect(refusal.message.contains("cluster=c1, application=pumps, topic=observations"))
            #expect(
                refusal.message.contains(
                    "cluster=\(other.cluster), application=\(other.application), topic=\(other.topic)"))
            #expect(refusal.remedy?.contains("state.directory") == true)
        }
        #expect(error { _ = try folder.open() } == nil, "a refusal leaves the directory free")
    }

    /// A file closed twice closes someone else's.
    @Test func aRefusalClosesNoFileButItsOwn() throws {
        let folder = try TemporaryFolder()
        do { _ = try folder.open() }
        let other = StateIdentity(cluster: "c2", application: "pumps", topic: "observations")
        for _ in 0..<50 {
            let pipe = Pipe()
            #expect(error { _ = try folder.open(other) } != nil)
            let after = Pipe()
            pipe.fileHandleForWriting.write(Data([1]))
            #expect(pipe.fileHandleForReading.availableData == Data([1]))
            after.fileHandleForWriting.write(Data([2]))
            #expect(after.fileHandleForReading.availableData == Data([2]))
        }
    }

    @Test func aSecondInstanceIsRefusedUntilTheFirstIsGone() throws {
        let folder = try TemporaryFolder()
        do {
            let first = try folder.open()
            let refusal = try #require(error { _ = try folder.open() })
            #expect(refusal.code == .file)
            #expect(refusal.message.contains("another process uses the state directory"))
            _ = first.makeStores(.cached)
        }
        _ = try folder.open()
    }

    @Test func aSecondProcessIsRefused() throws {
        let folder = try TemporaryFolder()
        do { _ = try folder.open() }
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        let output = Pipe()
        other.arguments = [folder.path + "/state/lock", "sh", "-c", "echo held; exec cat"]
        let input = Pipe()
        (other.standardInput, other.standardOutput) = (input, output)
        try other.run()
        #expect(output.fileHandleForReading.availableData == Data("held\n".utf8))
        #expect(error { _ = try folder.open() }?.code == .file)
        try input.fileHandleForWriting.close()
        other.waitUntilExit()
        #expect(error { _ = try folder.open() } == nil)
    }

    @Test func aStoreKeepsItsDirectoryClaimed() throws {
        let folder = try TemporaryFolder()
        var store: RocksStores? = try folder.open().makeStores(.synced)
        #expect(store != nil)
        #expect(error { _ = try folder.open() } != nil)
        store = nil
        #expect(error { _ = try folder.open() } == nil)
    }

    @Test func aDirectoryThatCannotBeMadeOrWrittenIsRefused() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(fileURLWithPath: folder.path + "/state"))
        for path in ["/state", "/state/below", "/state/below/that"] {
            let refusal = try #require(error { _ = try StateDirectory(folder.path + path, identity: identity) })
            #expect(refusal.code == .file)
            #expect(refusal.remedy?.contains("state.directory") == true)
            #expect(refusal.message.contains(folder.path + "/state"))
        }
    }
}
