internal import SluiceCore
internal import SluiceLSTM

/// The tensors of a model out of a safetensors file whose header is known to be sound.
struct TensorReader {
    private let file: [UInt8]
    private let header: SafetensorsHeader
    private let entries: [String: SafetensorsHeader.Entry]

    init(file: [UInt8], header: SafetensorsHeader) {
        self.file = file
        self.header = header
        self.entries = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0) })
    }

    func model(_ manifest: ModelManifest) throws(SluiceError) -> Model {
        try refuseVariants()
        let shape = try shape(manifest)
        // A few bytes may claim a large shape: memory is taken once the tensors are known to be there.
        let layout = LSTMParameters.layout(shape, hasInitialState: manifest.initialState.isLearned)
        var expected: [(name: String, shape: [Int])] = layout.map { ($0.name, $0.shape) }
        if manifest.scaling == .global { expected += ScalerTensor.all.map { ($0, [shape.inputs]) } }
        for tensor in expected { try check(tensor.name, shape: tensor.shape) }
        let known = Set(expected.map(\.name))
        for entry in header.entries where !known.contains(entry.name) { throw unexpected(entry.name, manifest) }

        var parameters = LSTMParameters(shape: shape, hasInitialState: manifest.initialState.isLearned)
        for tensor in parameters.tensors {
            try read(tensor.name, into: &parameters.values, at: tensor.range.lowerBound)
        }
        guard manifest.scaling == .global else { return Model(manifest: manifest, parameters: parameters) }
        var scaler = Model.Scaler(
            mean: [Float](repeating: 0, count: shape.inputs), scale: [Float](repeating: 0, count: shape.inputs))
        try read(ScalerTensor.mean, into: &scaler.mean, at: 0)
        try read(ScalerTensor.scale, into: &scaler.scale, at: 0)
        try ScalerTensor.check(scaler, manifest)
        return Model(manifest: manifest, parameters: parameters, scaler: scaler)
    }

    /// Kinds of LSTM that PyTorch saves under the same names and that cannot be stepped one observation at a time.
    private func refuseVariants() throws(SluiceError) {
        for entry in header.entries where entry.name.hasPrefix("lstm.") {
            if entry.name.hasSuffix("_reverse") {
                throw .model(
                    "tensor \(entry.name) belongs to a bidirectional LSTM, which reads the future: it cannot stream",
                    remedy: "train with bidirectional=False")
            }
            if entry.name.hasPrefix("lstm.weight_hr") {
                throw .model(
                    "tensor \(entry.name) belongs to an LSTM with projections, which cannot be streamed",
                    remedy: "train with proj_size=0")
            }
        }
    }

    private func shape(_ manifest: ModelManifest) throws(SluiceError) -> LSTMShape {
        guard let hidden = entries["lstm.weight_hh_l0"] else { throw missing("lstm.weight_hh_l0") }
        guard hidden.shape.count == 2, (1...Limits.hidden).contains(hidden.shape[1]) else {
            throw .model(
                "tensor lstm.weight_hh_l0 has shape \(hidden.shape), not [4H, H] with H from 1 to \(Limits.hidden)")
        }
        var layers = 1
        while entries["lstm.weight_hh_l\(layers)"] != nil || entries["lstm.weight_ih_l\(layers)"] != nil { layers += 1 }
        guard layers <= Limits.layers else {
            throw .model(
                "tensor lstm.weight_hh_l\(Limits.layers) is of layer \(Limits.layers + 1); "
                    + "\(Limits.layers) layers are allowed")
        }
        return LSTMShape(
            inputs: manifest.inputs.count, hidden: hidden.shape[1], layers: layers, outputs: manifest.outputs)
    }

    private func check(_ name: String, shape: [Int]) throws(SluiceError) {
        guard let entry = entries[name] else { throw missing(name) }
        guard entry.dtype == "F32" else {
            throw .model("tensor \(name) has type \(entry.dtype), not F32", remedy: "call .float() before saving")
        }
        guard entry.shape == shape else {
            throw .model(
                "tensor \(name) has shape \(entry.shape); the manifest and the other tensors call for \(shape)")
        }
        guard entry.offsets.count == 4 * shape.reduce(1, *) else {
            throw .model("tensor \(name) has \(entry.offsets.count) bytes, which is not its shape's size")
        }
    }

    private func missing(_ name: String) -> SluiceError {
        let remedy =
            name.hasPrefix("lstm.bias")
            ? "train with bias=True, or save zeros"
            : "save the state_dict of a module with self.lstm = nn.LSTM(...) and self.head = nn.Linear(...)"
        return .model("tensor \(name) is missing", remedy: remedy)
    }

    private func unexpected(_ name: String, _ manifest: ModelManifest) -> SluiceError {
        if name.hasPrefix("initial_state.") {
            return .model(
                "tensor \(name) is there although the manifest says initial_state \(manifest.initialState.rawValue)",
                remedy: "say \"initial_state\": \"learned\", or leave the tensor out")
        }
        if ScalerTensor.all.contains(name) {
            return .model(
                "tensor \(name) is there although the manifest says scaling \(manifest.scaling.rawValue)",
                remedy: "say \"scaling\": \"global\", or leave the tensor out")
        }
        return .model(
            "tensor \(name) is not part of an LSTM and a linear head; a model served without it would be another one",
            remedy: "save only lstm.*, head.* and, where used, initial_state.* and scaler.*")
    }

    /// Copies a tensor, of which `check` has approved, and refuses what is not finite.
    private func read(_ name: String, into values: inout [Float], at start: Int) throws(SluiceError) {
        guard let entry = entries[name] else { throw missing(name) }
        let first = header.dataStart + entry.offsets.lowerBound
        for index in 0..<(entry.offsets.count / 4) {
            let byte = first + 4 * index
            let bits =
                UInt32(file[byte]) | UInt32(file[byte + 1]) << 8 | UInt32(file[byte + 2]) << 16
                | UInt32(file[byte + 3]) << 24
            let value = Float(bitPattern: bits)
            guard value.isFinite else {
                throw .model("tensor \(name) holds \(value.isNaN ? "a NaN" : "an infinity") at element \(index)")
            }
            values[start + index] = value
        }
    }
}
