import SluiceCore
package import SluiceLog
package import SluiceSchema
package import SluiceState
import SluiceLSTM

/// The fold: `slot', prediction = fold(slot, observation)` for batches of records, of any size and of any streams.
///
/// A batch goes through in passes: decode every record and assign its wave (wave w holds the w-th record of each stream); for
/// each wave the scalar pass, the step in place, the forecast pass; then outputs in the order of the input. Which records share
/// a batch never changes a bit: streams do not touch each other and the kernel is batch-invariant.
///
/// Confined to one thread. In the steady state nothing is allocated per record.
package final class Fold {
    package let specification: FoldSpecification
    let layout: SlotLayout
    let stepper: LSTMStepper
    let stage: StepStage
    let scalarPass: ScalarPass
    let forecastPass: ForecastPass
    let head: Head
    var decoder: ObservationDecoder
    var columns: ObservationColumns
    let predictions: PredictionLayout
    /// What was wrong with the rejects of the batch, by row.
    var messages: [Int: String] = [:]
    var rows: [FoldRow] = []
    /// `[rows][O]`: the head's values, de-normalised.
    let values: UnsafeMutablePointer<Float>
    /// `[targets]`: (m, s) of the row at hand.
    let scales: UnsafeMutablePointer<TargetScale>
    private var waveStarts: [Int32] = []
    private var waveOrder: [Int32] = []
    private var waves: UInt32 = 0
    private var batch: UInt32 = 1
    package internal(set) var report = BatchReport()

    package init(specification: FoldSpecification, input: InputSpecification) throws {
        self.specification = specification
        layout = specification.layout
        stepper = LSTMStepper(specification.model.parameters)
        stage = StepStage(layout: layout)
        scalarPass = ScalarPass(specification)
        forecastPass = ForecastPass(specification)
        head = Head(specification.model.manifest)
        decoder = try ObservationDecoder(input)
        columns = ObservationColumns(featureCount: input.features.count)
        predictions = PredictionLayout(specification.model.manifest)
        values = .allocate(capacity: Limits.batchRecords * specification.shape.outputs)
        scales = .allocate(capacity: max(1, specification.targetInputs.count))
        scales.initialize(repeating: .identity, count: max(1, specification.targetInputs.count))
        rows.reserveCapacity(Limits.batchRecords)
        waveOrder.reserveCapacity(Limits.batchRecords)
    }

    deinit {
        values.deallocate()
        scales.deallocate()
    }

    /// Rows waiting in the batch.
    package var count: Int { rows.count }
    package var isFull: Bool { rows.count == Limits.batchRecords }

    /// Decodes a record into the batch. Records of a partition come in offset order; the record's memory must live until `emit`.
    package func append(_ record: borrowing LogRecord, at index: Int, of partition: PartitionState) {
        precondition(!isFull, "callers cut batches")
        var row = FoldRow(
            partition: Unmanaged.passUnretained(partition), offset: record.offset, record: Int32(index), outcome: .pending,
            isLive: record.offset >= partition.liveFrom)
        partition.position = record.offset + 1
        let input = InputRecord(
            value: record.value, key: record.key, timestamp: record.timestamp, boundary: record.boundary,
            offset: record.offset)
        if let code = decoder.append(input, to: &columns) {
            row.outcome = .reject
            row.code = code
            if row.isLive { messages[rows.count] = decoder.message(for: code) }
        } else {
            row.column = Int32(columns.count - 1)
            row.offset = columns.rows[columns.count - 1].offset
            assignWave(&row, partition)
        }
        rows.append(row)
    }

    private func assignWave(_ row: inout FoldRow, _ partition: PartitionState) {
        let observation = columns.rows[Int(row.column)]
        let key = columns.bytes(observation.key)
        if observation.isTombstone {
            row.outcome = .end
            // A stream that was never seen has nothing to end.
            guard let slot = partition.table.find(key) else { return }
            row.slot = slot
        } else {
            row.slot = partition.table.intern(key)
        }
        let header = partition.table[row.slot].header
        if header.pointee.batch != batch {
            header.pointee.batch = batch
            header.pointee.batchRows = 0
        }
        row.wave = header.pointee.batchRows
        header.pointee.batchRows += 1
        waves = max(waves, row.wave + 1)
    }

    /// Folds the batch.
    package func run() {
        guard !rows.isEmpty else { return }
        sortByWave()
        for wave in 0..<Int(waves) { run(waveOrder: Int(waveStarts[wave])..<Int(waveStarts[wave + 1])) }
        for row in rows where row.slot != .max {
            row.partition._withUnsafeGuaranteedRef { $0.table.releaseIfUnused(row.slot) }
        }
    }

    /// A counting sort: rows of each wave in input order.
    private func sortByWave() {
        waveStarts.removeAll(keepingCapacity: true)
        for _ in 0...Int(waves) { waveStarts.append(0) }
        for row in rows where row.slot != .max { waveStarts[Int(row.wave) + 1] += 1 }
        for wave in 0..<Int(waves) { waveStarts[wave + 1] += waveStarts[wave] }
        waveOrder.removeAll(keepingCapacity: true)
        for _ in rows { waveOrder.append(0) }
        var fill = waveStarts
        for index in rows.indices where rows[index].slot != .max {
            let wave = Int(rows[index].wave)
            waveOrder[Int(fill[wave])] = Int32(index)
            fill[wave] += 1
        }
    }

    private func run(waveOrder range: Range<Int>) {
        for position in range {
            prepare(Int(waveOrder[position]))
            if stage.count == Limits.stepRows { step() }
        }
        step()
    }

    /// Forgets the batch, keeps its memory.
    package func clear() {
        rows.removeAll(keepingCapacity: true)
        columns.removeAll()
        if !messages.isEmpty { messages.removeAll() }
        waves = 0
        batch &+= 1
        report = BatchReport()
    }
}
