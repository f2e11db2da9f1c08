import NIOCore
import SluiceCore
import Testing

@testable import SluiceKafka

/// What the forwarder makes of the bytes of both directions, however they arrive and whatever they are.
@Suite struct ForwardedFramesTests {
    private static let port = 19_092

    /// A frame with its length.
    private static func frame(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
        var body = ByteBuffer()
        write(&body)
        var frame = ByteBuffer()
        frame.writeInteger(Int32(body.readableBytes))
        frame.writeBuffer(&body)
        return Array(frame.readableBytesView)
    }

    private static func string(_ text: String?, _ buffer: inout ByteBuffer) {
        buffer.writeInteger(text.map { Int16($0.utf8.count) } ?? -1)
        if let text { buffer.writeString(text) }
    }

    private static func request(_ key: Int16, _ version: Int16, _ correlation: Int32, topics: [String]) -> [UInt8] {
        frame {
            $0.writeMultipleIntegers(key, version, correlation)
            string("client", &$0)
            $0.writeInteger(Int32(topics.count))
            for topic in topics { string(topic, &$0) }
        }
    }

    /// Brokers and the rest of an answer to a metadata request of version 1.
    private static func metadata(_ correlation: Int32, port: Int) -> [UInt8] {
        frame {
            $0.writeMultipleIntegers(correlation, Int32(2))
            for node in [Int32(1), 2] {
                $0.writeInteger(node)
                string("127.0.0.1", &$0)
                $0.writeInteger(Int32(port))
                string(nil, &$0)
            }
            $0.writeMultipleIntegers(Int32(1), Int32(0))
        }
    }

    private static let requests =
        request(0, 7, 1, topics: ["produced"]) + request(3, 1, 2, topics: ["a", "b"]) + request(1, 4, 3, topics: [])
    private static let answers = metadata(1, port: 5) + metadata(2, port: 5) + metadata(3, port: 5)
    /// Only what was asked for by a watched request is changed.
    private static let changed = metadata(1, port: 5) + metadata(2, port: port) + metadata(3, port: 5)

    /// Passes bytes on in pieces that end at `cuts`.
    private static func pass(
        _ bytes: [UInt8], cuts: [Int], _ body: (ByteBuffer) throws -> ByteBuffer
    ) rethrows -> [UInt8] {
        var output: [UInt8] = []
        for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
            output += Array(try body(ByteBuffer(bytes: bytes[start..<end])).readableBytesView)
        }
        return output
    }

    @Test func portsOfAskedAnswersAloneAreReplacedHoweverBytesArrive() throws {
        for cut in 0..<max(Self.requests.count, Self.answers.count) {
            var frames = ForwardedFrames(port: Self.port)
            var mentioned: [String] = []
            let asked = try Self.pass(Self.requests, cuts: [min(cut, Self.requests.count)]) {
                try frames.request($0) { mentioned.append($0) }
            }
            #expect(asked == Self.requests && mentioned == ["a", "b"])
            let cuts = [min(cut, Self.answers.count), min(cut + 3, Self.answers.count)]
            #expect(try Self.pass(Self.answers, cuts: cuts) { try frames.answer($0) } == Self.changed)
        }
    }

    /// Bytes that are no frames end the connection or pass: nothing is read that is not there.
    @Test func damagedFramesAreRefusedOrPassAtTheirLength() throws {
        for place in Self.answers.indices {
            for bit in [0x01, 0x40, 0x80] as [UInt8] {
                var frames = ForwardedFrames(port: Self.port)
                _ = try frames.request(ByteBuffer(bytes: Self.requests)) { _ in }
                var damaged = Self.answers
                damaged[place] ^= bit
                let passed = try? frames.answer(ByteBuffer(bytes: damaged))
                #expect((passed?.readableBytes ?? 0) <= damaged.count)
            }
        }
        for place in Self.requests.indices {
            var frames = ForwardedFrames(port: Self.port)
            var damaged = Self.requests
            damaged[place] ^= 0x80
            let passed = try? frames.request(ByteBuffer(bytes: damaged)) { _ in }
            #expect((passed?.readableBytes ?? 0) <= damaged.count)
        }
    }
}
