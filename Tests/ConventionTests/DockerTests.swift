import Foundation
import Testing

/// The Docker files against the repository; `docker/check` goes further, and runs their commands.
@Suite struct DockerTests {
    private static let tree = SourceTree.repository
    private static let hasMetricsPage = tree.files.contains { $0.path == "docs/metrics.md" }

    private let dockerfile = Self.tree.text("docker/Dockerfile")
    private let compose = Self.tree.text("docker/compose.yaml")

    @Test(.enabled(if: hasMetricsPage, "docs/metrics.md is not there"))
    func boardAndAlertsAskForDocumentedMetrics() {
        let documented = Self.metrics(Self.tree.text("docs/metrics.md"))
        for path in ["docker/grafana/sluice.json", "docker/prometheus/alerts.yml"] {
            let asked = Self.metrics(Self.tree.text(path))
            #expect(!asked.isEmpty, "\(path) asks for nothing")
            #expect(asked.subtracting(documented).isEmpty, "\(path) asks for what docs/metrics.md does not list")
        }
    }

    @Test func everyLibraryBuiltAgainstIsInTheImage() {
        let built = Self.packages(Self.tree.text("scripts/install-dependencies")).filter { $0.hasSuffix("-dev") }
        #expect(built.count >= 4)
        let installed = Self.packages(dockerfile)
        for package in built {
            let library = package.dropLast("-dev".count)
            #expect(installed.contains { $0.hasPrefix(library) }, "the image lacks the library of \(package)")
        }
    }

    @Test func composeMountsFilesThatExist() {
        let mounted = compose.matches(of: /\.\/([A-Za-z\/.-]+):\//).map { "docker/\($0.output.1)" }
        #expect(mounted.count >= 7)
        let known = Set(Self.tree.files.map(\.path))
        for path in mounted { #expect(known.contains(path), "\(path) is not there") }
    }

    @Test func imagesNameTheirVersion() {
        let images =
            dockerfile.matches(of: /(?m)^FROM (\S+)/).map { $0.output.1 }
            + compose.matches(of: /image: (\S+)/).map { $0.output.1 }
        #expect(images.count >= 6)
        for image in images {
            let tag = image.split(separator: ":").dropFirst().first
            #expect(tag != nil && tag != "latest", "\(image) may be another one tomorrow")
        }
    }

    @Test func theProgramIsNotRoot() {
        let users = dockerfile.matches(of: /(?m)^USER (\d+)/).map { $0.output.1 }
        #expect(users.last.map { $0 != "0" } == true)
    }

    // MARK: - Reading

    /// Names of metrics, without the suffixes of a histogram's series.
    private static func metrics(_ text: String) -> Set<String> {
        Set(
            text.matches(of: /\b(?:sluice|process)_[a-z_]+/).map { match in
                let name = String(match.output)
                let suffix = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }
                return String(name.dropLast(suffix?.count ?? 0))
            })
    }

    /// Words that look like packages of libraries.
    private static func packages(_ text: String) -> Set<String> {
        Set(text.matches(of: /\blib[a-z0-9+-]+/).map { String($0.output) })
    }
}
