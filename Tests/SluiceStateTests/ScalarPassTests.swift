import SluiceCore
import SluiceLSTM
import SluiceSchema
import Testing

@testable import SluiceState

@Suite struct ScalarPassTests {
    private func stream(
        boundaries: BoundaryPolicy = BoundaryPolicy(), missing: MissingPolicy = .carry, late: LatePolicy = .apply,
        scaling: ScalingKind = .none, _ head: HeadKind = .point, classes: Int? = nil
    ) -> OneStream {
        let scaler = Model.Scaler(mean: [10, 0], scale: [2, 0])
        return OneStream(
            FoldSpecification(
                model: model(head, classes: classes, scaling: scaling, scaler: scaling == .global ? scaler : nil),
                boundaries: boundaries, missing: missing, late: late))
    }

    // MARK: - Missing values

    @Test func aMissingValueIsTheLastPresentOne() {
        let stream = stream()
        #expect(stream.observe([.nan, 1], at: 0).scaled == [0, 1], "nothing to carry yet")
        stream.observe([5, 2], at: 1)
        #expect(stream.observe([.nan, .nan], at: 2).scaled == [5, 2])
        #expect(stream.observe([.nan, 3], at: 3).scaled == [5, 3])
        #expect((0..<2).map { stream.scalars.statistics($0).count } == [1, 3], "missing values never update")
    }

    @Test func aBoundaryForgetsTheCarriedValueAndKeepsTheStatistics() {
        let stream = stream()
        stream.observe([5, 2], at: 0)
        stream.observe([7, 2], at: 1)
        #expect(stream.observe([.nan, 2], at: 2, mark: .start).scaled == [0, 2])
        #expect(stream.scalars.statistics(0).mean == 6 && stream.scalars.statistics(0).count == 2)
    }

    @Test func aMissingValueIsTheMean() {
        let stream = stream(missing: .mean)
        #expect(stream.observe([.nan, 1], at: 0).scaled == [0, 1])
        stream.observe([4, 1], at: 1)
        stream.observe([8, 1], at: 2)
        #expect(stream.observe([.nan, 1], at: 3).scaled == [6, 1])
    }

    @Test func aMissingValueIsZeroAfterScaling() {
        let stream = stream(missing: .zero, scaling: .perStream)
        for time in 0..<20 { stream.observe([Float(time), 1], at: Int64(time)) }
        #expect(stream.observe([.nan, 1], at: 20).scaled == [0, 0])
    }

    // MARK: - Scaling

    @Test func scalingPerStreamUsesTheStatisticsWithTheValueIn() {
        let stream = stream(scaling: .perStream)
        var statistics = StreamStatistics()
        for value: Float in [3, 9, -4, 100] {
            statistics.add(value)
            #expect(stream.observe([value, 1], at: 0).scaled == [statistics.scaled(value), 0])
        }
    }

    @Test func globalScalingUsesTheModels() {
        let stream = stream(scaling: .global)
        #expect(stream.observe([14, 3], at: 0).scaled == [2, 0], "a degenerate scale gives 0")
    }

    // MARK: - Lateness

    @Test func lateObservationsFollowThePolicy() {
        for (policy, expected) in [
            (LatePolicy.apply, ScalarPass.Settlement.step(boundary: nil)), (.drop, .dropLate), (.reject, .rejectLate),
        ] {
            let stream = stream(late: policy)
            stream.observe([1, 1], at: 100)
            #expect(stream.observe([1, 1], at: 100).settlement == .step(boundary: nil), "as old is not older")
            #expect(stream.observe([1, 1], at: 99).settlement == expected)
            #expect(stream.header.time == 100, "the last time is the latest")
            #expect(stream.header.step == (policy == .apply ? 3 : 2))
        }
    }

    @Test func lateIsJudgedAcrossABoundary() {
        let stream = stream(late: .drop)
        stream.observe([1, 1], at: 100, mark: .end)
        #expect(stream.observe([1, 1], at: 99, mark: .start).settlement == .dropLate)
    }

    // MARK: - Boundaries

    @Test func startResetsBeforeAndEndAfterTheObservation() {
        let stream = stream()
        stream.observe([1, 1], at: 0)
        #expect(stream.observe([1, 1], at: 1).judgement?.step == 1)
        let started = stream.observe([1, 1], at: 2, mark: .start)
        #expect(started.settlement == .step(boundary: .start))
        #expect(started.judgement?.step == 0)
        #expect(stream.header.boundaryCause == .start && stream.header.boundaryOffset == 2)
        let ended = stream.observe([1, 1], at: 3, mark: .end)
        #expect(ended.settlement == .step(boundary: nil))
        #expect(ended.judgement?.step == 1)
        #expect(stream.header.boundaryCause == .end && stream.header.boundaryOffset == 4)
        #expect(stream.header.step == 0 && stream.header.resets == 2)
        #expect(stream.observe([1, 1], at: 4).judgement?.step == 0)
    }

    @Test func boundariesInOnePlaceAreOne() {
        let stream = stream(boundaries: BoundaryPolicy(sequenceChange: true, gap: 10))
        let first = stream.observe([1, 1], at: 0, sequence: "a", mark: .start)
        #expect(first.settlement == .step(boundary: nil), "the first observation is fresh anyway")
        #expect(stream.header.boundaryCause == .first && stream.header.boundaryOffset == 0)
        stream.observe([1, 1], at: 1, sequence: "a", mark: .end)
        #expect(stream.header.resets == 1)
        let next = stream.observe([1, 1], at: 100, sequence: "b", mark: .start)
        #expect(next.settlement == .step(boundary: nil))
        #expect(stream.header.resets == 1 && stream.header.boundaryCause == .end)
    }

    @Test func aSequenceIdThatComesGoesOrChangesIsABoundary() {
        let stream = stream(boundaries: BoundaryPolicy(sequenceChange: true))
        let sequences: [(String?, BoundaryCause?)] = [
            (nil, nil), (nil, nil), ("a", .sequence), ("a", nil), ("b", .sequence), ("", .sequence), (nil, .sequence),
        ]
        for (sequence, boundary) in sequences {
            #expect(stream.observe([1, 1], at: 0, sequence: sequence).settlement == .step(boundary: boundary))
        }
    }

    @Test func everySoManyObservationsCountsFromTheLastBoundary() {
        let stream = stream(boundaries: BoundaryPolicy(every: 3))
        var steps: [Int64?] = []
        for turn in 0..<9 {
            steps.append(stream.observe([1, 1], at: 0, mark: turn == 4 ? .start : .none).judgement?.step)
        }
        #expect(steps == [0, 1, 2, 0, 0, 1, 2, 0, 1])
    }

    @Test func aGapBeforeALateObservationIsNone() {
        let stream = stream(boundaries: BoundaryPolicy(gap: 10))
        stream.observe([1, 1], at: 1_000)
        #expect(stream.observe([1, 1], at: 0).settlement == .step(boundary: nil))
        #expect(stream.observe([1, 1], at: 1_010).settlement == .step(boundary: nil))
        #expect(stream.observe([1, 1], at: 1_021).settlement == .step(boundary: .gap))
    }

    // MARK: - Labels

    @Test(
        arguments: [
            (Float.nan, true), (-1, true), (0, true), (1, true), (2, true), (3, false), (-0.0, true), (0.5, false),
            (-2, false),
            (1e30, false),
        ] as [(Float, Bool)])
    func labelsAreClasses(label: Float, isLegal: Bool) {
        let stream = stream(.categorical, classes: 3)
        let settlement = stream.observe([1, 1], at: 0, label: label).settlement
        #expect(settlement == (isLegal ? .step(boundary: nil) : .rejectLabel))
    }

    @Test func aLabelWithoutUseMayBeAnything() {
        #expect(stream().observe([1, 1], at: 0, label: 77.5).settlement == .step(boundary: nil))
        #expect(stream(.binary).observe([1, 1], at: 0, label: 2).settlement == .rejectLabel)
    }
}
