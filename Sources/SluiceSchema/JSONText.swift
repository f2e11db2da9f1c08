internal import CSimdJSON
package import SluiceCore

/// JSON written by hand into an arena, without intermediate strings.
extension ByteArena {
    /// A JSON string with its quotes. The bytes are UTF-8 and are escaped only where JSON demands it.
    package mutating func appendJSON(_ text: UnsafeRawBufferPointer) {
        let out = reserve(2 + 6 * text.count)
        advance(by: JSONText.write(text, to: out))
    }

    package mutating func appendJSON(_ text: String) {
        var text = text
        text.withUTF8 { appendJSON(UnsafeRawBufferPointer($0)) }
    }

    package mutating func appendJSON(_ value: Int64) {
        advance(by: JSONText.write(value, to: reserve(JSONText.numberBytesMax)))
    }

    /// The shortest number that parses back to the same Float, with a fraction or an exponent.
    package mutating func appendJSON(_ value: Float) {
        advance(by: JSONText.write(value, to: reserve(JSONText.numberBytesMax)))
    }

    package mutating func appendJSON(_ value: Double) {
        let out = reserve(JSONText.numberBytesMax).assumingMemoryBound(to: CChar.self)
        advance(by: sluice_format_double(value, out))
    }

    /// An RFC 3339 time in UTC with its quotes.
    package mutating func appendJSON(time: EpochMilliseconds) {
        append(0x22)
        advance(by: Timestamp.write(time, to: reserve(Timestamp.bytesMax)))
        append(0x22)
    }
}

/// The same onto reserved memory; each returns the number of bytes written.
enum JSONText {
    static let numberBytesMax = 32

    @inline(__always)
    static func write(_ value: Float, to out: UnsafeMutableRawPointer) -> Int {
        sluice_format_float(value, out.assumingMemoryBound(to: CChar.self))
    }

    @inline(__always)
    static func write(_ value: Int64, to out: UnsafeMutableRawPointer) -> Int {
        sluice_format_integer(value, out.assumingMemoryBound(to: CChar.self))
    }

    /// At most 2 + 6 · count bytes.
    static func write(_ text: UnsafeRawBufferPointer, to out: UnsafeMutableRawPointer) -> Int {
        out.storeBytes(of: 0x22, as: UInt8.self)
        var at = out + 1
        for byte in text {
            if byte >= 0x20 && byte != 0x22 && byte != 0x5C {
                at.storeBytes(of: byte, as: UInt8.self)
                at += 1
            } else {
                at += escape(byte, to: at)
            }
        }
        at.storeBytes(of: 0x22, as: UInt8.self)
        return at + 1 - out
    }

    private static func escape(_ byte: UInt8, to out: UnsafeMutableRawPointer) -> Int {
        let short: UInt8? =
            switch byte {
            case 0x22, 0x5C: byte
            case 0x08: UInt8(ascii: "b")
            case 0x09: UInt8(ascii: "t")
            case 0x0A: UInt8(ascii: "n")
            case 0x0C: UInt8(ascii: "f")
            case 0x0D: UInt8(ascii: "r")
            default: nil
            }
        out.storeBytes(of: 0x5C, as: UInt8.self)
        if let short {
            out.storeBytes(of: short, toByteOffset: 1, as: UInt8.self)
            return 2
        }
        let digits: StaticString = "0123456789abcdef"
        out.storeBytes(of: UInt8(ascii: "u"), toByteOffset: 1, as: UInt8.self)
        out.storeBytes(of: UInt8(ascii: "0"), toByteOffset: 2, as: UInt8.self)
        out.storeBytes(of: UInt8(ascii: "0"), toByteOffset: 3, as: UInt8.self)
        out.storeBytes(of: digits.utf8Start[Int(byte >> 4)], toByteOffset: 4, as: UInt8.self)
        out.storeBytes(of: digits.utf8Start[Int(byte & 15)], toByteOffset: 5, as: UInt8.self)
        return 6
    }
}
