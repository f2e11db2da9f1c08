/// Addresses that only this machine can reach.
package enum Loopback {
    /// Whether a host is one for certain. Names other than `localhost` may be anything: 127.example.org is one.
    package static func contains(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let bytes = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return bytes.count == 4 && bytes.allSatisfy { $0 != nil } && bytes[0] == 127
    }
}
