package import SluiceCore
import SluiceEngine
import SluiceLSTM
package import SluiceSchema
package import SluiceState
package import SluiceTraining

/// Turns observations into training series by the very scalar pass that serves them: boundaries, missing values and
/// scaling are settled as in the fold, from empty.
package struct DatasetBuilder: ~Copyable {
    private let scalarPass: ScalarPass
    private let forecastPass: ForecastPass
    private let layout: SlotLayout
    private let targetInputs: [Int?]
    private var table: SlotTable
    private var decoder: ObservationDecoder
    private var columns: ObservationColumns
    private var scaled: [Float]
    private var series: [TrainingSeries] = []
    /// Slot to its series; a stream that ended and begins anew is another series.
    private var seriesOfSlot: [UInt32: Int] = [:]
    private var next: Offset = 0
    private let rowLayout: RowLayout
    private let memory: DatasetMemory
    private var spool: SeriesSpool?
    /// Observations when rows were last taken out of memory.
    private var spilledAt = 0
    package private(set) var observations = 0
    /// Of the last observation taken in.
    package private(set) var time: EpochMilliseconds = .absent

    /// - Parameters:
    ///   - specification: its model's manifest and shape count, its parameters do not.
    ///   - keepsRaw: the series keep their inputs as observed beside.
    ///   - memory: what `spill` leaves there.
    package init(
        _ specification: FoldSpecification, input: InputSpecification, keepsRaw: Bool = false, memory: DatasetMemory
    ) throws {
        let inputs = specification.shape.inputs
        rowLayout = RowLayout(
            inputs: inputs, raw: keepsRaw ? inputs : 0, targets: specification.targetInputs.count,
            labels: specification.targetInputs.isEmpty ? 1 : 0)
        self.memory = memory
        scalarPass = ScalarPass(specification)
        forecastPass = ForecastPass(specification)
        layout = specification.layout
        targetInputs = specification.targetInputs
        table = SlotTable(specification)
        decoder = try ObservationDecoder(input)
        columns = ObservationColumns(featureCount: input.features.count, rowsExpected: 1)
        scaled = Array(repeating: 0, count: specification.shape.inputs)
    }

    /// Takes an observation in; a reject's code where it cannot be one.
    package mutating func append(_ record: InputRecord) -> RejectCode? {
        columns.removeAll()
        if let code = decoder.append(record, to: &columns) { return code }
        let observation = columns.rows[0]
        if observation.isTombstone {
            end(columns.bytes(observation.key))
            return nil
        }
        let index = table.intern(columns.bytes(observation.key))
        defer { table.endBatch(index) }
        return fold(observation, index)
    }

    /// Lets a recorded command take effect before the next observation, as in the service: a reset, or an import, after
    /// which a state no longer comes of the observations before.
    package mutating func obey(_ command: Event) {
        switch command.target {
        case .stream(var key)?:
            guard let slot = key.withUTF8({ table.find(UnsafeRawBufferPointer($0)) }) else { return }
            table.reset(slot, at: next)
        case .prefix(let prefix)?:
            table.reset(prefix: Array(prefix.utf8), at: next, control: nil)
            table.settle()
        case nil: break
        }
    }

    /// Goes on with another partition, whose streams are others whatever their keys.
    package mutating func beginPartition() {
        table = SlotTable(layout: layout, initialStates: table.initialStates)
        seriesOfSlot = [:]
    }

    /// Goes on with records of another layout: the next file's columns.
    package mutating func change(_ input: InputSpecification) throws { decoder = try ObservationDecoder(input) }

    /// Why the last observation was refused, for people.
    package func message(for code: RejectCode) -> String { decoder.message(for: code) }

    private mutating func fold(_ observation: Observation, _ index: UInt32) -> RejectCode? {
        let slot = table[index]
        let scalars = SlotScalars(base: slot.scalars, layout: layout)
        let input = columns.foldInput(0, offset: next)
        let isFirst = !slot.header.pointee.isUsed
        // Nothing of the slot is changed before the observation is accepted: the policies are looked at first.
        let settlement = scaled.withUnsafeMutableBufferPointer { scaled in
            scalarPass.settle(
                input, staged: scalars, currentSequence: table.texts.bytes(scalars.header.pointee.sequence),
                scaled: scaled.baseAddress.unsafelyUnwrapped)
        }
        switch settlement {
        case .dropLate: return nil
        case .rejectLate: return .late
        case .rejectLabel: return .labelInvalid
        case .step(let boundary): add(observation, input, scalars, index, isBoundary: isFirst || boundary != nil)
        }
        table.replaceSequence(scalars.header, input.sequence)
        forecastPass.advance(input, scalars)
        if input.mark == .end {
            ScalarPass.reset(scalars, cause: .end, time: input.time, offset: next + 1, inputs: layout.shape.inputs)
        }
        next += 1
        observations += 1
        time = observation.time
        return nil
    }

    private mutating func add(
        _ observation: Observation, _ input: FoldInput, _ scalars: SlotScalars, _ slot: UInt32, isBoundary: Bool
    ) {
        let position: Int
        if let known = seriesOfSlot[slot] {
            position = known
        } else {
            position = series.count
            seriesOfSlot[slot] = position
            series.append(TrainingSeries(name: String(decoding: columns.bytes(observation.key), as: UTF8.self)))
        }
        series[position].inputs += scaled
        if rowLayout.raw > 0 { series[position].raw += (0..<layout.shape.inputs).map { input.features[$0] } }
        for (target, feature) in targetInputs.enumerated() {
            let normalisation = forecastPass.normalisation(ofTarget: target, scalars)
            series[position].targets.append(feature.map { input.features[$0] } ?? .nan)
            series[position].center.append(normalisation.mean)
            series[position].scale.append(normalisation.scale)
        }
        if targetInputs.isEmpty { series[position].labels.append(observation.label) }
        // A step count of zero is a boundary too: the one before was an end.
        series[position].boundary.append(isBoundary || scalars.header.pointee.step == 0)
        series[position].warm.append(forecastPass.isWarm(scalars))
        series[position].times.append(observation.time)
    }

    private mutating func end(_ key: UnsafeRawBufferPointer) {
        guard let slot = table.find(key) else { return }
        table.end(slot)
        table.endBatch(slot)
        seriesOfSlot[slot] = nil
    }

    /// Moves the rows out of memory when they may be more than is theirs of it.
    ///
    /// - Throws: `file` where there is no room for them elsewhere.
    package mutating func spill() throws {
        // Arrays that grow have room for as much again.
        guard 2 * (observations - spilledAt) * rowLayout.bytesPerRow > memory.bytes else { return }
        if spool == nil { spool = try SeriesSpool(rowLayout, in: memory.folder) }
        try spool?.take(&series)
        spilledAt = observations
    }

    /// The series of all streams, in order of their first observation.
    ///
    /// - Throws: as `spill`.
    package consuming func finish() throws -> [TrainingSeries] {
        try spool.take()?.finish(&series)
        return series
    }
}
