internal import NIOCore

/// Reads the frames of one connection as they pass in both directions and changes two things: topics named in a
/// metadata request are reported before the request goes on, and broker ports in the answers to metadata and
/// coordinator requests become the forwarder's own. All else, records above all, goes through unread and in pieces.
///
/// A frame is a length (Int32, big endian) and that many bytes. A request begins with api key, version, correlation id;
/// an answer with the correlation id. The broker speaks metadata versions 0 to 2 and coordinator versions 0 to 2, all
/// of one plain layout.
struct ForwardedFrames {
    enum Failure: Error {
        case frameTooLarge, malformed, tooManyRequests
    }
    private struct Request {
        static let metadata: Int16 = 3
        static let findCoordinator: Int16 = 10
        var key: Int16
        var version: Int16
    }

    /// Requests of one connection that wait for an answer that will be changed.
    static let outstandingMax = 1_024

    private let port: Int32
    private var requests = FrameSplitter(headerBytes: 12)
    private var answers = FrameSplitter(headerBytes: 8)
    /// Requests whose answers will be changed, by correlation id.
    private var outstanding: [Int32: Request] = [:]

    init(port: Int) { self.port = Int32(port) }

    /// What can go to the broker now. `mention` is called with topics before the request that names them goes.
    mutating func request(_ bytes: ByteBuffer, mention: (String) -> Void) throws -> ByteBuffer {
        requests.append(bytes)
        var output = ByteBuffer()
        while let piece = try requests.next(isWatched: { header in
            let key: Int16? = header.getInteger(at: header.readerIndex + 4)
            return key == Request.metadata || key == Request.findCoordinator
        }) {
            guard case .frame(var frame) = piece else {
                if case .part(var part) = piece { output.writeBuffer(&part) }
                continue
            }
            var header = frame
            guard
                let (_, key, version, correlation) = header.readMultipleIntegers(as: (Int32, Int16, Int16, Int32).self)
            else { throw Failure.malformed }
            guard outstanding.count < Self.outstandingMax else { throw Failure.tooManyRequests }
            outstanding[correlation] = Request(key: key, version: version)
            if key == Request.metadata { try Self.topics(&header).forEach(mention) }
            output.writeBuffer(&frame)
        }
        return output
    }

    /// What can go to the client now.
    mutating func answer(_ bytes: ByteBuffer) throws -> ByteBuffer {
        answers.append(bytes)
        var output = ByteBuffer()
        while true {
            let waiting = outstanding
            let piece = try answers.next { header in
                header.getInteger(at: header.readerIndex + 4, as: Int32.self).map { waiting[$0] != nil } ?? false
            }
            guard let piece else { return output }
            switch piece {
            case .part(var part):
                output.writeBuffer(&part)
            case .frame(var frame):
                guard let correlation: Int32 = frame.getInteger(at: frame.readerIndex + 4),
                    let request = outstanding.removeValue(forKey: correlation)
                else { throw Failure.malformed }
                let changed =
                    request.key == Request.metadata
                    ? Self.replacePorts(inMetadata: &frame, request.version, port)
                    : Self.replacePort(inCoordinator: &frame, request.version, port)
                guard changed else { throw Failure.malformed }
                output.writeBuffer(&frame)
            }
        }
    }

    /// Topics of a metadata request whose fixed header has been read; none for "all topics".
    private static func topics(_ request: inout ByteBuffer) throws -> [String] {
        guard skipString(&request), let count: Int32 = request.readInteger() else { throw Failure.malformed }
        var names: [String] = []
        for _ in 0..<max(0, count) {
            guard let length: Int16 = request.readInteger(), length >= 0,
                let name = request.readString(length: Int(length))
            else { throw Failure.malformed }
            names.append(name)
        }
        return names
    }

    /// length, correlation, [node, host, port, rack from version 1 on], …
    private static func replacePorts(inMetadata frame: inout ByteBuffer, _ version: Int16, _ port: Int32) -> Bool {
        var reader = frame
        reader.moveReaderIndex(forwardBy: 8)
        guard let brokers: Int32 = reader.readInteger() else { return false }
        for _ in 0..<max(0, brokers) {
            guard reader.readInteger(as: Int32.self) != nil, skipString(&reader) else { return false }
            frame.setInteger(port, at: reader.readerIndex)
            guard reader.readInteger(as: Int32.self) != nil else { return false }
            if version >= 1, !skipString(&reader) { return false }
        }
        return true
    }

    /// length, correlation, throttle from version 1 on, error, message from version 1 on, node, host, port.
    private static func replacePort(inCoordinator frame: inout ByteBuffer, _ version: Int16, _ port: Int32) -> Bool {
        var reader = frame
        reader.moveReaderIndex(forwardBy: version >= 1 ? 12 : 8)
        guard let error: Int16 = reader.readInteger() else { return false }
        if version >= 1, !skipString(&reader) { return false }
        guard reader.readInteger(as: Int32.self) != nil, skipString(&reader), reader.readableBytes >= 4 else {
            return false
        }
        if error == 0 { frame.setInteger(port, at: reader.readerIndex) }
        return true
    }

    /// A length (Int16, −1 for null) and that many bytes.
    private static func skipString(_ reader: inout ByteBuffer) -> Bool {
        guard let length: Int16 = reader.readInteger() else { return false }
        guard length > 0 else { return true }
        guard reader.readableBytes >= Int(length) else { return false }
        reader.moveReaderIndex(forwardBy: Int(length))
        return true
    }
}

/// Splits one direction of a connection: watched frames whole, all else as it comes.
struct FrameSplitter {
    enum Piece {
        /// Bytes of frames nobody watches.
        case part(ByteBuffer)
        /// A watched frame, its length included.
        case frame(ByteBuffer)
    }

    /// Bytes of a watched frame.
    static let frameBytesMax = 4 << 20

    let headerBytes: Int
    private var held = ByteBuffer()
    /// Bytes of the present frame that pass unread.
    private var passing = 0

    init(headerBytes: Int) { self.headerBytes = headerBytes }

    mutating func append(_ bytes: ByteBuffer) {
        held.discardReadBytes()
        held.writeImmutableBuffer(bytes)
    }

    /// The next piece, or nil until more bytes have come.
    mutating func next(isWatched: (ByteBuffer) -> Bool) throws -> Piece? {
        if passing == 0 {
            guard held.readableBytes >= headerBytes, let length: Int32 = held.getInteger(at: held.readerIndex) else {
                return nil
            }
            guard Int(length) >= headerBytes - 4 else { throw ForwardedFrames.Failure.malformed }
            let size = Int(length) + 4
            if isWatched(held) {
                guard size <= Self.frameBytesMax else { throw ForwardedFrames.Failure.frameTooLarge }
                return held.readSlice(length: size).map { .frame($0) }
            }
            passing = size
        }
        guard held.readableBytes > 0, let part = held.readSlice(length: min(passing, held.readableBytes)) else {
            return nil
        }
        passing -= part.readableBytes
        return .part(part)
    }
}
