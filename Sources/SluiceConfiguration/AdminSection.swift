/// `admin`: the HTTP side.
package struct AdminSection: Sendable, Equatable {
    package struct Address: Sendable, Equatable {
        /// A name or an address; IPv6 without its brackets.
        package let host: String
        /// 0: a free one.
        package let port: Int

        /// Whether only this machine can reach it.
        package var isLoopback: Bool {
            if host == "localhost" || host == "::1" { return true }
            let bytes = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
            return bytes.count == 4 && bytes.allSatisfy { $0 != nil } && bytes[0] == 127
        }
    }

    package let listen: Address
    /// The file of access tokens.
    package let tokens: String

    init(_ reader: inout SettingsReader, files: Configuration.FileCheck) {
        listen = reader.read("admin.listen", .address, default: Address(host: "127.0.0.1", port: 8_080))
        tokens = reader.read("admin.tokens", .text, default: "./tokens.yaml")
        if reader.isSound("admin.listen"), !listen.isLoopback, !files(tokens) {
            let reason = "\(listen.host) is reachable from other machines and there are no tokens in \(tokens)"
            reader.report(
                "admin.listen", "\(reason); tokens are not available yet: listen on 127.0.0.1, behind a proxy")
        }
    }
}

extension SettingKind where Value == AdminSection.Address {
    /// `host:port`, an IPv6 host in brackets.
    static var address: SettingKind {
        scalar(
            "host:port", render: { .text($0.host.contains(":") ? "[\($0.host)]:\($0.port)" : "\($0.host):\($0.port)") }
        ) { text throws(Mismatch) in
            let unreadable = Mismatch("\"\(text)\" is not host:port such as 127.0.0.1:8080 or [::1]:8080")
            guard let colon = text.lastIndex(of: ":") else { throw unreadable }
            var host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = host.dropFirst().dropLast()
                guard host.contains(":") else { throw unreadable }
            } else if host.contains(":") {
                throw unreadable
            }
            let isName = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
            guard let port = UInt16(text[text.index(after: colon)...]), !host.isEmpty, isName else { throw unreadable }
            return AdminSection.Address(host: String(host), port: Int(port))
        }
    }
}
