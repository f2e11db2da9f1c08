"""The fold of the contract, written down a second time in numpy: what a prediction must be, from the log alone."""

import datetime
import math
import zoneinfo

import numpy as np

PARIS = zoneinfo.ZoneInfo("Europe/Paris")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def milliseconds(time):
    """Milliseconds since 1970 of a time of an observation: a number is that already, a text is RFC 3339."""
    if not isinstance(time, str):
        return int(time)
    moment = datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))
    return (moment - datetime.datetime.fromtimestamp(0, datetime.timezone.utc)) // datetime.timedelta(milliseconds=1)


def written(time):
    """A time as predictions write it."""
    moment = datetime.datetime.fromtimestamp(time // 1000, datetime.timezone.utc)
    fraction = f".{time % 1000:03d}" if time % 1000 else ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


class Scaler:
    """Running mean and deviation of one feature, in double."""

    def __init__(self):
        self.n, self.mean, self.variance = 0, 0.0, 0.0

    def update(self, x):
        self.n = min(self.n + 1, 4096)
        d = x - self.mean
        self.mean += d / self.n
        self.variance = (1 - 1 / self.n) * (self.variance + d * d / self.n)

    @property
    def least(self):
        return 1e-6 * max(abs(self.mean), 1e-6)

    @property
    def width(self):
        return max(math.sqrt(self.variance), self.least)

    def z(self, x):
        return 0.0 if math.sqrt(self.variance) <= self.least else (x - self.mean) / math.sqrt(self.variance)


class Slot:
    """The state of one stream."""

    def __init__(self, model):
        self.model = model
        self.scalers = [Scaler() for _ in model.inputs]
        self.bins = [0] * 16
        self.time = self.sequence = None
        self.resets = -1
        self.reset()

    def reset(self):
        """The initial state; scalers and anomaly statistics go on."""
        self.resets += 1
        shape = (self.model.layers, self.model.hidden)
        self.h, self.c, self.step = np.zeros(shape), np.zeros(shape), 0
        self.carried = [None] * len(self.model.inputs)
        self.pending = []

    def score(self, surprise):
        """The share of earlier surprises below this one; null for the first 64."""
        total = sum(self.bins)
        index = min(max(math.floor(math.log2(surprise)) + 10, 0), 15) if surprise > 0 else 0
        low = 2.0 ** (index - 10)
        fraction = min(max((surprise - low) / low, 0.0), 1.0)
        answer = (sum(self.bins[:index]) + fraction * self.bins[index]) / total if total >= 64 else None
        self.bins[index] += 1
        if sum(self.bins) >= 4096:
            self.bins = [count // 2 for count in self.bins]
        return answer


class Fold:
    """All slots of a model. `settings`: gap (ms), every, daily ("HH:MM", of Paris), sequence_change."""

    def __init__(self, model, **settings):
        self.model, self.settings, self.slots = model, settings, {}

    def daily(self, time):
        hour, minute = map(int, self.settings["daily"].split(":"))
        local = datetime.datetime.fromtimestamp(time / 1000, datetime.timezone.utc).astimezone(PARIS)
        return (local.replace(tzinfo=None) - datetime.timedelta(hours=hour, minutes=minute)).date()

    def begins(self, slot, time, sequence, mark):
        """Whether a boundary lies before this observation."""
        if mark == "start":
            return True
        if slot.time is None:
            return False
        rules = self.settings
        return (
            (rules.get("sequence_change", False) and sequence != slot.sequence)
            or ("gap" in rules and time - slot.time > rules["gap"])
            or ("every" in rules and slot.step >= rules["every"])
            or ("daily" in rules and self.daily(time) > self.daily(slot.time))
        )

    def reset(self, stream):
        if stream in self.slots:
            self.slots[stream].reset()

    def end(self, stream):
        self.slots.pop(stream, None)

    def observe(self, stream, time, values, sequence=None, mark=None):
        """The members of the prediction that must be; numbers in double. `values` in input order, None is missing."""
        model = self.model
        slot = self.slots.setdefault(stream, Slot(model))
        if self.begins(slot, time, sequence, mark):
            slot.reset()
        x = np.zeros(len(values))
        for i, value in enumerate(values):
            if value is not None:
                value = float(np.float32(value))
                slot.carried[i] = value
                slot.scalers[i].update(value)
            if slot.carried[i] is not None:
                x[i] = model.scaled(slot, i, slot.carried[i])
        anomaly = self.surprise(slot, values)
        out = model.step(slot, x)
        forecast = model.forecast(slot, out)
        expected = {
            "stream": stream, "time": written(time), "sequence": sequence, "step": slot.step,
            "warm": self.warm(slot), "forecast": forecast, "anomaly": anomaly,
        }
        slot.pending.append(forecast)
        slot.step += 1
        slot.time, slot.sequence = time, sequence
        if mark == "end":
            slot.reset()
        return expected

    def warm(self, slot):
        """Sixteen values of each feature; None where features differ, which the contract does not settle."""
        counts = [s.n >= 16 for s in slot.scalers] if self.model.scaling == "per-stream" else [True]
        return counts[0] if len(set(counts)) == 1 else None

    def surprise(self, slot, values):
        shortest = self.model.horizons[0] if self.model.horizons else 0
        if not shortest or len(slot.pending) < shortest:
            return None
        worst = None
        for entry in slot.pending[-shortest]:
            value = values[self.model.inputs.index(entry["target"])]
            if entry["horizon"] == shortest and value is not None:
                r = abs(float(np.float32(value)) - entry["value"]) / entry["width"]
                worst = r if worst is None else max(worst, r)
        return None if worst is None else slot.score(worst)
