/// Strings as JSON: in quotes, UTF-8, escaped only where JSON demands it.
public enum JSONText {
    public static func quoted(_ text: String) -> String {
        var text = text
        return text.withUTF8 { bytes in
            String(unsafeUninitializedCapacity: 2 + 6 * bytes.count) { out in
                guard let base = out.baseAddress else { return 0 }
                return write(UnsafeRawBufferPointer(bytes), to: UnsafeMutableRawPointer(base))
            }
        }
    }

    /// Onto reserved memory, at most 2 + 6 · count bytes; returns the number of bytes written.
    public static func write(_ text: UnsafeRawBufferPointer, to out: UnsafeMutableRawPointer) -> Int {
        out.storeBytes(of: 0x22, as: UInt8.self)
        var (at, plain) = (out + 1, 0)
        // Eight bytes at once up to the first that has to be escaped.
        while plain + 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: plain, as: UInt64.self)
            let (quote, slash) = (word ^ 0x2222_2222_2222_2222, word ^ 0x5C5C_5C5C_5C5C_5C5C)
            let low = (word &- 0x2020_2020_2020_2020) & ~word
            let ones: UInt64 = 0x0101_0101_0101_0101
            if (low | ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash)) & 0x8080_8080_8080_8080 != 0 { break }
            at.storeBytes(of: word, as: UInt64.self)
            (at, plain) = (at + 8, plain + 8)
        }
        for index in plain..<text.count {
            let byte = text[index]
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
