"""Bad input: each is refused with a reason, its key and its bytes, and changes nothing else."""

import hashlib
import json
import signal

import numpy as np

import observations
from application import Application, compare
from models import Model
from reference import written

LARGE = b'{"time":1,"values":{"temperature":1,"load":1},"more":"' + b"x" * 10_000_000 + b'"}'


def explosive():
    """A model whose output is not finite once a temperature passes some hundreds, and which is tame below."""
    model = Model("point", 1, 4, ["temperature", "load"], ["temperature"], [1], "none", seed=3)
    for unit in (0, 1):
        model.tensors["lstm.weight_hh_l0"][[unit, 8 + unit, 12 + unit]] = 0
        model.tensors["lstm.weight_ih_l0"][[unit, 8 + unit, 12 + unit]] = 0
        model.tensors["lstm.weight_ih_l0"][unit, 0] = 1
        model.tensors["lstm.bias_ih_l0"][[unit, 8 + unit, 12 + unit]] = [-300, 5, 5]
    model.tensors["head.weight"][:, :2] = np.float32(3e38)
    return model


def value(**more):
    good = {"time": written(observations.START), "values": {"temperature": 21.5, "load": 0.5}}
    return json.dumps(good | more).encode()


def bad_input():
    """What is wrong, the code of `schemas/reject.schema.json`, key, bytes, Kafka timestamp, headers."""
    v, bad_text = value, b'{"time":1767225900000,"values":{"temperature":1,"load":1},"a":"\xff"}'
    nan = b'{"time":1767225900000,"values":{"temperature":NaN,"load":1}}'
    later = written(observations.START + 60_000)
    rows = [
        ("not JSON", "json-invalid", b'{"time":'),
        ("an empty value", "json-invalid", b""),
        ("something after the JSON", "json-invalid", v() + b"x"),
        ("invalid UTF-8 in the value", "json-invalid", bad_text),
        ("NaN", "json-invalid", nan),
        ("a text for a number", "type-mismatch", v(values={"temperature": "hot", "load": 1})),
        ("a number for the values", "type-mismatch", v(values=5)),
        ("true for the time", "type-mismatch", v(time=True)),
        ("a time that is none", "time-invalid", v(time="yesterday")),
        ("year 9999", "time-invalid", v(time="9999-12-31T23:59:59Z")),
        ("a boundary that is none", "boundary-invalid", v(boundary="begin")),
        ("a missing feature", "feature-missing", v(values={"temperature": 1})),
        ("a null feature", "feature-missing", v(values={"temperature": 1, "load": None})),
        ("a number beyond Float", "number-out-of-range", v(values={"temperature": 1e39, "load": 1})),
        ("a step that gives no finite value", "non-finite", v(time=later, values={"temperature": 1000, "load": 1})),
        ("an earlier time", "late", v(time=written(observations.START - observations.HOUR))),
    ]
    return [(what, code, b"victim", data, 0, None) for what, code, data in rows] + [
        ("a header that is none", "boundary-invalid", b"victim", v(), 0, [("sluice-boundary", b"begin")]),
        ("no time and timestamp -1", "time-missing", b"victim", b'{"values":{"temperature":1,"load":1}}', -1, None),
        ("a key that is not UTF-8", "key-invalid", b"\xff\xfe", v(), 0, None),
        ("a null key", "key-missing", None, v(), 0, None),
        ("an empty key", "key-missing", b"", v(), 0, None),
    ]


def check(tools):
    app = Application(tools, "rejects", explosive(), input={"missing": "reject", "late": "reject"})
    app.make_topics()
    cluster, facts = app.cluster, tools.facts
    tails = {name: app.tail(name) for name in ("in", "out", "rejects")}
    try:
        app.start()
        partition = app.put("victim", json.loads(value()))
        cluster.flush()
        partition = partition["partition"]
        bad = []
        for i, (what, code, key, data, timestamp, headers) in enumerate(bad_input()):
            bad.append((what, code, key, data, cluster.produce(app.input, key, data, headers, timestamp, partition)))
            time = written(observations.START + (i + 1) * 1000)
            app.put("victim", {"time": time, "values": {"temperature": 20 + i, "load": 0.25}}, None, -1 if i % 2 else 0)
        cluster.flush()
        if large := oversize(app, partition):
            bad.append(large)
        app.put("victim", json.loads(value(time=written(observations.START + observations.HOUR))))
        cluster.flush()
        rejects = tails["rejects"].count(len(bad))
        inputs = tails["in"].drain()
        places = {(r["partition"], r["offset"]) for *_, r in bad}
        good = [m for m in inputs if (m.partition(), m.offset()) not in places]
        tails["out"].count(len(good))
        refused(facts, app, bad, rejects)
        compare(app, "between bad input", good, tails["out"].drain())
        text = app.service.get("/metrics").text
        counted = sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("sluice_rejects"))
        facts.equal("rejects are counted in /metrics", counted, len(bad))
        facts.equal("SIGTERM: exit code 0", app.service.end(), 0)
        again = len(tails["rejects"].drain())
        app.start()
        app.put("victim", json.loads(value(time=written(observations.START + 2 * observations.HOUR))))
        cluster.flush()
        tails["out"].count(len(good) + 1)
        facts.equal("after a restart nothing is refused twice", len(tails["rejects"].drain()), again)
    finally:
        app.service.end(signal.SIGKILL)


def oversize(app, partition):
    """A record of 10 MB, if the broker takes one (the embedded one holds 5 MiB a partition)."""
    if app.cluster.embedded:
        print("skipped 10 MB: the embedded broker holds 5 MiB")
        return None
    place = app.cluster.produce(app.input, b"victim", LARGE, None, 0, partition)
    app.cluster.flush()
    return "10 MB", "too-large", b"victim", LARGE, place


def refused(facts, app, bad, rejects):
    by_source = {dict(r.headers())["sluice-source"].decode(): r for r in rejects}
    for what, code, key, data, place in bad:
        record = by_source.pop(f"{app.input}/{place['partition']}/{place['offset']}", None)
        if not facts(f"refused: {what}", record is not None, f"nothing for {place}"):
            continue
        headers = {name: data.decode(errors="replace") for name, data in record.headers()}
        kept = record.value() == data and record.key() == key
        if len(data) > 1_000_000:
            kept = (data.startswith(record.value()) and record.key() == key and len(record.value()) < len(data)
                    and hashlib.sha256(data).hexdigest() in headers.values())
        facts(f"  with code {code}, a message, key and bytes",
              kept and headers.get("sluice-error") == code and headers.get("sluice-message"),
              (record.key(), (record.value() or b"")[:100], headers))
    facts("nothing else was refused", not by_source, list(by_source))
