internal import ArgumentParser
internal import Foundation
internal import SluiceCore

/// The flags of every command that asks a running service.
struct ServiceOptions: ParsableArguments {
    @Option(help: "The service's address; else SLUICE_URL, else \(ServiceOptions.defaultURL).")
    var url: String?

    @Option(help: "Access token; else SLUICE_TOKEN.")
    var token: String?

    @Flag(help: "Print JSON; the service's answer as it is, if JSON.")
    var json = false

    static let defaultURL = "http://127.0.0.1:8080"

    var format: OutputFormat { json ? .json : .text }

    func client() throws -> ServiceClient {
        let environment = Console.current.environment
        let address = url ?? environment["SLUICE_URL"] ?? Self.defaultURL
        guard let base = URL(string: address), ["http", "https"].contains(base.scheme), base.host != nil else {
            throw ValidationError("'\(address)' is not an address such as \(Self.defaultURL)")
        }
        let secret = token ?? environment["SLUICE_TOKEN"] ?? ""
        guard secret.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw ValidationError("The access token holds a space, a line's end or another character that none has.")
        }
        return ServiceClient(base: base, token: secret.isEmpty ? nil : secret)
    }
}
