internal import CSimdJSON
public import SluiceCore

/// JSON written by hand into an arena, without intermediate strings.
extension ByteArena {
    /// A JSON string with its quotes. The bytes are UTF-8 and are escaped only where JSON demands it.
    public mutating func appendJSON(_ text: UnsafeRawBufferPointer) {
        let out = reserve(2 + 6 * text.count)
        advance(by: JSONText.write(text, to: out))
    }

    public mutating func appendJSON(_ text: String) {
        var text = text
        text.withUTF8 { appendJSON(UnsafeRawBufferPointer($0)) }
    }

    public mutating func appendJSON(_ value: Int64) {
        advance(by: JSONText.write(value, to: reserve(JSONText.numberBytesMax)))
    }

    /// The shortest number that parses back to the same Float, with a fraction or an exponent.
    public mutating func appendJSON(_ value: Float) {
        advance(by: JSONText.write(value, to: reserve(JSONText.numberBytesMax)))
    }

    public mutating func appendJSON(_ value: Double) {
        let out = reserve(JSONText.numberBytesMax).assumingMemoryBound(to: CChar.self)
        advance(by: sluice_format_double(value, out))
    }

    /// An RFC 3339 time in UTC with its quotes.
    public mutating func appendJSON(time: EpochMilliseconds) {
        append(0x22)
        advance(by: Timestamp.write(time, to: reserve(Timestamp.bytesMax)))
        append(0x22)
    }
}

/// Numbers onto reserved memory; each returns the number of bytes written.
extension JSONText {
    static let numberBytesMax = 32

    @inline(__always)
    static func write(_ value: Float, to out: UnsafeMutableRawPointer) -> Int {
        sluice_format_float(value, out.assumingMemoryBound(to: CChar.self))
    }

    @inline(__always)
    static func write(_ value: Int64, to out: UnsafeMutableRawPointer) -> Int {
        sluice_format_integer(value, out.assumingMemoryBound(to: CChar.self))
    }
}
