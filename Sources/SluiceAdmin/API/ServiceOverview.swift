package import SluiceCore

/// The event `overview` of `GET /v1/events`: what the service does as a whole. What is not known yet is nil.
package struct ServiceOverview: Hashable, Sendable, Decodable {
    /// Milliseconds from a batch's arrival to its outputs produced (exactly-once: committed), over the observations of
    /// the last minute.
    package struct Latency: Hashable, Sendable, Decodable {
        package var p50: Double
        package var p99: Double

        package init(p50: Double, p99: Double) {
            self.p50 = p50
            self.p99 = p99
        }
    }

    /// Partitions of the input.
    package struct Partitions: Hashable, Sendable, Decodable {
        /// Owned by this instance and not restoring.
        package var live: Int
        /// Owned by this instance.
        package var owned: Int
        package var all: Int

        package init(live: Int, owned: Int, all: Int) {
            self.live = live
            self.owned = owned
            self.all = all
        }
    }

    /// By the service's clock.
    package var time: Timestamp
    package var instance: String
    /// Observations a second, over the last few seconds.
    package var rate: Double
    package var latency: Latency?
    /// Records between the fold and the ends of the partitions that this instance owns.
    package var lag: Int64?
    package var streams: Int
    /// Since this instance started, like the three behind it.
    package var predictions: Int
    package var rejects: Int
    package var boundaries: Int
    /// By command.
    package var resets: Int
    package var partitions: Partitions
    /// Version of the active model.
    package var model: String?
    /// What a training under way is at.
    package var retraining: String?
    /// How the last one ended.
    package var lastRetraining: String?
    /// Why the service is not ready; empty when it is.
    package var reasons: [String]

    package init(
        time: Timestamp, instance: String, rate: Double, latency: Latency?, lag: Int64?, streams: Int,
        predictions: Int, rejects: Int, boundaries: Int, resets: Int, partitions: Partitions, model: String?,
        retraining: String? = nil, lastRetraining: String? = nil, reasons: [String] = []
    ) {
        self.time = time
        self.instance = instance
        self.rate = rate
        self.latency = latency
        self.lag = lag
        self.streams = streams
        self.predictions = predictions
        self.rejects = rejects
        self.boundaries = boundaries
        self.resets = resets
        self.partitions = partitions
        self.model = model
        self.retraining = retraining
        self.lastRetraining = lastRetraining
        self.reasons = reasons
    }

    private enum CodingKeys: String, CodingKey {
        case time, instance, rate, lag, streams, predictions, rejects, boundaries, resets, partitions, model
        case retraining, reasons
        case latency = "latency_ms"
        case lastRetraining = "last_retraining"
    }
}

extension ServiceOverview: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("time", time)
            $0.member("instance", instance)
            $0.member("rate", rate)
            $0.member("latency_ms", latency)
            $0.member("lag", lag)
            $0.member("streams", streams)
            $0.member("predictions", predictions)
            $0.member("rejects", rejects)
            $0.member("boundaries", boundaries)
            $0.member("resets", resets)
            $0.member("partitions", partitions)
            $0.member("model", model)
            $0.member("retraining", retraining)
            $0.member("last_retraining", lastRetraining)
            $0.member("reasons", reasons)
        }
    }
}

extension ServiceOverview.Latency: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("p50", p50)
            $0.member("p99", p99)
        }
    }
}

extension ServiceOverview.Partitions: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("live", live)
            $0.member("owned", owned)
            $0.member("all", all)
        }
    }
}
