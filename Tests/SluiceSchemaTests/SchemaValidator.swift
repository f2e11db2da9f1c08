import Foundation

/// As much of JSON Schema 2020-12 as the files of `schemas/` use; a keyword it does not know is an error, so none is
/// overlooked.
struct SchemaValidator {
    private static let annotations: Set<String> = ["$schema", "$id", "title", "description", "examples", "format"]

    /// What is wrong with a value, empty if nothing.
    static func problems(_ value: Any, _ schema: [String: Any], at path: String = "") -> [String] {
        schema.sorted { $0.key < $1.key }.flatMap { keyword, argument -> [String] in
            if annotations.contains(keyword) { return [] }
            return problem(keyword, argument, value, schema, path).map { ["\(path): \(keyword): \($0)"] }
                ?? nested(keyword, argument, value, schema, path)
        }
    }

    private static func kind(_ value: Any) -> Set<String> {
        switch value {
        case is NSNull: return ["null"]
        case let number as NSNumber:
            if CFTypeName(number) == "boolean" { return ["boolean"] }
            return number.doubleValue == number.doubleValue.rounded() ? ["number", "integer"] : ["number"]
        case is String: return ["string"]
        case is [Any]: return ["array"]
        default: return ["object"]
        }
    }

    /// JSONSerialization gives booleans as numbers of another C type.
    private static func CFTypeName(_ number: NSNumber) -> String {
        String(cString: number.objCType) == "c" ? "boolean" : "number"
    }

    private static func isEqual(_ a: Any, _ b: Any) -> Bool {
        guard let a = a as? NSObject, let b = b as? NSObject else { return "\(a)" == "\(b)" && kind(a) == kind(b) }
        return a == b && kind(a) == kind(b)
    }

    /// A keyword about the value itself: a complaint or nil.
    private static func problem(
        _ keyword: String, _ argument: Any, _ value: Any, _ schema: [String: Any], _ path: String
    ) -> String? {
        let (text, number, array) = (value as? String, value as? NSNumber, value as? [Any])
        let isNumber = kind(value).contains("number")
        let limit = (argument as? NSNumber)?.doubleValue ?? .nan
        var good = true
        switch keyword {
        case "type":
            let types = argument as? [String] ?? [argument as? String ?? ""]
            good = !kind(value).isDisjoint(with: types)
        case "enum": good = (argument as? [Any] ?? []).contains { isEqual($0, value) }
        case "const": good = isEqual(argument, value)
        case "minimum": good = !isNumber || number.map { $0.doubleValue >= limit } ?? true
        case "maximum": good = !isNumber || number.map { $0.doubleValue <= limit } ?? true
        case "exclusiveMinimum": good = !isNumber || number.map { $0.doubleValue > limit } ?? true
        case "exclusiveMaximum": good = !isNumber || number.map { $0.doubleValue < limit } ?? true
        case "minLength": good = text.map { Double($0.unicodeScalars.count) >= limit } ?? true
        case "maxLength": good = text.map { Double($0.unicodeScalars.count) <= limit } ?? true
        case "minItems": good = array.map { Double($0.count) >= limit } ?? true
        case "maxItems": good = array.map { Double($0.count) <= limit } ?? true
        case "uniqueItems": good = array.map { Set($0.map { "\($0)" }).count == $0.count } ?? true
        case "pattern":
            good = text.map { $0.range(of: argument as? String ?? "", options: .regularExpression) != nil } ?? true
        case "required":
            guard let object = value as? [String: Any] else { return nil }
            good = (argument as? [String] ?? []).allSatisfy { object[$0] != nil }
        case "anyOf": good = alternatives(argument).contains { problems(value, $0, at: path).isEmpty }
        case "oneOf": good = alternatives(argument).count { problems(value, $0, at: path).isEmpty } == 1
        case "not": good = !problems(value, argument as? [String: Any] ?? [:], at: path).isEmpty
        case "properties", "additionalProperties", "items": break
        default: return "a keyword the validator does not know"
        }
        return good ? nil : "\(value)"
    }

    private static func alternatives(_ argument: Any) -> [[String: Any]] { argument as? [[String: Any]] ?? [] }

    /// A keyword about what the value holds.
    private static func nested(
        _ keyword: String, _ argument: Any, _ value: Any, _ schema: [String: Any], _ path: String
    ) -> [String] {
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        let members = (value as? [String: Any] ?? [:]).sorted { $0.key < $1.key }
        switch keyword {
        case "properties":
            return members.flatMap { name, member in
                properties[name].map { problems(member, $0, at: "\(path)/\(name)") } ?? []
            }
        case "additionalProperties":
            let others = members.filter { properties[$0.key] == nil }
            if let schema = argument as? [String: Any] {
                return others.flatMap { problems($0.value, schema, at: "\(path)/\($0.key)") }
            }
            return others.map { "\(path): has \($0.key)" }
        case "items":
            return (value as? [Any] ?? []).enumerated().flatMap { index, item in
                problems(item, argument as? [String: Any] ?? [:], at: "\(path)/\(index)")
            }
        default: return []
        }
    }
}
