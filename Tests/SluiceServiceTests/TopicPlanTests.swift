import SluiceLog
import Testing

@testable import SluiceService

/// The topics a service needs, held against those there are.
@Suite struct TopicPlanTests {
    private let plan = TopicPlan(application: "a", input: "in", output: "out", rejects: "in.rejected")

    private func topics(_ partitions: [String: Int]) -> [TopicDescription] {
        partitions.map { TopicDescription(name: $0.key, partitions: $0.value) }
    }

    @Test func aTopicOfOutputsThatTakesLessThanIsSentIsNamed() {
        var existing = topics(["in": 3, "out": 3, "in.rejected": 1, "a.control": 3, "a.events": 1])
        for (index, bytes) in ["300", "999", "1000", "1000", "1001"].enumerated() {
            existing.sort { $0.name < $1.name }
            existing[index].configuration["max.message.bytes"] = bytes
        }
        // By name: a.control, a.events, in, in.rejected, out. What others write to the input is theirs.
        #expect(plan.narrow(existing, batchBytes: 1_001).map(\.topic) == ["in.rejected", "a.control", "a.events"])
        #expect(plan.narrow(existing, batchBytes: 300).isEmpty)
        #expect(plan.narrow(existing, batchBytes: 301).first?.description.contains("max.message.bytes") == true)
        #expect(plan.problems(existing).isEmpty)
    }

    /// Where brokers make what is asked for, a topic nobody needs would appear with one partition.
    @Test(arguments: [false, true]) func theChangelogIsOpenedOnlyWhereItIsNeeded(hasChangelog: Bool) {
        let plan = TopicPlan(
            application: "a", input: "in", output: "out", rejects: "bad", hasChangelog: hasChangelog)
        #expect(plan.outputs[.slots] == (hasChangelog ? "a.slots" : nil))
        #expect(Set(plan.outputs.values) == Set(plan.needs.map(\.name)))
    }

    @Test func missingTopicsAreNamed() {
        let problems = plan.problems(topics(["in": 3, "out": 3, "in.rejected": 1]))
        #expect(problems == [.missing("a.control"), .missing("a.events")])
    }

    @Test func unequalPartitionsAreNamed() {
        let problems = plan.problems(topics(["in": 3, "out": 2, "in.rejected": 1, "a.control": 3, "a.events": 1]))
        #expect(problems == [.partitions("out", has: 2, needs: 3)])
    }

    @Test func compactedInputIsRefused() {
        var existing = topics(["out": 3, "in.rejected": 1, "a.control": 3, "a.events": 1])
        existing.append(TopicDescription(name: "in", partitions: 3, configuration: ["cleanup.policy": "compact"]))
        #expect(plan.problems(existing) == [.cleanup("in", has: "compact", needs: "delete")])
    }

    @Test func inputIsNeverAmongThoseToBeMade() {
        #expect(
            plan.missing([], inputPartitions: 3).map(\.name).sorted() == [
                "a.control", "a.events", "in.rejected", "out",
            ])
        #expect(plan.missing([], inputPartitions: 3).allSatisfy { $0.partitions == 3 })
    }

    /// A store that is half a day old is used: what ended since then must still be in the changelog.
    @Test func aChangelogThatForgetsTombstonesTooSoonIsRefused() {
        let plan = TopicPlan(application: "a", input: "in", output: "out", rejects: "in.rejected", hasChangelog: true)
        var existing = topics(["in": 3, "out": 3, "in.rejected": 1, "a.control": 3, "a.events": 1])
        func problems(_ milliseconds: Int64) -> [TopicPlan.Problem] {
            let configuration = ["cleanup.policy": "compact", "delete.retention.ms": "\(milliseconds)"]
            return plan.problems(
                existing + [TopicDescription(name: "a.slots", partitions: 3, configuration: configuration)])
        }
        #expect(problems(86_400_000).isEmpty)
        #expect(problems(86_399_999) == [.tombstones("a.slots", has: 86_399_999, needs: 86_400_000)])
        existing.removeAll { $0.name == "in" }
        #expect(problems(1).contains { $0.description.contains("delete.retention.ms=1") })
    }

    @Test func anAuditThatIsNotKeptForGoodIsWarnedOf() {
        var audit = TopicDescription(name: "a.events", partitions: 1)
        #expect(plan.forgetfulness([]).isEmpty && plan.forgetfulness([audit]).isEmpty)
        audit.configuration = ["retention.ms": "-1", "retention.bytes": "-1"]
        #expect(plan.forgetfulness([audit]).isEmpty)
        audit.configuration["retention.ms"] = "604800000"
        #expect(plan.forgetfulness([audit]).first?.contains("retention.ms=604800000") == true)
    }

    /// A command waits there while the service is away.
    @Test func commandsAreKeptForGood() throws {
        let made = plan.missing([TopicDescription(name: "in", partitions: 3)], inputPartitions: 3)
        let control = try #require(made.first { $0.name == "a.control" })
        #expect(control.configuration == ["cleanup.policy": "delete", "retention.ms": "-1"])
        #expect(plan.forgetfulness([control]).isEmpty)
        let bounded = TopicDescription(
            name: "a.control", partitions: 3, configuration: ["retention.ms": "604800000", "retention.bytes": "-1"])
        let warnings = plan.forgetfulness([bounded])
        #expect(warnings.count == 1 && warnings[0].contains("a.control has retention.ms=604800000: commands"))
    }
}
