internal import CSimdJSON
internal import SluiceCore

/// The values at a fixed list of JSON pointers, found in one strict walk over a document.
///
/// What is accepted is JSON to the last byte (RFC 8259): grammar, UTF-8, escapes and numbers are checked also where
/// no pointer leads, nothing may follow the document, at most 256 levels. Of equal keys the last counts. Owner of the
/// C parser.
struct JSONPointerParser: ~Copyable {
    private let handle: OpaquePointer
    /// One result per pointer. Content and texts are valid until the next parse.
    let values: UnsafePointer<sluice_json_value>

    /// Throws `configuration-invalid` for a pointer that is not one (RFC 6901) or names the whole document.
    init(_ pointers: [String]) throws(SluiceError) {
        var texts = ContiguousArray<CChar>()
        var lengths: [Int] = []
        for pointer in pointers {
            texts.append(contentsOf: pointer.utf8.lazy.map { CChar(bitPattern: $0) })
            lengths.append(pointer.utf8.count)
        }
        var invalid = 0
        let created = texts.withUnsafeBufferPointer { all -> OpaquePointer? in
            var start = 0
            let starts = lengths.map { length -> UnsafePointer<CChar>? in
                defer { start += length }
                return all.baseAddress.map { $0 + start }
            }
            return sluice_json_parser_create(starts, lengths, pointers.count, &invalid)
        }
        guard let created else {
            guard pointers.indices.contains(invalid) else {
                throw SluiceError(.unsupported, "no memory for a JSON parser")
            }
            throw SluiceError(
                .invalidConfiguration, "\"\(pointers[invalid])\" is not a JSON pointer to a part of a document",
                remedy: "write it as /values/temperature; ~ is ~0 and / is ~1 within a name")
        }
        handle = created
        values = sluice_json_values(created)
    }

    deinit { sluice_json_parser_destroy(handle) }

    /// Nil when the document is good, else what is wrong with it.
    @inline(__always)
    func parse(_ document: UnsafeRawBufferPointer) -> UnsafePointer<CChar>? {
        sluice_json_parse(handle, document.baseAddress, document.count)
    }
}

extension sluice_json_value {
    @inline(__always)
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: text, count: Int(length)) }

    var string: String { String(decoding: bytes, as: UTF8.self) }

    /// What a person calls such a value.
    var noun: String {
        switch kind {
        case SLUICE_JSON_MISSING: "missing"
        case SLUICE_JSON_NULL: "null"
        case SLUICE_JSON_BOOL: "a boolean"
        case SLUICE_JSON_INTEGER, SLUICE_JSON_NUMBER: "a number"
        case SLUICE_JSON_OUT_OF_RANGE: "a number out of range"
        case SLUICE_JSON_STRING: "a text"
        case SLUICE_JSON_CONTAINER: "an object or an array"
        default: "not where it should be: the path leads through another kind of value"
        }
    }
}
