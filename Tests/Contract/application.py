"""One application of the service: its folder, topics, configuration and model, and what its log says must come out."""

import json
import os

import kit
import predictions
from reference import Fold, milliseconds

FEATURES = {"temperature": "/values/temperature", "load": "/values/load"}


class Application:
    """Topics `NAME-in`, `NAME-out` and `NAME-rejects`, a configuration and a model in a folder of their own."""

    def __init__(self, tools, name, model, rules=None, **more):
        self.tools, self.cluster, self.model, self.rules = tools, tools.cluster, model, rules or {}
        self.name = f"{tools.run}-{name}"
        self.input, self.output, self.rejects = (f"{self.name}-{end}" for end in ("in", "out", "rejects"))
        self.directory = os.path.join(tools.directory, name)
        os.makedirs(self.directory)
        model.write(os.path.join(self.directory, "model.safetensors"))
        self.port = kit.free_port()
        self.configuration = {
            "application": self.name,
            "kafka": {"bootstrap.servers": self.cluster.bootstrap, "session.timeout.ms": 6000,
                      "heartbeat.interval.ms": 1000},
            "input": {"topic": self.input, "features": FEATURES, **more.pop("input", {})},
            "output": {"topic": self.output, "rejects": self.rejects},
            "model": {"hidden": model.hidden, "layers": model.layers, "targets": model.targets, "head": model.head,
                      "horizons": model.horizons, "scaling": model.scaling},
            "state": {"directory": "./state", "checkpoint": "1s"},
            "delivery": tools.delivery,
            "admin": {"listen": f"127.0.0.1:{self.port}"},
            **more,
        }
        self.write()
        self.service = None

    def write(self, name="sluice.yaml", **changes):
        """Writes the configuration (JSON is YAML too)."""
        with open(os.path.join(self.directory, name), "w") as file:
            json.dump(self.configuration | changes, file, indent=2, ensure_ascii=False)

    def sluice(self, *arguments, **more):
        return kit.run(self.tools.sluice, *arguments, cwd=self.directory, **more)

    def make_topics(self, partitions=4):
        self.cluster.make(self.input, partitions, max_message_bytes="20000000")
        created = self.sluice("topics", "create")
        self.tools.facts(f"{self.name}: topics create makes what is needed", created.returncode == 0, created.stderr)
        kit.wait(lambda: self.sluice("topics", "create").returncode == 0)

    def start(self):
        self.service = kit.Service(self.tools.sluice, self.directory, self.port)
        if not self.tools.facts(f"{self.name}: serve is ready", self.service.ready, self.log()):
            raise RuntimeError("serve does not start")
        kit.wait(self.owned)
        return self.service

    def owned(self):
        """Whether every partition is live with an owner: the group may still be moving them when serve is ready."""
        found = self.service.get("/v1/partitions").json().get("partitions", [])
        return len(found) == self.cluster.partitions(self.input) and all(
            p["owner"] and p["state"] == "live" for p in found)

    def log(self):
        with open(os.path.join(self.directory, "serve.log")) as file:
            return file.read()[-1500:]

    def tail(self, what):
        return self.cluster.tail({"in": self.input, "out": self.output, "rejects": self.rejects,
                                  "events": f"{self.name}.events"}[what])

    def put(self, stream, value, mark=None, timestamp=0):
        """Produces one observation; `value` None ends the stream, `mark` is the header."""
        return self.cluster.produce(
            self.input, stream, None if value is None else json.dumps(value, ensure_ascii=False),
            headers=[("sluice-boundary", mark.encode())] if mark else None, timestamp=timestamp)


def read(message):
    """An observation as it lies in the input: stream, time, values by name (None: ended), sequence, mark."""
    stream = message.key().decode()
    if message.value() is None:
        return stream, message.timestamp()[1], None, None, None
    value = json.loads(message.value())
    time = milliseconds(value["time"]) if value.get("time") is not None else message.timestamp()[1]
    sequence = value.get("sequence")
    mark = dict(message.headers() or []).get("sluice-boundary")
    return (stream, time, value["values"], None if sequence is None else str(sequence),
            mark.decode() if mark else value.get("boundary"))


def applied(events):
    """Resets by partition, in order: (offset, predicate over streams). An event that is there twice counts once."""
    resets, known = {}, set()
    for event in map(lambda record: json.loads(record.value()), events):
        place = (event["id"], event["partition"], event["offset"])
        if event["type"] == "reset" and place not in known:
            known.add(place)
            prefix, name = event.get("prefix"), event.get("stream")
            concerns = lambda s, p=prefix, n=name: s.startswith(p) if n is None else s == n
            resets.setdefault(event["partition"], []).append((event["offset"], concerns))
    return {partition: sorted(found, key=lambda r: r[0]) for partition, found in resets.items()}


def fold(application, inputs, events=()):
    """The fold over recorded inputs: expected predictions by (partition, offset), and the slots at the end."""
    resets = applied(events)
    folded = Fold(application.model, **application.rules)
    expected = {}
    for message in sorted(inputs, key=lambda m: (m.partition(), m.offset())):
        due(folded, resets.get(message.partition(), []), message.offset())
        stream, time, values, sequence, mark = read(message)
        if values is None:
            folded.end(stream)
            continue
        row = [values.get(name) for name in application.model.inputs]
        expected[message.partition(), message.offset()] = folded.observe(stream, time, row, sequence, mark)
    for partition in {m.partition() for m in inputs}:
        due(folded, resets.get(partition, []), float("inf"))
    return expected, folded


def due(folded, resets, offset):
    """Applies the resets that lie at or before this offset."""
    while resets and resets[0][0] <= offset:
        _, concerns = resets.pop(0)
        for stream in [s for s in folded.slots if concerns(s)]:
            folded.reset(stream)


def compare(application, name, inputs, outputs, events=()):
    """The facts about predictions: every observation, its partition and key, form, content, order, repeats."""
    facts = application.tools.facts
    expected, folded = fold(application, inputs, events)
    found = predictions.by_source(outputs)
    lost, extra = (sorted(a.keys() - b.keys()) for a, b in ((expected, found), (found, expected)))
    facts(f"{name}: every observation is predicted, and nothing else", not lost and not extra,
          f"{len(lost)} lost {lost[:40]}, {len(extra)} extra {extra[:20]}, by (partition, offset)")
    keys = {(m.partition(), m.offset()): m.key() for m in inputs}
    strays, order = [], {}
    for record in outputs:
        source = json.loads(record.value())["source"]
        place = (source["partition"], source["offset"])
        if record.partition() != place[0] or record.key() != keys.get(place) or source["topic"] != application.input:
            strays.append((record.partition(), record.key(), source))
        order.setdefault(record.key(), dict())[place[1]] = None
    facts(f"{name}: key, partition and source are the input's", not strays, strays[:3])
    facts(f"{name}: per stream in the order of the input",
          all(list(offsets) == sorted(offsets) for offsets in order.values()))
    forms = [(text, wrong) for texts in found.values() for text in texts[:1] if (wrong := predictions.form(text))]
    facts(f"{name}: members, order, numbers and spaces as in the contract", not forms, forms[:2])
    scale = predictions.largest(expected.values())
    wrong = {place: d for place, texts in found.items() if place in expected
             if (d := predictions.difference(json.loads(texts[0]), expected[place], application.model, scale))}
    facts(f"{name}: {len(expected)} predictions say what the fold says", not wrong,
          f"{len(wrong)} differ, by stream "
          f"{ {expected[p]['stream']: (p, d) for p, d in sorted(wrong.items(), reverse=True)} }"[:400])
    repeats = {p: len(t) for p, t in found.items() if len(t) > 1}
    facts(f"{name}: {sum(repeats.values()) - len(repeats)} repeats, all with the same bytes",
          all(len(set(found[p])) == 1 for p in repeats), [set(found[p]) for p in repeats if len(set(found[p])) > 1][:1])
    return expected, folded, found
