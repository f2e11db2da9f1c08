internal import ArgumentParser
internal import Foundation
internal import SluiceAccess
internal import SluiceAdmin
internal import SluiceConfiguration
internal import SluiceCore

/// The flags of every command that works on access tokens.
struct TokenFileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The file of tokens; else admin.tokens of the configuration.", valueName: "file"))
    var file: String?

    @OptionGroup var configuration: ConfigurationOptions

    @Flag(help: "One JSON object.")
    var json = false

    func validate() throws {
        guard file == nil || configuration.config == nil else {
            throw ValidationError("Give either --file or --config.")
        }
    }

    /// Where the tokens are.
    func path() throws -> String {
        if let file { return file }
        let configured = configuration.config ?? ConfigurationOptions.defaultFile
        guard FileManager.default.fileExists(atPath: configured) else {
            throw SluiceError(
                .file, "there is no \(configured), which would name the file of tokens", remedy: "name it: --file FILE")
        }
        return try configuration.load().configuration.admin.tokens
    }
}

/// A token as it is printed; with its secret only when it is made.
struct TokenRow: JSONWritable {
    let token: AccessToken
    var secret: String?

    func write(to json: inout JSONWriter) {
        json.object {
            $0.member("id", token.id)
            $0.member("name", token.name)
            $0.member("role", token.role.rawValue)
            $0.member("created", token.createdText)
            if let secret { $0.member("secret", secret) }
        }
    }
}
