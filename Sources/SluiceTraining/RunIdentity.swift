internal import SluiceCore
internal import SluiceLSTM
internal import SluiceNumerics

/// What a run of training is of: the same identity gives the same bits.
enum RunIdentity {
    /// - Parameter set: the processor's: those of another width add in another order.
    static func entries(
        _ dataset: Dataset, _ manifest: ModelManifest, _ shape: LSTMShape, _ configuration: TrainingConfiguration,
        set: InstructionSet
    ) -> [String: String] {
        var entries = fields(configuration, "train")
        entries.merge(fields(manifest, "model")) { first, _ in first }
        entries.merge(fields(shape, "model")) { first, _ in first }
        // However many work on it, the bits are the same.
        entries["train.threads"] = nil
        entries["instruction set"] = "\(set.instructions)"
        let hash = String(dataset.fingerprint, radix: 16)
        entries["data"] = "\(dataset.count) observations of \(dataset.series.count) streams (\(hash))"
        return entries
    }

    /// - Parameters:
    ///   - kept: the identity of what is to be gone on with, a `what`.
    /// - Throws: `checkpoint-foreign`, with all that differs.
    static func check(
        _ kept: [String: String], against identity: [String: String], _ what: String
    ) throws(SluiceError) {
        let names = Set(identity.keys).union(kept.keys).sorted()
        let differences = names.compactMap { name -> String? in
            let (there, here) = (kept[name] ?? "absent", identity[name] ?? "absent")
            return there == here ? nil : "\(name) was \(there) and is \(here)"
        }
        if !differences.isEmpty { throw foreign(what, differences.joined(separator: "; ")) }
    }

    static func foreign(_ what: String, _ difference: String) -> SluiceError {
        SluiceError(
            .foreignCheckpoint, "the \(what) is of another run: \(difference)",
            remedy: "resume with the settings and data that it was made with, or begin anew")
    }

    /// Every stored property, so that a new setting is never forgotten, by its name in the configuration.
    private static func fields(_ value: Any, _ section: String) -> [String: String] {
        var fields: [String: String] = [:]
        for case (let label?, let value) in Mirror(reflecting: value).children {
            let name = label.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
            fields["\(section).\(name)"] = text(value)
        }
        return fields
    }

    private static func text(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { text($0.value) } ?? "none"
        case .collection: return "[" + mirror.children.map { text($0.value) }.joined(separator: ", ") + "]"
        default: return (value as? any RawRepresentable).map { "\($0.rawValue)" } ?? "\(value)"
        }
    }
}

extension Dataset {
    /// XXH64 of all that training sees.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0
        func add(_ bytes: UnsafeRawBufferPointer, _ count: Int) {
            hash = xxHash64(bytes, seed: hash ^ UInt64(count))
        }
        func add<Element>(_ column: Column<Element>) {
            column.withUnsafeBufferPointer { add(UnsafeRawBufferPointer($0), $0.count) }
        }
        for one in series {
            Array(one.name.utf8).withUnsafeBytes { add($0, $0.count) }
            add(one.inputs)
            add(one.targets)
            add(one.center)
            add(one.scale)
            add(one.labels)
            add(one.boundary)
            add(one.warm)
            add(one.times)
        }
        return hash
    }
}
