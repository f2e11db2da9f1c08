"""Holds what a run left on the topics against one replay by `sluice score`: lost, doubled, different."""

import collections
import json
import os

import kit
import topics
from load import BAD

MARK = "sluice-boundary"


class Verification:
    def __init__(self, application, facts):
        self.application, self.facts = application, facts
        read = lambda topic: topics.read(application.cluster, topic)
        self.inputs = {(m.partition(), m.offset()): m for m in read(application.input)}
        self.events = read(application.events)
        self.commands = read(application.control)
        self.predictions, self.rejects = collections.defaultdict(list), collections.defaultdict(list)
        for record in read(application.output):
            source = json.loads(record.value())["source"]
            self.predictions[source["partition"], source["offset"]].append(record)
        for record in read(application.rejects):
            source = dict(record.headers())["sluice-source"].decode().split("/")
            self.rejects[int(source[1]), int(source[2])].append(record)

    def replay(self):
        """The fold's predictions by source, and the sources of rows that ended a stream; `score` says how many it
        dropped as late."""
        rows, self.bad, self.ended = [], set(), set()
        for place, message in sorted(self.inputs.items(), key=lambda item: (item[0][1], item[0][0])):
            row = self.row(place, message)
            if row is None:
                self.bad.add(place)
            else:
                rows.append(json.dumps(row, ensure_ascii=False))
                if row["values"] is None:
                    self.ended.add(place)
        path = lambda name: os.path.join(self.application.directory, name)
        for name, lines in [("input", rows), ("events", [e.value().decode() for e in self.events])]:
            with open(path(f"{name}.ndjson"), "w") as file:
                file.writelines(f"{line}\n" for line in lines)
        done = kit.run(
            self.application.sluice, "score", "--model", self.application.model_file(self.application.models[0]),
            "-c", os.path.join(self.application.instances[0].directory, "sluice.yaml"), "--json",
            "--commands", path("events.ndjson"), "--input", path("input.ndjson"), "--output", path("out.ndjson"),
            "--rejects", path("rejects.ndjson"), patience=600)
        self.facts("sluice score replays the input", done.returncode == 0, done.stderr[-600:])
        self.summary = json.loads(done.stderr.splitlines()[-1])
        self.facts.equal("score refuses none of the good records", self.summary["rejects"], 0)
        expected = {}
        with open(path("out.ndjson")) as file:
            for line in file:
                source = json.loads(line)["source"]
                expected[source["partition"], source["offset"]] = line.rstrip("\n").encode()
        return expected

    def row(self, place, message):
        """The record as a line of a file, with its source; None for one that was made to be refused."""
        source = {"topic": self.application.input, "partition": place[0], "offset": place[1]}
        if message.value() is None:
            return {"stream": message.key().decode(), "time": message.timestamp()[1], "values": None,
                    "source": source} if message.key() else None
        # Good records begin with their time as a number.
        if not message.key() or not message.value().startswith(b'{"time":1'):
            return None
        row = {"stream": message.key().decode(), **json.loads(message.value()), "source": source}
        mark = dict(message.headers() or []).get(MARK)
        return row | ({"boundary": mark.decode()} if mark else {})

    def outcomes(self):
        """Each input has its one outcome, with the right bytes; answers the three zeros."""
        expected = self.replay()
        none = self.inputs.keys() - expected.keys() - self.bad - self.ended
        self.facts.equal("what score gives no outcome is what it dropped as late", len(none), self.summary["dropped"])
        lost = [p for p in expected if p not in self.predictions] + [p for p in self.bad if p not in self.rejects]
        doubled = [p for found in (self.predictions, self.rejects) for p, records in found.items() if len(records) > 1]
        extra = (self.predictions.keys() - expected.keys()) | (self.rejects.keys() - self.bad)
        different = [p for p, text in expected.items() if any(r.value() != text for r in self.predictions.get(p, []))]
        body = lambda record: (record.value() or b"", record.key() or b"")
        reason = lambda record: dict(record.headers())["sluice-error"].decode()
        expected_reason = lambda message: BAD[message.value()] if message.key() else "key-missing"
        different += [p for p in self.bad for r in self.rejects.get(p, [])
                      if body(r) != body(self.inputs[p]) or reason(r) != expected_reason(self.inputs[p])]
        self.facts(f"{len(self.inputs)} inputs: {len(expected)} predictions, {len(self.bad)} rejects, "
                   f"{len(self.ended)} ends, {len(none)} dropped", expected and self.bad and self.ended and none)
        self.facts("lost: 0", not lost, self.shown(lost, expected))
        self.facts("doubled: 0", not doubled, self.shown(doubled, expected))
        self.facts("different: 0", not different, self.shown(sorted(different), expected))
        self.facts("no outcome where there must be none: 0", not extra, self.shown(extra, expected))
        self.placed()
        return len(lost), len(doubled), len(different)

    def placed(self):
        """On the partition and under the key of the input, in the order of the input."""
        strays, disorder, last = [], [], {}
        for place, records in self.predictions.items():
            for record in records:
                if record.partition() != place[0] or record.key() != self.inputs[place].key():
                    strays.append(place)
        for place, record in sorted(((p, r) for p, rs in self.predictions.items() for r in rs),
                                    key=lambda item: (item[1].partition(), item[1].offset())):
            if place[1] <= last.get(record.key(), -1):
                disorder.append(place)
            last[record.key()] = place[1]
        self.facts("key and partition are the input's", not strays, strays[:5])
        self.facts("per stream in the order of the input", not disorder, disorder[:5])

    def shown(self, places, expected):
        places = sorted(places)
        place = places[0] if places else None
        return (f"{len(places)}: {places[:8]} … {places[-1:]}; of the first, expected "
                f"{expected.get(place)}, found {[r.value() for r in self.predictions.get(place, [])]}")

    def recorded(self, answered):
        """Each command has one event, at one offset: the one that was answered."""
        events = collections.Counter()
        offsets = collections.defaultdict(set)
        for event in map(lambda e: json.loads(e.value()), self.events):
            events[event["id"], event["partition"]] += 1
            offsets[event["id"], event["partition"]].add(event["offset"])
        given = {(json.loads(c.value())["id"], c.partition()) for c in self.commands}
        several = {k: sorted(offsets[k]) for k, n in events.items() if n > 1}
        missing = list(given - events.keys())
        self.facts(f"each of {len(given)} commands is recorded", not missing, missing[:3])
        self.facts("none is recorded twice", not several, several)
        self.facts("none is recorded that nobody gave", not events.keys() - given, list(events.keys() - given)[:3])
        wrong = [a for a in answered if offsets.get((a[0], a[1])) != {a[2]}]
        self.facts(f"{len(answered)} resets are recorded at the offset they were answered with", not wrong, wrong[:3])
