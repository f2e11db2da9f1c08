import Foundation
import SluiceCore

/// A parser of bytes from outside, and what must hold of whatever it makes of them.
protocol FuzzTarget: SendableMetatype {
    init() throws

    /// Where the corpus began.
    static func seeds() throws -> [Seed]

    /// Parses the bytes. The same bytes must do the same in every process: nothing is kept from one call to the next.
    func run(_ bytes: UnsafeRawBufferPointer) throws
}

struct Seed {
    let name: String
    let bytes: [UInt8]

    init(_ name: String, _ bytes: some Sequence<UInt8>) {
        self.name = name
        self.bytes = Array(bytes)
    }

    init(_ name: String, _ text: String) { self.init(name, text.utf8) }
}

/// Ends the process if a promise is broken: libFuzzer then keeps the input.
func check(_ holds: @autoclosure () throws -> Bool, _ promise: @autoclosure () -> String) rethrows {
    if try !holds() { fail(promise()) }
}

func fail(_ what: String) -> Never {
    FileHandle.standardError.write(Data("fuzzer: broken: \(what)\n".utf8))
    abort()
}

extension UnsafeRawBufferPointer {
    /// The parts between bytes 0xFF, which no UTF-8 has: one input of several texts, each readable in its file.
    var parts: [[UInt8]] { split(separator: 0xFF, omittingEmptySubsequences: false).map(Array.init) }
}

/// Lends bytes as the log client would: nil has no address, an empty value has one.
func withBytes<Result>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    guard let bytes else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    guard bytes.isEmpty else { return try bytes.withUnsafeBytes(body) }
    return try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) {
        try body(UnsafeRawBufferPointer(start: $0.baseAddress, count: 0))
    }
}

/// Files of the repository that seeds are made from.
enum Repository {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")

    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: root.appending(path: path))) }

    /// The objects that stand on a line of their own: the examples of a schema.
    static func examples(_ schema: String) throws -> [String] {
        let text = String(decoding: try bytes("schemas/\(schema)"), as: UTF8.self)
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        let objects = lines.filter { $0.hasPrefix("{\"") && ($0.hasSuffix("}") || $0.hasSuffix("},")) }
        return objects.map { String($0.last == "," ? $0.dropLast() : $0) }
    }
}

/// What `parse` makes of its bytes; nil where it refuses them as it should.
func expecting<Result>(_ codes: SluiceError.Code..., parse: () throws -> Result) throws -> Result? {
    do {
        return try parse()
    } catch let error as SluiceError where codes.contains(error.code) {
        check(!error.description.isEmpty, "a refusal says why")
        return nil
    }
}
