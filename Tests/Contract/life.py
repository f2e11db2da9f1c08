"""The life of one application: boundaries, administration, restart, kill -9 under load, and a replay by score."""

import json
import os
import signal
import subprocess
import threading
import time

import administration
import kit
import observations
from application import Application, compare, read
from models import Model


def check(tools):
    model = Model("quantile", 2, 12, ["temperature", "load"], ["temperature"], [1, 3], "per-stream")
    app = Application(tools, "life", model, observations.RULES, boundaries=observations.BOUNDARIES)
    app.make_topics()
    tails = {name: app.tail(name) for name in ("in", "out", "events")}
    try:
        app.start()
        number = feed(app, observations.boundaries()) + by_kcat(app)
        result = settle(app, tails, number, "boundaries")
        administration.look(app, *result[1:])
        administration.command_line(app)
        number += administration.reset(app, tails)
        settle(app, tails, number, "after resets")
        number += restart(app)
        settle(app, tails, number, "after a restart")
        number += killed(app, tails)
        settle(app, tails, number, "after kill -9 under load")
        number += administration.move(app)
        tails["out"].until(lambda rs: len({json.dumps(json.loads(r.value())["source"]) for r in rs}) >= number)
        for name in ("in", "events"):
            tails[name].drain()
        tools.facts.equal("SIGTERM ends serve with exit code 0", app.service.end(), 0)
        tools.facts("no observation was refused", not app.tail("rejects").drain())
        replay(app, tails)
    finally:
        if app.service:
            app.service.end(signal.SIGKILL)


def feed(app, streams):
    """Produces the streams in turn; answers how many predictions there must be."""
    number = 0
    for stream, value, mark, timestamp in observations.interleaved(streams):
        app.put(stream, value, mark, timestamp)
        number += value is not None
    app.cluster.flush()
    return number


def settle(app, tails, number, name):
    """Waits for so many distinct predictions and compares everything so far."""
    distinct = lambda records: len({json.dumps(json.loads(r.value())["source"]) for r in records}) >= number
    tails["out"].until(distinct)
    outputs, inputs, events = (tails[n].drain() for n in ("out", "in", "events"))
    return (number, *compare(app, name, inputs, outputs, events)[:2])


def by_kcat(app):
    """A stream that kcat feeds and whose predictions kcat reads."""
    kcat = lambda *arguments, **more: subprocess.run(["kcat", "-b", app.cluster.bootstrap, *arguments],
                                                     capture_output=True, text=True, timeout=60, **more).stdout
    lines = [json.dumps(value) for value, _, _ in observations.Signal().stream(4)]
    kcat("-P", "-t", app.input, "-K", "\t", input="".join(f"kcat\t{line}\n" for line in lines[:3]))
    kcat("-P", "-t", app.input, "-K", "\t", "-H", "sluice-boundary=start", input=f"kcat\t{lines[3]}\n")
    read_back = lambda: [json.loads(line.split("\t")[1])["step"] for line in
                         kcat("-C", "-t", app.output, "-e", "-q", "-f", "%k\t%s\n").splitlines()
                         if line.startswith("kcat\t")]
    steps = kit.wait(lambda: (found := read_back()) and len(found) == 4 and found)
    app.tools.facts.equal("kcat feeds observations and a header, and reads predictions", steps, [0, 1, 2, 0])
    return 4


def restart(app):
    """Input that arrives while the service is away, and streams that go on where they were."""
    app.tools.facts.equal("SIGTERM: exit code 0", app.service.end(), 0)
    number = feed(app, {"plain": observations.Signal(8).stream(10, observations.START + 30 * observations.MINUTE)})
    app.start()
    return number


def killed(app, tails):
    """Load while the service is killed twice and stopped once; a reset in between stays at its offset."""
    facts, before = app.tools.facts, len(tails["out"].drain())
    streams = {f"live/{i}": observations.Signal(i).stream(200) for i in range(12)}
    records = list(observations.interleaved(streams))

    def load():
        for i, (stream, value, mark, timestamp) in enumerate(records):
            app.put(stream, value, mark, timestamp)
            if i % 20 == 0:
                time.sleep(0.05)
        app.cluster.flush()

    producer = threading.Thread(target=load)
    producer.start()
    tails["out"].count(before + 300)
    answer = app.service.post("/v1/streams/live%2F3/reset")
    app.service.end(signal.SIGKILL)
    facts.equal("a reset under load is answered 200", answer.status_code, 200)
    app.start()
    tails["out"].count(before + 900)
    app.service.end(signal.SIGKILL)
    app.start()
    tails["out"].count(before + 1500)
    facts.equal("SIGTERM under load: exit code 0", app.service.end(), 0)
    app.start()
    producer.join()
    events = [json.loads(r.value()) for r in tails["events"].drain()]
    places = {(e["partition"], e["offset"]) for e in events if e["id"] == answer.json().get("id")}
    facts.equal("a reset stays at the offset of its answer", places,
                {(answer.json().get("partition"), answer.json().get("offset"))})
    return len(records)


def replay(app, tails):
    """`score` over the recorded input and events gives the bytes of the topic."""
    facts, rows, places = app.tools.facts, [], []
    for message in sorted(tails["in"].records, key=lambda m: (m.offset(), m.partition())):
        stream, at, values, sequence, mark = read(message)
        row = {"stream": stream, "time": at, "values": values, "sequence": sequence, "boundary": mark,
               "source": {"topic": app.input, "partition": message.partition(), "offset": message.offset()}}
        rows.append(json.dumps({k: v for k, v in row.items() if v is not None or k == "values"}, ensure_ascii=False))
        places += [(message.partition(), message.offset())] * (values is not None)
    write(app, "input.ndjson", rows)
    write(app, "events.ndjson", [r.value().decode() for r in tails["events"].records])
    topic = {}
    for record in tails["out"].records:
        source = json.loads(record.value())["source"]
        topic.setdefault((source["partition"], source["offset"]), record.value().decode())
    for batch in (1, 7, 4096):
        done = app.sluice("score", "--model", "model.safetensors", "-c", "sluice.yaml", "--batch", str(batch),
                          "--input", "input.ndjson", "--output", "out.ndjson", "--rejects", "rejects.ndjson",
                          "--commands", "events.ndjson", patience=300)
        with open(os.path.join(app.directory, "out.ndjson")) as file:
            lines = file.read().splitlines()
        expected = [topic.get(place) for place in places]
        wrong = [(a, b) for a, b in zip(lines, expected) if a != b]
        facts(f"score --batch {batch}: the topic's predictions byte for byte, in the order of the input",
              done.returncode == 0 and lines == expected,
              f"exit {done.returncode}, {len(lines)} lines of {len(expected)}, {len(wrong)} differ, first {wrong[:1]}; "
              + done.stderr[-300:])


def write(app, name, lines):
    with open(os.path.join(app.directory, name), "w") as file:
        file.writelines(line + "\n" for line in lines)
