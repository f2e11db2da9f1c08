internal import Foundation

/// Strict readings of the texts and bytes that a request brings.
enum RequestReading {
    /// The stream's key in a path: one percent-encoded segment.
    static func key(_ encoded: String) throws -> String {
        guard let key = encoded.removingPercentEncoding, !key.isEmpty else {
            throw Problem(.keyInvalid, "\(encoded) is not percent-encoded UTF-8")
        }
        return key
    }

    /// The parameters of a query; every name must be among `names`, and none may be given twice.
    static func query(_ text: String, names: Set<String>) throws -> [String: String] {
        var values: [String: String] = [:]
        for item in text.split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // A query is a form: there a plus sign is a space.
            let decoded = parts.map { $0.replacing("+", with: " ").removingPercentEncoding }
            guard let name = decoded[0], let value = decoded.count == 2 ? decoded[1] : "" else {
                throw Problem(.parameterInvalid, "\(item) is not percent-encoded UTF-8")
            }
            guard names.contains(name) else {
                let known = names.isEmpty ? "none" : names.sorted().joined(separator: ", ")
                throw Problem(.parameterInvalid, "there is no parameter \(name) here, only: \(known)")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Problem(.parameterInvalid, "\(name) is given twice")
            }
        }
        return values
    }

    /// A whole number from 0.
    static func number<Number: FixedWidthInteger>(_ text: String, _ name: String, as _: Number.Type) throws -> Number {
        guard let number = Number(text), number >= 0 else {
            throw Problem(.parameterInvalid, "\(name) must be a whole number from 0, not \(text)")
        }
        return number
    }

    /// A body as a JSON object of the given type; an empty body reads as `{}`.
    static func body<Body: Decodable>(_ bytes: Data, as type: Body.Type) throws -> Body {
        do {
            return try JSONDecoder().decode(type, from: bytes.isEmpty ? Data("{}".utf8) : bytes)
        } catch let error as DecodingError {
            throw Problem(.bodyInvalid, Self.text(of: error))
        }
    }

    private static func text(of error: DecodingError) -> String {
        switch error {
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? "the body must be a JSON object" : "\(path) must be a \(type)"
        default: return "the body is not JSON"
        }
    }
}
