import Foundation
import Hummingbird
import SluiceAdminTestKit
import Testing

@testable import SluiceAdmin

@Suite struct DashboardTests {
    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    @Test(arguments: DashboardFile.all.map(\.path))
    func filesHaveTheirTypeAndAStrictPolicy(path: String) async throws {
        let answer = try await ask(.get, path)
        #expect(answer.status == 200)
        let types = [
            "": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
            "svg": "image/svg+xml; charset=utf-8",
        ]
        let ending = path.split(separator: ".").count > 1 ? String(path.split(separator: ".").last ?? "") : ""
        #expect(answer.headers[.contentType] == types[ending])
        #expect(answer.headers[.contentSecurityPolicy] == Self.policy)
        #expect(answer.headers[.xContentTypeOptions] == "nosniff")
        #expect(answer.headers[.cacheControl] == "no-cache")
        #expect(!answer.text.isEmpty)
    }

    @Test func whatTheBrowserHasIsNotSentAgain() async throws {
        var tags: [String] = []
        for file in DashboardFile.all { tags.append(try await ask(.get, file.path).headers[.eTag] ?? "") }
        #expect(Set(tags).count == tags.count, "a tag is of its bytes")
        let again = try await ask(.get, "/", headers: [.ifNoneMatch: tags[0]])
        #expect(again.status == 304)
        #expect(again.text.isEmpty)
        #expect(again.headers[.eTag] == tags[0])
        #expect(try await ask(.get, "/", headers: [.ifNoneMatch: "\"other\""]).status == 200)
    }

    /// What the policy would refuse is not there to be refused, and what is named exists.
    @Test func pagesNameOnlyFilesOfTheirOwn() async throws {
        let paths = Set(DashboardFile.all.map(\.path))
        for file in DashboardFile.all where !file.path.hasSuffix(".svg") {
            let text = try await ask(.get, file.path).text
            #expect(!text.contains("://") || file.path.hasSuffix("elements.js"), "\(file.path)")
            for inline in ["style=\"", "onclick=", "<style", "<script>", "innerHTML", "javascript:"] {
                #expect(!text.contains(inline), "\(file.path) has \(inline)")
            }
            for name in text.matches(of: /from ".\/(\w+\.js)"/).map(\.1) {
                #expect(paths.contains("/dashboard/\(name)"), "\(file.path) imports \(name)")
            }
            for name in text.matches(of: /(?:href|src)="(\/[^"]*)"/).map(\.1) where name != "/openapi.yaml" {
                #expect(paths.contains(String(name)), "\(file.path) names \(name)")
            }
        }
    }

    @Test func everyAnswerForbidsToGuessItsType() async throws {
        for path in ["/v1/streams", "/v1/streams/nobody", "/metrics"] {
            #expect(try await ask(.get, path).headers[.xContentTypeOptions] == "nosniff")
        }
    }
}
