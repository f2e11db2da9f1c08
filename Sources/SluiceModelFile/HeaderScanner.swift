internal import SluiceCore

/// A strict scanner of the JSON of a safetensors header, and of nothing else: duplicates are errors, which general JSON
/// readers overlook.
struct HeaderScanner {
    private let bytes: [UInt8]
    private let end: Int
    private var position: Int

    init(bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        self.position = range.lowerBound
        self.end = range.upperBound
    }

    mutating func header() throws(SluiceError) -> (metadata: [String: String], entries: [SafetensorsHeader.Entry]) {
        guard position < end, bytes[position] == UInt8(ascii: "{") else { throw malformed("does not begin with {") }
        var metadata: [String: String] = [:]
        var entries: [SafetensorsHeader.Entry] = []
        var names: Set<String> = []
        try object { scanner, key throws(SluiceError) in
            guard names.insert(key).inserted else { throw .model("tensor \(key) appears twice in the header") }
            if key == "__metadata__" {
                try scanner.object { scanner, key throws(SluiceError) in
                    guard metadata[key] == nil else { throw .model("metadata key \(key) appears twice in the header") }
                    metadata[key] = try scanner.string()
                }
            } else {
                entries.append(try scanner.entry(named: key))
            }
        }
        skipSpace()
        guard position == end else { throw malformed("has bytes after its JSON") }
        return (metadata, entries)
    }

    private mutating func entry(named name: String) throws(SluiceError) -> SafetensorsHeader.Entry {
        var (dtype, shape, offsets): (String?, [Int]?, [Int]?)
        try object { scanner, key throws(SluiceError) in
            switch key {
            case "dtype" where dtype == nil: dtype = try scanner.string()
            case "shape" where shape == nil: shape = try scanner.integers(atMost: 8)
            case "data_offsets" where offsets == nil: offsets = try scanner.integers(atMost: 2)
            default: throw .model("tensor \(name) has the unknown or repeated key \(key) in the header")
            }
        }
        guard let dtype, let shape, let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
            throw .model("tensor \(name) lacks a dtype, a shape or ascending data_offsets in the header")
        }
        return SafetensorsHeader.Entry(name: name, dtype: dtype, shape: shape, offsets: offsets[0]..<offsets[1])
    }

    // MARK: JSON

    /// `{"key": value, …}`, with `value` left to the closure.
    private mutating func object(
        _ member: (inout HeaderScanner, String) throws(SluiceError) -> Void
    ) throws(SluiceError) {
        try expect("{")
        if accept("}") { return }
        repeat {
            let key = try string()
            try expect(":")
            try member(&self, key)
        } while accept(",")
        try expect("}")
    }

    private mutating func integers(atMost limit: Int) throws(SluiceError) -> [Int] {
        try expect("[")
        if accept("]") { return [] }
        var values: [Int] = []
        repeat {
            guard values.count < limit else { throw malformed("has a list longer than \(limit)") }
            values.append(try integer())
        } while accept(",")
        try expect("]")
        return values
    }

    private mutating func integer() throws(SluiceError) -> Int {
        skipSpace()
        let start = position
        var value = 0
        while position < end, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Int(bytes[position] - UInt8(ascii: "0")))
            guard !overflow, !carried else { throw malformed("has a number that is too large") }
            value = sum
            position += 1
        }
        guard position > start else { throw malformed("lacks a whole number") }
        return value
    }

    private mutating func string() throws(SluiceError) -> String {
        try expect("\"")
        var utf8: [UInt8] = []
        while position < end {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: utf8, as: UTF8.self) else { throw malformed("is not UTF-8") }
                return text
            case UInt8(ascii: "\\"): try escape(into: &utf8)
            case 0..<0x20: throw malformed("has a control character in a string")
            default: utf8.append(byte)
            }
        }
        throw malformed("ends inside a string")
    }

    private mutating func escape(into utf8: inout [UInt8]) throws(SluiceError) {
        guard position < end else { throw malformed("ends inside a string") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): utf8.append(byte)
        case UInt8(ascii: "b"): utf8.append(0x08)
        case UInt8(ascii: "f"): utf8.append(0x0C)
        case UInt8(ascii: "n"): utf8.append(0x0A)
        case UInt8(ascii: "r"): utf8.append(0x0D)
        case UInt8(ascii: "t"): utf8.append(0x09)
        case UInt8(ascii: "u"):
            var units = [try codeUnit()]
            if UTF16.isLeadSurrogate(units[0]), position + 1 < end, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                units.append(try codeUnit())
            }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw malformed("has a lone surrogate")
            }
            utf8 += text.utf8
        default: throw malformed("has an unknown escape in a string")
        }
    }

    private mutating func codeUnit() throws(SluiceError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard position < end, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw malformed("has an incomplete \\u escape")
            }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }

    private mutating func skipSpace() {
        while position < end, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < end, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(SluiceError) {
        guard accept(character) else { throw malformed("lacks the expected \(character)") }
    }

    private func malformed(_ what: String) -> SluiceError {
        .model("its header \(what), at byte \(position)", remedy: "save it with the safetensors library")
    }
}
