internal import SluiceAccess
internal import SluiceCore

/// `admin`: the HTTP side.
package struct AdminSection: Sendable, Equatable {
    package struct Address: Sendable, Equatable {
        /// A name or an address; IPv6 without its brackets.
        package let host: String
        /// 0: a free one.
        package let port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// Whether only this machine can reach it.
        package var isLoopback: Bool { Loopback.contains(host) }
    }

    package let listen: Address
    /// Where the other instances reach it; nil: where it listens, under the machine's name where that is everywhere.
    package let advertised: Address?
    /// The file of access tokens.
    package let tokens: String

    /// - Parameter tokenCount: nil where nobody will listen.
    init(_ reader: inout SettingsReader, tokenCount: Configuration.TokenCount?) {
        listen = reader.read("admin.listen", .address, default: Address(host: "127.0.0.1", port: 8_080))
        advertised = reader.read("admin.advertised", optional: .address)
        if advertised?.port == 0 { reader.report("admin.advertised", "0 is no port that anybody reaches") }
        tokens = reader.read("admin.tokens", .text, default: "./tokens.yaml")
        guard let tokenCount, reader.isSound("admin.listen"), reader.isSound("admin.tokens") else { return }
        do {
            guard try tokenCount(tokens) == 0, !listen.isLoopback else { return }
            reader.report("admin.listen", Self.withoutTokens(listen.host, tokens))
        } catch let error as SluiceError {
            reader.report("admin.tokens", error.description)
        } catch {
            reader.report("admin.tokens", "\(error)")
        }
    }

    private static func withoutTokens(_ host: String, _ file: String) -> String {
        "\(host) is reachable from other machines and there are no access tokens in \(file): make one with "
            + "\"sluice tokens add --role admin\", or listen on 127.0.0.1"
    }
}

extension AdminSection.Address: LosslessStringConvertible {
    /// `host:port`, an IPv6 host in brackets.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        let isName = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
        guard let port = UInt16(text[text.index(after: colon)...]), !host.isEmpty, isName else { return nil }
        self.init(host: String(host), port: Int(port))
    }
}

extension SettingKind where Value == AdminSection.Address {
    /// `host:port`, an IPv6 host in brackets.
    static var address: SettingKind {
        scalar("host:port", render: { .text($0.description) }) { text throws(Mismatch) in
            guard let address = AdminSection.Address(text) else {
                throw Mismatch("\"\(text)\" is not host:port such as 127.0.0.1:8080 or [::1]:8080")
            }
            return address
        }
    }
}
