package import SluiceCore
import SluiceLSTM
package import SluiceSchema
package import SluiceState

extension Fold {
    /// Stages a row: copies the slot's scalars, settles boundaries, missing values and scaling there.
    func prepare(_ index: Int) {
        let row = rows[index]
        row.table._withUnsafeGuaranteedRef { table in
            if row.outcome == .end {
                table.end(row.slot)
                return
            }
            let slot = table[row.slot]
            let staged = stage.scalars(stage.count)
            staged.base.copyMemory(from: slot.scalars, byteCount: layout.scalarBytes)
            let settlement = scalarPass.settle(
                input(row), staged: staged, currentSequence: table.texts.bytes(staged.header.pointee.sequence),
                scaled: stage.inputs + stage.count * layout.shape.inputs)
            switch settlement {
            case .step(let boundary):
                rows[index].boundary = boundary
                stage.states[stage.count] =
                    boundary == nil ? UnsafePointer(slot.state) : stage.initialState(staged.header, of: table)
                stage.rows[stage.count] = Int32(index)
                stage.count += 1
            case .dropLate: rows[index].outcome = .dropped
            case .rejectLate: reject(index, .late)
            case .rejectLabel: reject(index, .labelInvalid)
            }
        }
    }

    /// Steps what is staged and commits each row whose step is finite.
    func step() {
        guard stage.count > 0 else { return }
        stepper.step(
            rows: stage.count, inputs: stage.inputs, states: stage.states, next: stage.next, outputs: stage.raw,
            finite: stage.finite)
        for staged in 0..<stage.count {
            let index = Int(stage.rows[staged])
            if stage.finite[staged] && transform(staged, into: index) {
                commit(staged, index)
            } else {
                reject(index, .nonFinite)
            }
        }
        stage.count = 0
    }

    /// Head and de-normalisation; false if a value is not finite.
    private func transform(_ staged: Int, into index: Int) -> Bool {
        let scalars = stage.scalars(staged)
        for target in specification.targetInputs.indices {
            scales[target] = forecastPass.normalisation(ofTarget: target, scalars)
        }
        return head.values(
            of: stage.raw + staged * stage.outputs, scales: scales, into: values + index * stage.outputs)
    }

    private func commit(_ staged: Int, _ index: Int) {
        let scalars = stage.scalars(staged)
        let row = rows[index]
        row.table._withUnsafeGuaranteedRef { table in
            let slot = table[row.slot]
            let input = input(row)
            rows[index].judgement = forecastPass.finish(
                input, values: values + index * stage.outputs, staged: scalars, ring: slot.ring)
            rows[index].outcome = .prediction
            let cause = rows[index].judgement.step == 0 ? scalars.header.pointee.boundaryCause : nil
            slot.base.copyMemory(from: stage.next + staged * layout.shape.stateFloats, byteCount: layout.stateBytes)
            if input.mark == .end {
                ScalarPass.reset(
                    scalars, cause: .end, time: input.time, offset: row.offset + 1, inputs: layout.shape.inputs)
                table.begin(slot.state, scalars.header)
                rows[index].endsSequence = true
            }
            table.replaceSequence(scalars.header, input.sequence)
            slot.scalars.copyMemory(from: scalars.base, byteCount: layout.scalarBytes)
            table.markDirty(row.slot, at: row.offset)
            row.partition._withUnsafeGuaranteedRef { partition in
                partition.latest = max(partition.latest, input.time)
                remember(index, input, cause, scalars.header, partition)
            }
        }
    }

    private func remember(
        _ index: Int, _ input: FoldInput, _ cause: BoundaryCause?, _ header: UnsafeMutablePointer<SlotHeader>,
        _ partition: PartitionState
    ) {
        let row = rows[index]
        let interval = forecastPass.interval(values + index * stage.outputs)
        partition.recent.add(
            RecentRing.Entry(
                keyHash: xxHash64(columns.bytes(columns.rows[Int(row.column)].key)), offset: row.offset,
                time: input.time, step: row.judgement.step,
                value: firstTarget.map { input.features[$0] } ?? input.label, forecast: header.pointee.forecast,
                low: interval.low, high: interval.high, anomaly: header.pointee.anomaly, boundary: cause))
    }

    private func reject(_ index: Int, _ code: RejectCode) {
        rows[index].outcome = .reject
        rows[index].code = code
        // The slot stays as it was: a boundary before the observation has not taken effect either.
        rows[index].boundary = nil
        // The decoder knows the record it read last, which is another: only what it says of any record is true of this.
        guard rows[index].isLive else { return }
        messages[index] = code == .labelInvalid ? unknownLabel : decoder.message(for: code)
    }

    private var unknownLabel: String {
        let classes = specification.model.manifest.head == .binary ? 2 : specification.shape.outputs
        return "the label is none of the classes 0 to \(classes - 1), nor -1 for none"
    }

    @inline(__always)
    private func input(_ row: FoldRow) -> FoldInput { columns.foldInput(Int(row.column), offset: row.offset) }
}

extension ObservationColumns {
    /// A row as the fold's passes take it; valid until the columns change.
    @inline(__always)
    package borrowing func foldInput(_ row: Int, offset: Offset) -> FoldInput {
        let observation = rows[row]
        return FoldInput(
            features: features(row), time: observation.time, label: observation.label,
            sequence: bytes(observation.sequence), mark: observation.boundary, offset: offset)
    }
}
