internal import Foundation
internal import FoundationNetworking
internal import Glibc
internal import SluiceCore

/// Asks a running service over its HTTP API.
struct ServiceClient: Sendable {
    let base: URL
    let token: String?

    /// A successful answer: its body as it came.
    struct Answer: Sendable {
        let status: Int
        let body: Data

        var text: String { String(decoding: body, as: UTF8.self) }

        /// Throws a `SluiceError` if the body is something else, as from another program on that port.
        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            do {
                return try JSONDecoder().decode(type, from: body)
            } catch {
                throw SluiceError(
                    .service, "the answer is not what Sluice answers", remedy: "check --url and both versions")
            }
        }
    }

    /// - Parameter seconds: how long an answer is waited for.
    func get(_ path: [String], query: [(String, String)] = [], seconds: Double = 30) async throws -> Answer {
        var request = URLRequest(url: try url(path, query: query), timeoutInterval: seconds)
        request.httpMethod = "GET"
        return try await send(request)
    }

    func post(_ path: [String], body: String? = nil) async throws -> Answer {
        try await post(path, query: [], body: body.map { Data($0.utf8) }, type: "application/json")
    }

    func post(_ path: [String], query: [(String, String)], body: Data?, type: String) async throws -> Answer {
        var request = URLRequest(url: try url(path, query: query), timeoutInterval: 30)
        request.httpMethod = "POST"
        if let body {
            request.setValue(type, forHTTPHeaderField: "Content-Type")
            request.httpBody = body
        }
        return try await send(request)
    }

    /// Throws a `SluiceError`: the problem's own code and text, or that nobody answers.
    private func send(_ request: URLRequest) async throws -> Answer {
        var request = request
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (data, response): (Data, URLResponse)
        do {
            (data, response) = try await Self.session.data(for: request)
        } catch let error as URLError {
            throw unreachable(error)
        }
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard (200..<300).contains(status) else { throw failure(status, data) }
        return Answer(status: status, body: data)
    }

    private static let session: URLSession = {
        // The library below asks the environment for a proxy even on the way to this very machine.
        let direct = ["no_proxy", "NO_PROXY"].compactMap { ProcessInfo.processInfo.environment[$0] }.prefix(1)
        setenv("no_proxy", (direct + ["127.0.0.1", "localhost", "::1"]).joined(separator: ","), 1)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        return URLSession(configuration: configuration)
    }()

    /// Segments and values are percent-encoded down to the unreserved characters: a key may hold anything.
    private func url(_ path: [String], query: [(String, String)]) throws -> URL {
        let address = base.absoluteString
        var text = address.hasSuffix("/") ? String(address.dropLast()) : address
        guard path.allSatisfy({ !$0.isEmpty }) else {
            throw SluiceError(.service, "the name is empty", remedy: "give a stream's key, or a model's version")
        }
        for segment in path { text += "/" + Self.encoded(segment) }
        if !query.isEmpty {
            text += "?" + query.map { "\($0)=\(Self.encoded($1))" }.joined(separator: "&")
        }
        guard let url = URL(string: text) else {
            throw SluiceError(.service, "\(text) is not an address", remedy: "check --url")
        }
        return url
    }

    static func encoded(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.append(Character(Unicode.Scalar(byte)))
            case UInt8(ascii: ".") where text != "." && text != "..":
                result.append(".")
            default:
                result += "%" + String(hex[Int(byte >> 4)]) + String(hex[Int(byte & 15)])
            }
        }
    }

    private func unreachable(_ error: URLError) -> SluiceError {
        let refused = error.code == .cannotConnectToHost
        return SluiceError(
            .service, refused ? "no service answers at \(base)" : "cannot reach \(base)",
            remedy: "start one with 'sluice serve', or name another with --url or SLUICE_URL", retry: .later,
            cause: refused ? nil : ErrorText(error.localizedDescription))
    }

    private func failure(_ status: Int, _ body: Data) -> SluiceError {
        struct ProblemBody: Decodable {
            let code: String
            let detail: String

            /// What to do about it from here.
            var remedy: String? {
                switch code {
                case "token-missing":
                    "give one with --token or SLUICE_TOKEN; 'sluice tokens add' beside the service makes one"
                case "token-invalid":
                    "check --token and SLUICE_TOKEN; 'sluice tokens list' beside the service lists what is valid"
                case "role-insufficient": "'sluice tokens add --role admin' beside the service makes one"
                default: nil
                }
            }
        }
        guard let problem = try? JSONDecoder().decode(ProblemBody.self, from: body) else {
            let isRefused = [401, 403].contains(status)
            return SluiceError(
                .service, "\(base) answered with status \(status)" + (isRefused ? ": access refused" : ""),
                remedy: isRefused ? "check --token, and what stands before the service" : "check --url and --token")
        }
        return SluiceError(SluiceError.Code(problem.code), problem.detail, remedy: problem.remedy)
    }

    /// A foreign error's text without its type's noise.
    private struct ErrorText: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}

extension SluiceError.Code {
    static let service = SluiceError.Code("service")
}
