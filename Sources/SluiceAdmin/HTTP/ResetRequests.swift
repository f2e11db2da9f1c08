/// Body of `POST /v1/streams/reset`: `{"prefix": "…"}` or `{"all": true}`, with `"dry_run": true` to only count.
struct ManyResetRequest: Decodable {
    let selection: StreamSelection
    let dryRun: Bool

    init(from decoder: any Decoder) throws {
        let body = try decoder.container(keyedBy: BodyKey.self)
        try body.refuseUnknown(known: ["prefix", "all", "dry_run"])
        let prefix = try body.decodeIfPresent(String.self, forKey: BodyKey("prefix"))
        let all = try body.decodeIfPresent(Bool.self, forKey: BodyKey("all")) ?? false
        dryRun = try body.decodeIfPresent(Bool.self, forKey: BodyKey("dry_run")) ?? false
        switch (prefix, all) {
        case (nil, true): selection = .all
        case (let prefix?, false) where !prefix.isEmpty: selection = .prefix(prefix)
        case (_?, false):
            throw Problem(.bodyInvalid, "an empty prefix is every stream: say {\"all\": true} if that is meant")
        default: throw Problem(.bodyInvalid, "the body must have either \"prefix\" or \"all\": true")
        }
    }
}

/// Body of `POST /v1/streams/{key}/reset`: nothing, or an object without members.
struct ResetRequest: Decodable {
    init(from decoder: any Decoder) throws {
        try decoder.container(keyedBy: BodyKey.self).refuseUnknown(known: [])
    }
}

private struct BodyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer where Key == BodyKey {
    fileprivate func refuseUnknown(known: Set<String>) throws {
        let unknown = allKeys.map(\.stringValue).filter { !known.contains($0) }.sorted()
        guard unknown.isEmpty else {
            let names = known.isEmpty ? "none" : known.sorted().joined(separator: ", ")
            throw Problem(
                .bodyInvalid, "unknown in the body: \(unknown.joined(separator: ", ")) (known: \(names))")
        }
    }
}
