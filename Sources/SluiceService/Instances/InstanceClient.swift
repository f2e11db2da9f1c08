import Foundation
import FoundationNetworking
import Glibc
package import SluiceAdmin
import SluiceCore

/// Sends requests to other instances.
package struct InstanceClient: Sendable {
    private static let session: URLSession = {
        // The library below asks the environment for a proxy; what stands before other services does not stand between
        // the instances of one.
        setenv("no_proxy", "*", 1)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        return URLSession(configuration: configuration)
    }()

    package init() {}

    /// - Throws: `instance-away` where no answer comes; `CancellationError`.
    package func send(_ request: ForwardedRequest, to instance: OtherInstance) async throws -> ForwardedAnswer {
        guard let address = instance.address else {
            throw Self.away(
                instance,
                "it listens on its own machine only: set its admin.listen or "
                    + "admin.advertised to what the other instances reach")
        }
        guard let url = URL(string: "http://\(address)\(request.target)") else {
            throw Self.away(instance, "\(address)\(request.target) is no address")
        }
        var sent = URLRequest(url: url, timeoutInterval: request.seconds)
        sent.httpMethod = request.method
        sent.setValue("1", forHTTPHeaderField: ForwardedHeader.name)
        if let authorization = request.authorization {
            sent.setValue(authorization, forHTTPHeaderField: "Authorization")
        }
        if request.method == "POST" {
            sent.setValue(request.contentType ?? "application/json", forHTTPHeaderField: "Content-Type")
            sent.httpBody = Data(request.body)
        }
        do {
            let (data, response) = try await Self.session.data(for: sent)
            guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
            return ForwardedAnswer(
                status: response.statusCode, contentType: response.value(forHTTPHeaderField: "Content-Type"),
                body: Array(data))
        } catch let error as URLError {
            try Task.checkCancellation()
            throw Self.away(
                instance,
                "it does not answer at \(address) (\(error.localizedDescription)). See that it runs, and set its "
                    + "admin.listen or admin.advertised to what the other instances reach")
        }
    }

    package static func away(_ instance: OtherInstance, _ reason: String) -> Problem {
        Problem(
            .instanceAway,
            "the instance \(instance.name) has the stream, or may have it: \(reason)")
    }

    private struct Slot: Decodable { var partition: Int32 }
    private struct ProblemBody: Decodable {
        var code: String
        var detail: String
    }

    static func partition(_ answer: ForwardedAnswer) -> Int32? {
        try? JSONDecoder().decode(Slot.self, from: Data(answer.body)).partition
    }

    static func code(_ answer: ForwardedAnswer) -> String? { problem(answer)?.code }
    static func detail(_ answer: ForwardedAnswer) -> String? { problem(answer)?.detail }

    private static func problem(_ answer: ForwardedAnswer) -> ProblemBody? {
        try? JSONDecoder().decode(ProblemBody.self, from: Data(answer.body))
    }
}
