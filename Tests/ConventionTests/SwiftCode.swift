import Glibc

/// A scanner just good enough for conventions: it knows comments, strings, brackets and the head of a function.
enum SwiftCode {
    /// The text with the insides of comments and string literals replaced by spaces, line for line.
    static func blanked(_ text: String) -> [UInt8] {
        var scanner = Scanner(Array(text.utf8))
        scanner.skipCode(until: nil)
        return scanner.bytes
    }

    private struct Scanner {
        var bytes: [UInt8]
        var position = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func starts(with token: String) -> Bool { bytes[position...].starts(with: token.utf8) }

        mutating func blank(_ count: Int = 1) {
            for index in position..<min(position + count, bytes.count) where bytes[index] != UInt8(ascii: "\n") {
                bytes[index] = UInt8(ascii: " ")
            }
            position = min(position + count, bytes.count)
        }

        /// Code up to the bracket that closes an interpolation, or to the end.
        mutating func skipCode(until closing: UInt8?) {
            var depth = 0
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "/") where starts(with: "//"):
                    while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank() }
                case UInt8(ascii: "/") where starts(with: "/*"): blankComment()
                case UInt8(ascii: "\""): blankString(hashes: 0)
                case UInt8(ascii: "#"):
                    let hashes = bytes[position...].prefix { $0 == UInt8(ascii: "#") }.count
                    let next = position + hashes
                    if next < bytes.count, bytes[next] == UInt8(ascii: "\"") {
                        blank(hashes)
                        blankString(hashes: hashes)
                    } else {
                        position = next
                    }
                case UInt8(ascii: "("):
                    depth += 1
                    position += 1
                case UInt8(ascii: ")"):
                    if closing != nil, depth == 0 { return }
                    depth -= 1
                    position += 1
                default: position += 1
                }
            }
        }

        private mutating func blankComment() {
            var depth = 0
            repeat {
                if starts(with: "/*") {
                    depth += 1
                    blank(2)
                } else if starts(with: "*/") {
                    depth -= 1
                    blank(2)
                } else {
                    blank()
                }
            } while depth > 0 && position < bytes.count
        }

        private mutating func blankString(hashes: Int) {
            let fence = String(repeating: "#", count: hashes)
            let quotes = starts(with: "\"\"\"") ? "\"\"\"" : "\""
            blank(quotes.utf8.count)
            while position < bytes.count, !starts(with: quotes + fence) {
                if starts(with: "\\" + fence + "(") {
                    let start = position + 2 + hashes
                    blank(2 + hashes)
                    skipCode(until: UInt8(ascii: ")"))
                    let end = position
                    position = start
                    blank(end + 1 - start)
                } else if starts(with: "\\" + fence) {
                    blank(2 + hashes)
                } else {
                    blank()
                }
            }
            blank(quotes.utf8.count + hashes)
        }
    }
}

// MARK: - What is in the code

extension SwiftCode {
    struct Function: Equatable {
        let name: String
        /// Of its first line, from 1.
        let line: Int
        let lineCount: Int
    }

    /// The functions and initialisers that have a body, from their first line to their closing brace.
    static func functions(_ code: [UInt8]) -> [Function] {
        let starts = occurrences(of: "func", in: code) + occurrences(of: "init", in: code)
        return starts.compactMap { start in
            let isCall = start > 0 && code[start - 1] == UInt8(ascii: ".")
            guard !isCall, let end = bodyEnd(code, from: start) else { return nil }
            let name = code[start...].prefix { $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: "\n") }
            let first = line(of: start, in: code)
            return Function(
                name: String(decoding: name, as: UTF8.self), line: first,
                lineCount: line(of: end, in: code) - first + 1)
        }
    }

    /// The closing brace of the body whose declaration begins at `start`; nil where there is none (protocols, calls).
    private static func bodyEnd(_ code: [UInt8], from start: Int) -> Int? {
        guard var index = code[start...].firstIndex(of: UInt8(ascii: "(")) else { return nil }
        var (parentheses, braces) = (0, 0)
        while index < code.count {
            switch code[index] {
            case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"):
                parentheses -= 1
                if parentheses < 0 { return nil }
            case UInt8(ascii: "{") where parentheses == 0 || braces > 0: braces += 1
            case UInt8(ascii: "}") where parentheses == 0 || braces > 0:
                braces -= 1
                if braces == 0 { return index }
                if braces < 0 { return nil }
            case UInt8(ascii: "\n") where parentheses == 0 && braces == 0:
                guard signatureGoesOn(code[index...]) else { return nil }
            default: break
            }
            index += 1
        }
        return nil
    }

    private static func signatureGoesOn(_ rest: ArraySlice<UInt8>) -> Bool {
        let next = rest.drop { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: " ") }
        return ["{", "->", "throws", "async", "rethrows", "where"].contains { next.starts(with: $0.utf8) }
    }

    /// The modules a file imports.
    static func imports(_ code: [UInt8]) -> Set<String> {
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        let lines = String(decoding: code, as: UTF8.self).split(separator: "\n")
        return Set(
            lines.compactMap { line in
                let words = line.split(separator: " ")
                guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
                    words[..<at].allSatisfy({ $0.first == "@" || $0.first?.isLowercase == true })
                else { return nil }
                let named = kinds.contains(words[at + 1]) && at + 2 < words.count ? words[at + 2] : words[at + 1]
                return named.split(separator: ".").first.map(String.init)
            })
    }

    /// Where a token stands as a word of its own: where it begins or ends with a letter, no further one adjoins.
    static func occurrences(of token: String, in code: [UInt8]) -> [Int] {
        let token = Array(token.utf8)
        guard let first = token.first, let last = token.last else { return [] }
        return positions(of: token, in: code).filter { start in
            let end = start + token.count
            let isBegun = isWord(first) && start > 0 && isWord(code[start - 1])
            let isContinued = isWord(last) && end < code.count && isWord(code[end])
            return !isBegun && !isContinued
        }
    }

    /// By the C library: a scan in Swift takes seconds over the whole tree in a debug build.
    private static func positions(of token: [UInt8], in code: [UInt8]) -> [Int] {
        code.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return [] }
            var result: [Int] = []
            var next = 0
            while next + token.count <= bytes.count,
                let found = memchr(base + next, Int32(token[0]), bytes.count - token.count + 1 - next)
            {
                if memcmp(found, token, token.count) == 0 { result.append(base.distance(to: UnsafeRawPointer(found))) }
                next = base.distance(to: UnsafeRawPointer(found)) + 1
            }
            return result
        }
    }

    static func line(of position: Int, in code: [UInt8]) -> Int {
        code[..<position].count { $0 == UInt8(ascii: "\n") } + 1
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
