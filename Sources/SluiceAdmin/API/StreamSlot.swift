package import SluiceCore

/// `GET /v1/streams/{key}`: the list's fields and everything else a slot holds.
package struct StreamSlot: Hashable, Sendable {
    package var summary: StreamSummary
    /// The fence: the last input offset applied.
    package var offset: Offset
    /// Version of the model that made the state.
    package var model: String
    package var boundary: SlotBoundary
    package var resets: Int64
    /// Euclidean norms, one per layer.
    package var norms: StateVectors<[Float]>
    /// Share of the hidden units with |h| > 0.95.
    package var saturation: Float
    package var scaler: SlotScaler
    /// Observations ahead that the forecasts in `recent` look: the smallest horizon; nil for heads without any.
    package var horizon: Int?
    /// Latest observations, oldest first.
    package var recent: [RecentStep]
    /// Layers × H; only on request.
    package var state: StateVectors<[[Float]]>?

    package init(
        summary: StreamSummary, offset: Offset, model: String, boundary: SlotBoundary, resets: Int64,
        norms: StateVectors<[Float]>, saturation: Float, scaler: SlotScaler, horizon: Int? = nil,
        recent: [RecentStep] = [], state: StateVectors<[[Float]]>? = nil
    ) {
        self.summary = summary
        self.offset = offset
        self.model = model
        self.boundary = boundary
        self.resets = resets
        self.norms = norms
        self.saturation = saturation
        self.scaler = scaler
        self.horizon = horizon
        self.recent = recent
        self.state = state
    }
}

/// Where a stream's state was last set back, and why.
package struct SlotBoundary: Hashable, Sendable, Decodable {
    package var cause: String
    package var time: Timestamp?
    /// The first input folded from the fresh state.
    package var offset: Offset

    package init(cause: String, time: Timestamp?, offset: Offset) {
        self.cause = cause
        self.time = time
        self.offset = offset
    }
}

/// The same thing of h and of c.
package struct StateVectors<Value: Hashable & Sendable & Decodable & JSONWritable>: Hashable, Sendable, Decodable {
    package var h: Value
    package var c: Value

    package init(h: Value, c: Value) {
        self.h = h
        self.c = c
    }
}

/// The stream's scaling, one entry per input.
package struct SlotScaler: Hashable, Sendable, Decodable {
    package var mean: [Float]
    package var scale: [Float]
    package var count: Int64

    package init(mean: [Float], scale: [Float], count: Int64) {
        self.mean = mean
        self.scale = scale
        self.count = count
    }
}

/// One applied observation of the first target, with what was forecast from it.
package struct RecentStep: Hashable, Sendable, Decodable {
    package var offset: Offset
    package var time: Timestamp?
    package var step: Int64
    package var value: Float?
    package var forecast: Float?
    /// The forecast's interval: the outer quantiles, or two deviations to either side; nil for other heads.
    package var low: Float?
    package var high: Float?
    package var anomaly: Float?
    /// The cause of the boundary that this observation begins behind; nil within a run.
    package var boundary: String?

    package init(
        offset: Offset, time: Timestamp?, step: Int64, value: Float?, forecast: Float?, low: Float? = nil,
        high: Float? = nil, anomaly: Float?, boundary: String? = nil
    ) {
        self.offset = offset
        self.time = time
        self.step = step
        self.value = value
        self.forecast = forecast
        self.low = low
        self.high = high
        self.anomaly = anomaly
        self.boundary = boundary
    }
}
