import SluiceLSTM

/// The definition of what `TrainingNetwork` computes, in double precision, one scalar after another, a row at a time:
/// what every fast path is held against.
struct ReferenceNetwork {
    let shape: LSTMShape
    let layout: LSTMParameters
    /// The values of all parameters.
    let values: [Double]

    init(_ parameters: LSTMParameters) {
        shape = parameters.shape
        layout = parameters
        values = parameters.values.map(Double.init)
    }

    /// One row: T steps.
    struct Row {
        /// `[T][I]`.
        var inputs: [[Double]]
        /// `[L][H]`: what it starts from.
        var h, c: [[Double]]
        /// `[L - 1][T][H]`: what h is multiplied by on its way up.
        var masks: [[[Double]]]
        /// `[T][O]`: the gradient of the loss in the outputs.
        var outputGradient: [[Double]]
    }

    struct Result {
        /// `[T][O]`.
        var outputs: [[Double]] = []
        /// `[L][H]`: the last state.
        var h: [[Double]] = []
        var c: [[Double]] = []
        /// Of the layers and the head, laid out as the parameters.
        var gradient: [Double]
        /// `[L][H]`: of what the row started from.
        var hGradient: [[Double]] = []
        var cGradient: [[Double]] = []
    }

    /// A layer's step as it was, for the way back.
    private struct Step {
        var input, before, beforeC, i, f, g, o, tanhC: [Double]
    }

    func run(_ row: Row) -> Result {
        var result = Result(gradient: [Double](repeating: 0, count: values.count))
        var steps: [[Step]] = []
        var inputs = row.inputs
        for layer in 0..<shape.layers {
            var (h, c) = (row.h[layer], row.c[layer])
            var taken: [Step] = []
            for input in inputs { taken.append(forward(layer, input, &h, &c)) }
            inputs = taken.enumerated().map { t, step in
                (0..<shape.hidden).map {
                    step.o[$0] * step.tanhC[$0] * (layer + 1 < shape.layers ? row.masks[layer][t][$0] : 1)
                }
            }
            steps.append(taken)
            result.h.append(h)
            result.c.append(c)
        }
        let (weight, bias) = (layout.headWeight.lowerBound, layout.headBias.lowerBound)
        for h in inputs {
            result.outputs.append(
                (0..<shape.outputs).map { output in
                    (0..<shape.hidden).reduce(values[bias + output]) {
                        $0 + values[weight + output * shape.hidden + $1] * h[$1]
                    }
                })
        }
        // Gradients of the h of a layer, step by step, from above.
        var above = row.outputGradient.indices.map { t in
            (0..<shape.hidden).map { unit in
                (0..<shape.outputs).reduce(0.0) { sum, output in
                    let gradient = row.outputGradient[t][output]
                    result.gradient[weight + output * shape.hidden + unit] += gradient * inputs[t][unit]
                    if unit == 0 { result.gradient[bias + output] += gradient }
                    return sum + gradient * values[weight + output * shape.hidden + unit]
                }
            }
        }
        for layer in (0..<shape.layers).reversed() {
            var dh = [Double](repeating: 0, count: shape.hidden)
            var dc = dh
            for t in above.indices.reversed() {
                let total = zip(dh, above[t]).map(+)
                (dh, above[t]) = backward(layer, steps[layer][t], total, &dc, &result.gradient)
                if layer > 0 { above[t] = zip(above[t], row.masks[layer - 1][t]).map(*) }
            }
            result.hGradient.insert(dh, at: 0)
            result.cGradient.insert(dc, at: 0)
        }
        return result
    }

    private func forward(_ layer: Int, _ input: [Double], _ h: inout [Double], _ c: inout [Double]) -> Step {
        let place = layout.layer(layer)
        let gates = (0..<4 * shape.hidden).map { gate in
            var sum = values[place.biasIH.lowerBound + gate] + values[place.biasHH.lowerBound + gate]
            for k in input.indices { sum += values[place.weightIH.lowerBound + gate * input.count + k] * input[k] }
            for k in h.indices { sum += values[place.weightHH.lowerBound + gate * h.count + k] * h[k] }
            return sum
        }
        func part(_ gate: Int, _ function: (Double) -> Double) -> [Double] {
            (0..<shape.hidden).map { function(gates[gate * shape.hidden + $0]) }
        }
        var step = Step(
            input: input, before: h, beforeC: c, i: part(0, sigmoid), f: part(1, sigmoid), g: part(2, tanh),
            o: part(3, sigmoid), tanhC: [])
        c = (0..<shape.hidden).map { step.f[$0] * c[$0] + step.i[$0] * step.g[$0] }
        step.tanhC = c.map(tanh)
        h = (0..<shape.hidden).map { step.o[$0] * step.tanhC[$0] }
        return step
    }

    /// Gradients of the h before and of the input, from that of h.
    private func backward(
        _ layer: Int, _ step: Step, _ dh: [Double], _ dc: inout [Double], _ gradient: inout [Double]
    ) -> (before: [Double], input: [Double]) {
        let place = layout.layer(layer)
        var before = [Double](repeating: 0, count: shape.hidden)
        var input = [Double](repeating: 0, count: step.input.count)
        for unit in 0..<shape.hidden {
            let (i, f, g, o, t) = (step.i[unit], step.f[unit], step.g[unit], step.o[unit], step.tanhC[unit])
            let cell = dc[unit] + dh[unit] * o * (1 - t * t)
            dc[unit] = cell * f
            let deltas = [
                cell * g * i * (1 - i), cell * step.beforeC[unit] * f * (1 - f), cell * i * (1 - g * g),
                dh[unit] * t * o * (1 - o),
            ]
            for (gate, delta) in deltas.enumerated() {
                let row = gate * shape.hidden + unit
                gradient[place.biasIH.lowerBound + row] += delta
                gradient[place.biasHH.lowerBound + row] += delta
                for k in input.indices {
                    let at = place.weightIH.lowerBound + row * input.count + k
                    gradient[at] += delta * step.input[k]
                    input[k] += delta * values[at]
                }
                for k in before.indices {
                    let at = place.weightHH.lowerBound + row * before.count + k
                    gradient[at] += delta * step.before[k]
                    before[k] += delta * values[at]
                }
            }
        }
        return (before, input)
    }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exponential(-x)) }
private func tanh(_ x: Double) -> Double { 1 - 2 / (exponential(2 * x) + 1) }

/// eˣ for the small x of a test: the series of x / 1024, squared ten times.
private func exponential(_ x: Double) -> Double {
    let small = x / 1_024
    var (sum, term) = (1.0, 1.0)
    for k in 1...8 {
        term *= small / Double(k)
        sum += term
    }
    for _ in 0..<10 { sum *= sum }
    return sum
}
