internal import SluiceCore

extension StreamSlot: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            summary.writeMembers(to: &$0)
            $0.member("offset", offset)
            $0.member("model", model)
            $0.member("boundary", boundary)
            $0.member("resets", resets)
            $0.member("norms", norms)
            $0.member("saturation", saturation)
            $0.member("scaler", scaler)
            if let horizon { $0.member("horizon", horizon) }
            $0.member("recent", recent)
            if let state {
                $0.member("h", state.h)
                $0.member("c", state.c)
            }
        }
    }
}

extension StreamSlot: Decodable {
    private enum Key: CodingKey {
        case offset, model, boundary, resets, norms, saturation, scaler, horizon, recent, h
    }

    package init(from decoder: any Decoder) throws {
        let slot = try decoder.container(keyedBy: Key.self)
        self.init(
            summary: try StreamSummary(from: decoder),
            offset: try slot.decode(Offset.self, forKey: .offset),
            model: try slot.decode(String.self, forKey: .model),
            boundary: try slot.decode(SlotBoundary.self, forKey: .boundary),
            resets: try slot.decode(Int64.self, forKey: .resets),
            norms: try slot.decode(StateVectors<[Float]>.self, forKey: .norms),
            saturation: try slot.decode(Float.self, forKey: .saturation),
            scaler: try slot.decode(SlotScaler.self, forKey: .scaler),
            horizon: try slot.decodeIfPresent(Int.self, forKey: .horizon),
            recent: try slot.decode([RecentStep].self, forKey: .recent),
            state: slot.contains(.h) ? try StateVectors<[[Float]]>(from: decoder) : nil)
    }
}

extension SlotBoundary: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("cause", cause)
            $0.member("time", time)
            $0.member("offset", offset)
        }
    }
}

extension StateVectors: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("h", h)
            $0.member("c", c)
        }
    }
}

extension SlotScaler: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("mean", mean)
            $0.member("scale", scale)
            $0.member("count", count)
        }
    }
}

extension RecentStep: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("offset", offset)
            $0.member("time", time)
            $0.member("step", step)
            $0.member("value", value)
            $0.member("forecast", forecast)
            $0.member("low", low)
            $0.member("high", high)
            $0.member("anomaly", anomaly)
            $0.member("boundary", boundary)
        }
    }
}
