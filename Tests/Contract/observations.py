"""The streams that are fed: each is a list of (value, header, Kafka timestamp) and shows one thing."""

import math
import random

from reference import milliseconds, written

START = milliseconds("2026-05-12T08:00:00Z")
MINUTE, HOUR = 60_000, 3_600_000
ODD_KEY = 'Pumpe ü/7 %41 "a\\b"\t\U0001D11E'
RULES = {"sequence_change": True, "gap": 2 * HOUR, "every": 70, "daily": "00:00"}
BOUNDARIES = {"sequence_change": True, "gap": "2h", "every": 70, "daily": "00:00 Europe/Paris"}


class Signal:
    """Temperatures and loads that look like something, from one seed."""

    def __init__(self, seed=7):
        self.random = random.Random(seed)

    def values(self, i):
        return {"temperature": round(20 + 5 * math.sin(i / 5) + self.random.random(), 2),
                "load": round(0.5 + 0.4 * math.sin(i / 3) + 0.1 * self.random.random(), 3)}

    def stream(self, count, first=START, every=MINUTE, **more):
        return [({"time": written(first + i * every), "values": self.values(i), **more}, None, 0)
                for i in range(count)]


def marked(records, fields=(), headers=()):
    for i, mark in dict(fields).items():
        records[i][0]["boundary"] = mark
    return [(value, dict(headers).get(i), at) for i, (value, _, at) in enumerate(records)]


def boundaries():
    """Boundaries of every kind but the command; and the ways to write a time and to leave a value out."""
    s = Signal()
    streams = {"plain": s.stream(30), "every": s.stream(215), ODD_KEY: s.stream(12)}
    streams["field"] = marked(s.stream(20), {3: "start", 7: "end", 11: "start", 12: "start", 15: "end", 16: "end"})
    streams["header"] = marked(s.stream(20), headers={3: "start", 8: "end"})
    streams["header-wins"] = marked(s.stream(20), {4: "start", 9: "end"}, {4: "end", 9: "start", 14: "start"})
    streams["sequence"] = [r for i, q in enumerate(["run-1", "run-2", "run-2", 7, "7", "run-1"])
                           for r in s.stream(5, START + 5 * i * MINUTE, sequence=q)]
    streams["sequence-new"] = s.stream(4) + s.stream(4, START + 4 * MINUTE, sequence="run-1")
    times = [0, 1, 2, 2 + 119, 2 + 119 + 121, 300, 60 * 24 * 40, 60 * 24 * 40 + 1]
    streams["gap"] = [s.stream(1, START + t * MINUTE)[0] for t in times]
    for name, day in [("spring", "2026-03-28"), ("autumn", "2026-10-24")]:
        streams[name] = s.stream(80, milliseconds(f"{day}T20:15:00Z"), 30 * MINUTE)
    streams["ended"] = s.stream(20) + [(None, None, 0)] + s.stream(20, START + HOUR) + [(None, None, 0)] * 2
    streams["ended-for-good"] = s.stream(3) + [(None, None, 0)]
    missing = s.stream(40)
    for i in (0, 5, 6, 7, 20):
        missing[i][0]["values"]["load"] = None
    for i in (9, 10, 21):
        del missing[i][0]["values"]["temperature"]
    streams["missing"] = marked(missing, {20: "start"})
    streams["times"] = times_of(s)
    return streams


def times_of(s):
    """Every form of a time; without one, Kafka's timestamp; a timestamp of -1 beside a time of its own."""
    def one(time, at=0):
        value = {"values": s.values(1)}
        return (value if time is None else {"time": time} | value, None, at)

    return [one("2026-05-12T10:00:00+02:00"), one("2026-05-12T08:00:01.250Z"), one(START + 2_000), one(START + 2_007),
            one(None, START + 3_000), one(None, START + 3_500), one("2026-05-12T08:00:04.5Z"),
            one("2026-05-12T08:00:05Z", -1), one("2026-05-12T05:00:06-03:00")]


def interleaved(streams):
    """One record of each stream in turn, so that a batch holds many streams and the order within each stays."""
    for i in range(max(map(len, streams.values()))):
        for name, records in streams.items():
            if i < len(records):
                yield name, *records[i]
