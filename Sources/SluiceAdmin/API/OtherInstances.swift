/// Another instance of the service, which answers for the streams of its own partitions.
package struct OtherInstance: Hashable, Sendable {
    /// For people.
    package var name: String
    /// `host:port`; nil where it does not say.
    package var address: String?

    package init(name: String, address: String?) {
        self.name = name
        self.address = address
    }
}

/// A request as it came, for another instance.
package struct ForwardedRequest: Hashable, Sendable {
    package var method: String
    /// Path and query, encoded as they came.
    package var target: String
    package var authorization: String?
    package var contentType: String?
    package var body: [UInt8]
    /// How long an answer is waited for.
    package var seconds: Double

    package init(
        method: String = "GET", target: String, authorization: String?, contentType: String? = nil, body: [UInt8] = [],
        seconds: Double = 30
    ) {
        self.method = method
        self.target = target
        self.authorization = authorization
        self.contentType = contentType
        self.body = body
        self.seconds = seconds
    }
}

/// What an instance answered: whatever it is, it is the answer.
package struct ForwardedAnswer: Hashable, Sendable {
    package var status: Int
    package var contentType: String?
    package var body: [UInt8]

    package init(status: Int, contentType: String?, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// The other instances of the service. Clients hash keys differently, so that only the instance that has a stream knows
/// on which partition it lives: all are asked.
package protocol OtherInstances: AnyObject, Sendable {
    /// Who has a stream, and on which partition; nil where none of them knows it.
    ///
    /// - Parameter target: path of the stream.
    /// - Throws: `instance-away` where one that may have it does not answer.
    func holder(of target: String, authorization: String?) async throws -> (instance: OtherInstance, partition: Int32)?

    /// Who owns a partition; nil where none of them does.
    func owner(of partition: Int32) async throws -> OtherInstance?

    /// - Throws: `instance-away` where it does not answer.
    func answer(_ request: ForwardedRequest, from instance: OtherInstance) async throws -> ForwardedAnswer
}

extension AdminBackend {
    /// Nil for one that is alone.
    package var others: (any OtherInstances)? { nil }
}
