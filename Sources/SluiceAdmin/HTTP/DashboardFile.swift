internal import Hummingbird
internal import NIOCore
internal import SluiceCore

/// One of the dashboard's files. They are part of the program, so that it can be installed as one file.
struct DashboardFile: Sendable {
    /// What the page may load and do: its own files and this API, nothing written into it, nowhere else.
    static let contentSecurityPolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    let path: String
    let type: String
    private let bytes: ByteBuffer
    /// Changes with the bytes.
    private let tag: String

    private init(_ path: String, _ type: String, _ bytes: [UInt8]) {
        self.path = path
        self.type = "\(type); charset=utf-8"
        self.bytes = ByteBuffer(bytes: bytes)
        tag = bytes.withUnsafeBytes { "\"\(String(xxHash64($0), radix: 16))\"" }
    }

    static let all = [
        DashboardFile("/", "text/html", PackageResources.index_html),
        script("app.js", PackageResources.app_js),
        script("chart.js", PackageResources.chart_js),
        script("elements.js", PackageResources.elements_js),
        script("format.js", PackageResources.format_js),
        script("overview.js", PackageResources.overview_js),
        script("service.js", PackageResources.service_js),
        script("stream.js", PackageResources.stream_js),
        script("streams.js", PackageResources.streams_js),
        DashboardFile("/dashboard/style.css", "text/css", PackageResources.style_css),
        DashboardFile("/dashboard/icon.svg", "image/svg+xml", PackageResources.icon_svg),
    ]

    private static func script(_ name: String, _ bytes: [UInt8]) -> DashboardFile {
        DashboardFile("/dashboard/\(name)", "text/javascript", bytes)
    }

    /// The file, or 304 where the browser has it already; it asks every time.
    func response(to request: Request) -> Response {
        let headers: HTTPFields = [
            .contentType: type, .eTag: tag, .cacheControl: "no-cache",
            .contentSecurityPolicy: Self.contentSecurityPolicy,
        ]
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }
}
