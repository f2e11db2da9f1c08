import Foundation
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceSchema

@Suite struct MessageTests {
    static let command = Command(
        id: "c-1", target: .stream("pump \"17\""), by: "anna", time: 1_767_225_900_000)

    private func text(_ write: (inout ByteArena) -> Range<Int>) -> String {
        var arena = ByteArena(capacity: 8)
        let range = write(&arena)
        return String(decoding: arena.bytes(range), as: UTF8.self)
    }

    @Test func aResetIsWrittenInTheOrderOfTheContract() {
        #expect(
            text { Self.command.encode(into: &$0) }
                == #"{"id":"c-1","type":"reset","stream":"pump \"17\"","by":"anna","time":"2026-01-01T00:05:00Z"}"#)
        let event = Event(Self.command, partition: 3, offset: 12_345, control: 8)
        #expect(
            text { event.encode(into: &$0) }
                == #"{"id":"c-1","type":"reset","stream":"pump \"17\"","partition":3,"offset":12345,"by":"anna","#
                + #""time":"2026-01-01T00:05:00Z","control":8}"#)
    }

    @Test func commandsAndEventsReadBack() throws {
        let decoder = try MessageDecoder()
        let commands = [
            Self.command, Command(id: "2", target: .prefix(""), by: "b", time: 1),
            Command(id: "3", type: .swap, target: nil, model: "v8", by: "retrain", time: 2),
        ]
        for command in commands {
            #expect(try read(text { command.encode(into: &$0) }) { try decoder.command($0) } == command)
            var event = Event(command, partition: 1, offset: 2, control: 3)
            #expect(try read(text { event.encode(into: &$0) }) { try decoder.event($0) } == event)
            event.control = nil
            event.cause = "gap"
            event.type = MessageType(rawValue: "something-new")
            #expect(try read(text { event.encode(into: &$0) }) { try decoder.event($0) } == event)
        }
    }

    /// What is kept of commands is kept by their ids.
    @Test func anIdIsBounded() throws {
        let decoder = try MessageDecoder()
        var command = Self.command
        let ids = ["": false, String(repeating: "ä", count: 128): true, String(repeating: "a", count: 257): false]
        for (id, isRead) in ids {
            command.id = id
            let text = text { command.encode(into: &$0) }
            let found = try? read(text) { try decoder.command($0) }
            #expect((found == command) == isRead, "\(id.utf8.count) bytes")
        }
    }

    @Test func aRefusalIsTheCommandWithoutItsStateAndTheReason() throws {
        var command = Self.command
        (command.type, command.snapshot) = (.import, [1, 2, 3])
        let event = Event(refusing: command, partition: 3, offset: 12_345, control: 8, cause: "import: foreign")
        #expect(
            text { event.encode(into: &$0) }
                == #"{"id":"c-1","type":"refused","stream":"pump \"17\"","partition":3,"offset":12345,"by":"anna","#
                + #""time":"2026-01-01T00:05:00Z","control":8,"cause":"import: foreign"}"#)
        #expect(!event.isCommand)
    }

    @Test(arguments: [
        ("x", "JSON"), ("{}", "partition"), (#"{"partition":-1}"#, "partition"), (#"{"partition":1,"offset":1}"#, "id"),
        (#"{"partition":1,"offset":1,"id":"a","type":"reset","by":"b","time":"soon"}"#, "time"),
        (#"{"partition":1,"offset":1,"id":7}"#, "id"), (#"{"partition":4294967296}"#, "partition"),
        (#"{"partition":1,"offset":1,"id":"a","type":"reset","stream":"a","prefix":"b","by":"b"}"#, "prefix"),
    ]) func malformedEventsAreRefusedByMember(_ json: String, _ member: String) throws {
        let decoder = try MessageDecoder()
        let error = #expect(throws: SluiceError.self) { try read(json) { try decoder.event($0) } }
        #expect(error?.code == .invalidInput)
        #expect(error?.message.contains(member) == true)
    }

    private func read<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try Array(text.utf8).withUnsafeBytes { try body($0) }
    }

    private func reject(
        key: [UInt8]?, value: [UInt8]?, bytesMax: Int = 1_000_000
    ) -> (key: [UInt8]?, value: [UInt8]?, headers: [String: String]) {
        let message = RejectMessage(
            code: .tooLarge, message: "too large", topic: "observations", partition: 3, offset: 12_345)
        var arena = ByteArena(capacity: 8)
        let encoded = withBytes(key) { key in
            withBytes(value) { message.encode(key: key, value: $0, bytesMax: bytesMax, into: &arena) }
        }
        var headers: [String: String] = [:]
        for header in encoded.headers {
            headers[header.name] = String(decoding: arena.bytes(header.value), as: UTF8.self)
        }
        return (encoded.key.map { Array(arena.bytes($0)) }, encoded.value.map { Array(arena.bytes($0)) }, headers)
    }

    @Test func aRejectKeepsKeyBytesAndReason() {
        let reject = reject(key: [0xFF], value: [1, 2, 3])
        #expect(reject.key == [0xFF])
        #expect(reject.value == [1, 2, 3])
        #expect(
            reject.headers == [
                "sluice-error": "too-large", "sluice-message": "too large", "sluice-source": "observations/3/12345",
            ])
        #expect(self.reject(key: nil, value: nil).key == nil)
        #expect(self.reject(key: nil, value: nil).value == nil)
        #expect(self.reject(key: [], value: []).value == [])
    }

    @Test func aLargeRejectIsCutAndSealed() {
        let reject = reject(key: [1], value: [UInt8](repeating: 0, count: 10 << 20), bytesMax: 100_000_000)
        #expect(reject.value?.count == Limits.rejectBodyBytes)
        #expect(reject.headers["sluice-truncated"] == "10485760")
        #expect(
            reject.headers["sluice-sha256"] == "e5b844cc57f57094ea4585e235f36c78c1cd222262bb89d53c94dcb4d6b3e55d")
        let unproducible = self.reject(key: [1], value: [UInt8](repeating: 0, count: 10_000), bytesMax: 9_000)
        #expect(unproducible.value?.count == Limits.rejectBodyBytes)
        let key = self.reject(key: [UInt8](repeating: 1, count: 2_000_000), value: [1])
        #expect(key.key?.count == Limits.rejectBodyBytes)
        #expect(key.value == [1])
        #expect(key.headers["sluice-key-truncated"] == "2000000")
        #expect(key.headers["sluice-truncated"] == nil)
    }
}
