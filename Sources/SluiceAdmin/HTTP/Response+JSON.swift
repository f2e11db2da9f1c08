internal import Hummingbird
internal import NIOCore
internal import SluiceCore

extension Response {
    init(json value: some JSONWritable, status: HTTPResponse.Status = .ok, type: String = "application/json") {
        self.init(text: JSONWriter.text(of: value), status: status, type: type)
    }

    init(text: String, status: HTTPResponse.Status = .ok, type: String) {
        var headers = HTTPFields()
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        self.init(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    init(bytes: [UInt8]) {
        self.init(
            status: .ok, headers: [.contentType: "application/octet-stream", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    init(_ problem: Problem) {
        self.init(
            json: problem, status: HTTPResponse.Status(code: problem.status), type: "application/problem+json")
        if let allowed = problem.allowed { headers[.allow] = allowed }
        if let challenge = problem.challenge { headers[.wwwAuthenticate] = challenge }
    }
}

extension Problem {
    /// The problem behind whatever a handler or the framework threw. Nothing of an unforeseen error is shown outside.
    init(thrown error: any Error, path: String) {
        switch error {
        case let problem as Problem: self = problem
        case let error as SluiceError: self.init(error)
        case is NIOTooManyBytesError:
            self.init(
                .bodyTooLarge,
                "the body may have \(Limits.requestBodyBytes) bytes, a snapshot \(Limits.snapshotBytes), "
                    + "a model \(Limits.modelBytes)")
        case let error as HTTPError where error.status == .notFound:
            self.init(.pathUnknown, "\(path) is not a path of this service; /openapi.yaml lists them")
        default: self.init(.internalError, "the request failed; the service's log says why")
        }
    }
}
