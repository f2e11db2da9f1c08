import SluiceCore
package import SluiceLSTM
package import SluiceLog
package import SluiceSchema
import SluiceState

extension Fold {
    /// Encodes the outcome of each row of the batch, in the order of the input: predictions to the input's partition
    /// and key, rejects with the original bytes. Nothing for rows folded again after a restart.
    ///
    /// - Parameters:
    ///   - messageBytesMax: of what the client takes.
    ///   - sizes: of what brokers have not refused.
    package func emit(
        _ records: UnsafeBufferPointer<LogRecord>, topic: String, messageBytesMax: Int,
        sizes: OutputLimits.Sizes = OutputLimits.Sizes(), into outputs: inout OutputBatch
    ) {
        var topic = topic
        for index in 0..<count {
            if rows[index].isLive && rows[index].outcome == .prediction {
                let size = topic.withUTF8 { predict(index, UnsafeRawBufferPointer($0), records, &outputs) }
                if size > messageBytesMax {
                    withdraw(index, &outputs)
                    messages[index] =
                        "the prediction takes \(size) bytes, and a message may have \(messageBytesMax): "
                        + "see message.max.bytes"
                } else if sizes.predictions < .max, let bytes = outputs.entries.last.map({ outputs.recordBytes($0) }),
                    bytes > sizes.predictions
                {
                    withdraw(index, &outputs)
                    messages[index] =
                        "the prediction takes \(bytes) bytes, which its topic refuses: "
                        + "raise max.message.bytes of the topic and restart the service"
                }
            }
            if rows[index].isLive && rows[index].outcome == .reject {
                refuse(rows[index], index, topic, records, messageBytesMax, sizes.rejects, &outputs)
            }
            count(rows[index])
        }
    }

    private func count(_ row: FoldRow) {
        report.records += 1
        guard row.isLive else {
            report.replayed += 1
            return
        }
        switch row.outcome {
        case .prediction: report.predictions += 1
        case .reject: report.rejects += 1
        case .dropped: report.dropped += 1
        case .end: report.ended += 1
        case .pending: preconditionFailure("a row that was not folded")
        }
        if row.boundary != nil { report.boundaries += 1 }
        if row.endsSequence { report.boundaries += 1 }
    }

    /// Encodes a prediction; returns about how many bytes its message takes.
    private func predict(
        _ index: Int, _ topic: UnsafeRawBufferPointer, _ records: UnsafeBufferPointer<LogRecord>,
        _ outputs: inout OutputBatch
    ) -> Int {
        let row = rows[index]
        let observation = columns.rows[Int(row.column)]
        let hasSource = !observation.sourceTopic.isNone
        let partition = hasSource ? observation.sourcePartition : records[Int(row.record)].partition
        let key = columns.bytes(observation.key)
        let start = outputs.arena.count
        outputs.arena.append(key)
        let keyRange = start..<outputs.arena.count
        let prediction = Prediction(
            stream: key, time: observation.time, sequence: columns.bytes(observation.sequence),
            step: row.judgement.step, warm: row.judgement.isWarm, outputs: values + index * stage.outputs,
            anomaly: row.judgement.anomaly.isNaN ? nil : row.judgement.anomaly,
            topic: hasSource ? columns.bytes(observation.sourceTopic) : topic, partition: partition, offset: row.offset)
        let value = predictions.encode(prediction, into: &outputs.arena)
        outputs.entries.append(
            OutputBatch.Entry(topic: .predictions, partition: partition, key: keyRange, value: value))
        return keyRange.count + value.count + Self.messageOverhead
    }

    /// Bytes of a message besides key and value, amply.
    private static var messageOverhead: Int { 128 }

    /// A prediction that can never be produced becomes a reject: the observation is applied all the same, for how large
    /// messages may be must not change what the slot becomes.
    private func withdraw(_ index: Int, _ outputs: inout OutputBatch) {
        if let entry = outputs.entries.popLast(), let key = entry.key { outputs.arena.truncate(to: key.lowerBound) }
        rows[index].outcome = .reject
        rows[index].code = .tooLarge
    }

    /// Encodes a reject; of an input too large for the topic only as much as it takes, or at last the headers.
    private func refuse(
        _ row: FoldRow, _ index: Int, _ topic: String, _ records: UnsafeBufferPointer<LogRecord>, _ bytesMax: Int,
        _ sizeMax: Int, _ outputs: inout OutputBatch
    ) {
        let record = records[Int(row.record)]
        let reject = RejectMessage(
            code: row.code, message: messages[index] ?? row.code.text, topic: topic, partition: record.partition,
            offset: record.offset)
        let (start, first) = (outputs.arena.count, outputs.headers.count)
        for extent in RejectMessage.Extent.allCases {
            outputs.arena.truncate(to: start)
            outputs.headers.removeSubrange(first...)
            let encoded = reject.encode(
                key: record.key, value: record.value, bytesMax: bytesMax, extent, into: &outputs.arena)
            for header in encoded.headers {
                outputs.headers.append(OutputBatch.Header(name: header.name, value: header.value))
            }
            let entry = OutputBatch.Entry(
                topic: .rejects, partition: -1, key: encoded.key, value: encoded.value,
                headers: first..<outputs.headers.count)
            if extent == .headers || sizeMax == .max || outputs.recordBytes(entry) <= sizeMax {
                return outputs.entries.append(entry)
            }
        }
    }

    /// Rejects of the batch by code.
    package func rejectCounts() -> [String: Int] {
        var counts: [String: Int] = [:]
        for index in 0..<count where rows[index].outcome == .reject && rows[index].isLive {
            counts[rows[index].code.text, default: 0] += 1
        }
        return counts
    }
}

extension PredictionLayout {
    /// The layout of a model's predictions.
    package init(_ manifest: ModelManifest) {
        let head: Head =
            switch manifest.head {
            case .point: .point
            case .gaussian: .gaussian
            case .quantile: .quantile(manifest.quantiles)
            case .binary: .probabilities(1)
            case .categorical: .probabilities(manifest.outputs)
            }
        self.init(version: manifest.version, targets: manifest.targets, horizons: manifest.horizons, head: head)
    }
}
