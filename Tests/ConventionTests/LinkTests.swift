import Foundation
import Testing

/// Links from one page of the repository to another.
@Suite struct LinkTests {
    private let tree = SourceTree.repository

    @Test func linksLeadSomewhere() {
        let pages = tree.files.filter { $0.path.hasSuffix(".md") }
        #expect(pages.count > 3)
        let known = Set(tree.files.map(\.path))
        for page in pages {
            for link in Self.links(page.text) {
                let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                let target = parts[0].isEmpty ? page.path : Self.path(parts[0], from: page.path)
                #expect(known.contains(target), "\(page.path) links to \(link), which is not there")
                if parts.count > 1 {
                    let anchors = Self.anchors(tree.text(target))
                    #expect(anchors.contains(parts[1]), "\(page.path) links to \(link), which is no heading")
                }
            }
        }
    }

    // MARK: - Reading

    /// Targets of links that are no addresses of their own.
    static func links(_ text: String) -> [String] {
        text.matches(of: /\]\(([^)\s]+)\)/).map { String($0.output.1) }.filter { !$0.contains("://") }
    }

    /// A path from the top of the repository.
    static func path(_ link: String, from page: String) -> String {
        var parts = page.split(separator: "/").dropLast().map(String.init)
        for part in link.split(separator: "/") {
            switch part {
            case ".": break
            case "..": parts = parts.dropLast()
            default: parts.append(String(part))
            }
        }
        return parts.joined(separator: "/")
    }

    /// Headings as links name them: in small letters, blanks as dashes, without signs.
    static func anchors(_ text: String) -> Set<String> {
        Set(
            text.matches(of: /(?m)^#+ (.+)$/).map { match in
                String(match.output.1.lowercased().filter { $0.isLetter || $0.isNumber || " -".contains($0) })
                    .replacing(" ", with: "-")
            })
    }

    // MARK: - These tests can fail

    @Test func linksAndHeadingsAreRead() {
        #expect(Self.links("[a](b.md), [c](#d-e) and [f](https://g.test/h)") == ["b.md", "#d-e"])
        #expect(Self.path("../docs/x.md", from: "docker/README.md") == "docs/x.md")
        #expect(Self.anchors("# Two\n## A topic, of 3 a.m.\n") == ["two", "a-topic-of-3-am"])
    }
}
