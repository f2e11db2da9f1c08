internal import Foundation
internal import Hummingbird
internal import NIOCore
internal import SluiceCore

/// Where the server holds what is to be read.
extension RequestReading {
    static func key(_ context: AdminRequestContext) throws -> String {
        try key(context.parameters.get("key") ?? "")
    }

    static func query(_ request: Request, names: Set<String>) throws -> [String: String] {
        try query(request.uri.query ?? "", names: names)
    }

    static func body<Body: Decodable>(_ request: Request, as type: Body.Type) async throws -> Body {
        let buffer = try await request.body.collect(upTo: Limits.requestBodyBytes)
        return try body(Data(buffer.readableBytesView), as: type)
    }
}
