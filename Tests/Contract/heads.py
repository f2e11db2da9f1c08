"""Every head, several depths and scalings, through `score` against the fold; and malformed rows of files."""

import json
import os

import observations
import predictions
from application import Application
from models import Model
from reference import Fold, milliseconds

INPUTS = ["temperature", "load"]
CASES = [
    ("point", 1, 1, ["temperature"], [1], "none"), ("point", 3, 16, INPUTS, [1, 2, 5], "none"),
    ("point", 2, 64, ["load"], [1], "global"), ("gaussian", 1, 7, ["temperature"], [1, 6], "per-stream"),
    ("gaussian", 2, 5, INPUTS, [2], "none"), ("quantile", 1, 33, INPUTS, [1, 12], "per-stream"),
    ("binary", 1, 5, [], [], "per-stream"), ("categorical", 2, 9, [], [], "none"),
    ("point", 4, 5, INPUTS, [3], "global"),
]


def rows():
    signal = observations.Signal(11)
    streams = {f"s{i}": signal.stream(90) for i in range(3)}
    streams["s1"] = observations.marked(streams["s1"], {30: "start", 40: "end"})
    return [{"stream": name, **value} for name, value, _, _ in observations.interleaved(streams)]


def check(tools):
    facts = tools.facts
    for number, (head, layers, hidden, targets, horizons, scaling) in enumerate(CASES):
        name = f"{head}-{layers}x{hidden}-{scaling}"
        model = Model(head, layers, hidden, INPUTS, targets, horizons, scaling, classes=3, seed=number)
        app = Application(tools, f"head-{name}", model)
        lines = [json.dumps(row) for row in rows()]
        done, out = score(app, lines)
        fold = Fold(model)
        expected = [fold.observe(r["stream"], milliseconds(r["time"]), [r["values"][n] for n in INPUTS],
                                 mark=r.get("boundary")) for r in rows()]
        scale = predictions.largest(expected)
        wrong = [(i, d) for i, (text, must) in enumerate(zip(out, expected))
                 if (d := predictions.form(text) or predictions.difference(json.loads(text), must, model, scale))]
        facts(f"score, {name}: {len(expected)} predictions say what the fold says",
              done.returncode == 0 and len(out) == len(expected) and not wrong, wrong[:2] or done.stderr)
        sources = [json.loads(text)["source"] for text in out]
        facts(f"score, {name}: without a source, the file and the row",
              sources == [{"topic": "in.ndjson", "partition": 0, "offset": i} for i in range(len(lines))], sources[:2])
    malformed(facts, app, lines)


def score(app, lines, *more):
    with open(os.path.join(app.directory, "in.ndjson"), "w") as file:
        file.writelines(line + "\n" for line in lines)
    done = app.sluice("score", "--model", "model.safetensors", "--input", "in.ndjson", "--output", "out.ndjson", *more)
    path = os.path.join(app.directory, "out.ndjson")
    return done, open(path).read().splitlines() if os.path.exists(path) else []


def malformed(facts, app, lines):
    """Rows that cannot be used go to stderr and --rejects; the others are predicted as if those were not there."""
    _, clean = score(app, lines)
    bad = ['{"stream":"s0"', '{"stream":"s0","values":{"temperature":1,"load":1}}', "[]",
           '{"time":1,"values":{"temperature":1,"load":1}}', '{"stream":"s0","time":1,"values":{"temperature":true}}']
    mixed = [x for i, line in enumerate(lines) for x in ([bad[i // 20]] if i % 20 == 5 and i < 100 else []) + [line]]
    done, out = score(app, mixed, "--rejects", "rejects.ndjson")
    strip = lambda text: text[:text.index(',"source"')]
    facts("malformed rows: exit code 0, the others as if they were not there",
          done.returncode == 0 and list(map(strip, out)) == list(map(strip, clean)), done.stderr)
    with open(os.path.join(app.directory, "rejects.ndjson")) as file:
        facts("malformed rows: all in --rejects, and told on stderr",
              len(file.read().splitlines()) == len(bad) and done.stderr.strip(), done.stderr)
    csv = ["stream,time,temperature,load,boundary"] + [
        f"{r['stream']},{r['time']},{r['values']['temperature']},{r['values']['load']},{r.get('boundary', '')}"
        for r in rows()]
    with open(os.path.join(app.directory, "in.csv"), "w") as file:
        file.writelines(line + "\n" for line in csv)
    done = app.sluice("score", "--model", "model.safetensors", "--input", "in.csv", "--output", "-")
    facts("CSV gives what NDJSON gives", list(map(strip, done.stdout.splitlines())) == list(map(strip, clean)),
          done.stderr)
