package import SluiceConfiguration

/// Who a worker is in the consumer group, and where its instance answers: `<host>-<port>-<worker>_at_<address>`.
///
/// Kafka lets an identity hold letters, digits, `.`, `-` and `_`: every other byte of the address, and `_`, is written
/// as `_` and two hexadecimal digits.
package struct InstanceName: Hashable, Sendable {
    private static let separator = "_at_"

    /// The machine and the port in its configuration: what tells the instances of one service from each other.
    package var instance: String
    package var worker: Int
    /// `host:port` at which the other instances reach it.
    package var address: String

    package init(instance: String, worker: Int, address: String) {
        self.instance = instance
        self.worker = worker
        self.address = address
    }

    /// Nil for the identity of something else.
    package init?(_ text: String) {
        // The address holds no separator, whatever the machine is called.
        guard let range = text.ranges(of: Self.separator).last,
            let address = Self.decoded(text[range.upperBound...]), !address.isEmpty
        else { return nil }
        let own = text[..<range.lowerBound]
        guard let dash = own.lastIndex(of: "-"), let worker = Int(own[own.index(after: dash)...]) else { return nil }
        self.init(instance: String(own[..<dash]), worker: worker, address: address)
    }

    package var text: String { "\(instance)-\(worker)\(Self.separator)\(Self.encoded(address))" }

    /// The machine's name.
    package var host: Substring { instance[..<(instance.lastIndex(of: "-") ?? instance.endIndex)] }

    private static func encoded(_ text: String) -> String {
        let hex = Array("0123456789abcdef")
        return text.utf8.reduce(into: "") { result, byte in
            let isKept = (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            if isKept || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") {
                result.append(Character(Unicode.Scalar(byte)))
            } else {
                result += "_\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            }
        }
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "_") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest.removeFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension AdminSection {
    /// Where other instances reach this one, as they are told.
    ///
    /// - Parameters:
    ///   - machine: its name, which stands in for "all addresses".
    ///   - port: on which it listens in fact.
    package func advertisement(machine: String, port: Int) -> String {
        if let advertised { return advertised.description }
        let isEverywhere = ["0.0.0.0", "::"].contains(listen.host)
        return Address(host: isEverywhere ? machine : listen.host, port: port).description
    }
}
