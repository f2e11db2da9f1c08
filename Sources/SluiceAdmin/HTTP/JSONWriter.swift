internal import SluiceCore

/// A value that knows its JSON.
package protocol JSONWritable {
    func write(to json: inout JSONWriter)
}

/// Writes one JSON document, its members in the order of the calls: the order that the documentation shows.
/// (`JSONEncoder` can only sort them, leaves out absent values, and throws at a number that is not finite.)
package struct JSONWriter {
    package private(set) var text = ""
    private var needsComma = false

    package init() {}

    /// The document of one value.
    package static func text(of value: some JSONWritable) -> String {
        var json = JSONWriter()
        value.write(to: &json)
        return json.text
    }

    package mutating func object(_ members: (inout JSONWriter) -> Void) {
        nest("{", "}", members)
    }

    package mutating func array<Element: JSONWritable>(_ elements: [Element]) {
        nest("[", "]") { json in
            for element in elements {
                json.separate()
                element.write(to: &json)
            }
        }
    }

    package mutating func member(_ name: String, _ value: some JSONWritable) {
        separate()
        string(name)
        text += ":"
        value.write(to: &self)
    }

    /// A token that is JSON already: a number, `true`, `null`.
    package mutating func token(_ token: String) { text += token }

    package mutating func string(_ string: String) { text += JSONText.quoted(string) }

    private mutating func separate() {
        if needsComma { text += "," }
        needsComma = true
    }

    private mutating func nest(_ open: String, _ close: String, _ content: (inout JSONWriter) -> Void) {
        text += open
        needsComma = false
        content(&self)
        text += close
        needsComma = true
    }
}

extension String: JSONWritable {
    package func write(to json: inout JSONWriter) { json.string(self) }
}

extension Bool: JSONWritable {
    package func write(to json: inout JSONWriter) { json.token(self ? "true" : "false") }
}

extension JSONWritable where Self: FixedWidthInteger {
    package func write(to json: inout JSONWriter) { json.token(String(self)) }
}

extension Int: JSONWritable {}
extension Int32: JSONWritable {}
extension Int64: JSONWritable {}

extension JSONWritable where Self: BinaryFloatingPoint & LosslessStringConvertible {
    /// The shortest text that parses back to the same value; JSON has no word for what is not finite.
    package func write(to json: inout JSONWriter) { json.token(isFinite ? String(self) : "null") }
}

extension Float: JSONWritable {}
extension Double: JSONWritable {}

extension Optional: JSONWritable where Wrapped: JSONWritable {
    package func write(to json: inout JSONWriter) {
        if let self { self.write(to: &json) } else { json.token("null") }
    }
}

extension Array: JSONWritable where Element: JSONWritable {
    package func write(to json: inout JSONWriter) { json.array(self) }
}
