import Foundation
import Hummingbird
import NIOCore
import NIOEmbedded
import SluiceAdminTestKit
import SluiceCore
import Synchronization
import Testing

@testable import SluiceAdmin

/// The events without a socket: what is queued for a reader, and when it is given up.
@Suite struct EventsTests {
    private static func event(_ number: Int, _ partition: Int32 = 0) -> AuditEvent {
        AuditEvent(
            id: "e-\(number)", type: "reset", stream: "a\nb", partition: partition, offset: 7, by: "x",
            time: Timestamp(1_767_225_600_000 + Int64(number) * 1_000))
    }

    private static func frames(_ text: String) -> [String] {
        text.components(separatedBy: "\n\n").filter { !$0.isEmpty }
    }

    @Test func framesAreNamedAndOneLineEach() async throws {
        let backend = FakeBackend()
        let hub = EventHub(backend: backend)
        backend.audit.publish(Self.event(1))
        let reader = try hub.subscribe(to: "pump-17", over: NIOAsyncTestingChannel())
        await hub.refresh([reader])
        backend.audit.publish(Self.event(2))
        var chunks = reader.makeAsyncIterator()
        let text = String(buffer: try #require(await chunks.next()))
        #expect(text.hasPrefix("retry: 2000\n\n"))
        #expect(text.hasSuffix("\n\n"))
        let slot = JSONWriter.text(of: try backend.stream("pump-17", fullState: false))
        #expect(
            Self.frames(text).dropFirst() == [
                "event: audit\ndata: \(JSONWriter.text(of: Self.event(1)))",
                "event: overview\ndata: \(JSONWriter.text(of: FakeBackend.overview))",
                "event: stream\ndata: \(slot)",
                "event: audit\ndata: \(JSONWriter.text(of: Self.event(2)))",
            ])
        #expect(slot.hasPrefix("{\"stream\":\"pump-17\""))
    }

    @Test func aStreamIsToldWhenItHasChangedAndWhenItHasEnded() async throws {
        let backend = FakeBackend()
        let hub = EventHub(backend: backend)
        let reader = try hub.subscribe(to: "pump-17", over: NIOAsyncTestingChannel())
        var chunks = reader.makeAsyncIterator()
        func told() async -> Int {
            await hub.refresh([reader])
            let text = await chunks.next(isolation: #isolation).map { String(buffer: $0) } ?? ""
            return Self.frames(text).count { $0.hasPrefix("event: stream\n") }
        }
        #expect(await told() == 1)
        #expect(await told() == 0)
        backend.change { $0.slots["pump-17"]?.offset += 1 }
        #expect(await told() == 1)
        backend.change { $0.failure = SluiceError(.broker, "away", retry: .later) }
        #expect(await told() == 0)
        backend.change { ($0.failure, $0.slots["pump-17"]) = (nil, nil) }
        await hub.refresh([reader])
        let text = String(buffer: try #require(await chunks.next()))
        #expect(Self.frames(text).contains("event: stream\ndata: null"))
        #expect(await told() == 0)
    }

    @Test func theHistoryIsInOrderOfTimeWithoutRepetitionAndBounded() async throws {
        let feed = AuditFeed()
        for number in [3, 1, 2, 3] { feed.publish(Self.event(number)) }
        feed.publish(Self.event(3, 1))
        #expect(Self.heard(feed).map(\.id) == ["e-1", "e-2", "e-3", "e-3"])
        for number in 10..<200 { feed.publish(Self.event(number)) }
        let history = Self.heard(feed)
        #expect(history.count == AuditFeed.historyMaximum)
        #expect(history.first?.id == "e-100" && history.last?.id == "e-199")
    }

    private static func heard(_ feed: AuditFeed) -> [AuditEvent] {
        final class Heard: Sendable {
            let events = Mutex<[AuditEvent]>([])
        }
        let heard = Heard()
        feed.detach(feed.attach { event in heard.events.withLock { $0.append(event) } })
        return heard.events.withLock { $0 }
    }

    @Test func aReaderThatLetsTooMuchWaitLosesItsConnection() async throws {
        let channel = NIOAsyncTestingChannel()
        let hub = EventHub(backend: FakeBackend())
        let slow = try hub.subscribe(to: nil, over: channel)
        let text = String(repeating: "x", count: Limits.eventBytesWaiting / 4)
        var chunks = slow.makeAsyncIterator()
        for index in 0..<3 { slow.send(stream: text + "\(index)") }
        #expect(await chunks.next().map { $0.readableBytes > 3 * text.utf8.count } == true, "it kept up")
        for index in 3..<8 { slow.send(stream: text + "\(index)") }
        try await channel.closeFuture.get()
        #expect(await chunks.next() == nil, "nothing is kept for it")
    }

    @Test func anEndedStreamWritesWhatWaitsAndDoesNotHoldItsConnection() async throws {
        let channel = NIOAsyncTestingChannel()
        let reader = try EventHub(backend: FakeBackend()).subscribe(to: nil, over: channel)
        reader.end()
        var chunks = reader.makeAsyncIterator()
        #expect(await chunks.next().map { String(buffer: $0) } == "retry: 2000\n\n")
        #expect(await chunks.next() == nil)
        await channel.testingEventLoop.advanceTime(by: .seconds(EventSubscription.endSeconds))
        try await channel.closeFuture.get()
    }

    @Test func readersAreCountedUntilTheyLeave() async throws {
        let hub = EventHub(backend: FakeBackend())
        var readers: [EventSubscription] = []
        for _ in 0..<Limits.eventStreams {
            readers.append(try hub.subscribe(to: nil, over: NIOAsyncTestingChannel()))
        }
        let problem = #expect(throws: Problem.self) { try hub.subscribe(to: nil, over: NIOAsyncTestingChannel()) }
        #expect(problem?.status == 503 && problem?.code == "events-full")
        readers.removeLast()
        readers.append(try hub.subscribe(to: nil, over: NIOAsyncTestingChannel()))
        #expect(throws: Problem.self) { try hub.subscribe(to: nil, over: NIOAsyncTestingChannel()) }
    }

    @Test func headersOfTheEventsAreThoseOfAStream() async throws {
        let answer = try await ask(.head, "/v1/events")
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "text/event-stream")
        #expect(answer.headers[.cacheControl] == "no-store")
        for query in ["stream=", "steam=x", "stream=a&stream=b"] {
            #expect(try await ask(.get, "/v1/events?\(query)").problem?.code == "parameter-invalid")
        }
    }
}
