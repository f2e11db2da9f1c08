"""What is refused at the start: with exit code 1 and what to do about it, or 2 where the command line is wrong."""

import json
import os
import socket

import numpy as np
import safetensors.numpy

import kit
from application import Application
from models import Model


def check(tools):
    facts = tools.facts
    model = Model("point", 1, 5, ["temperature", "load"], ["temperature"], [1], "none")
    app = Application(tools, "refusals", model)
    for arguments in (["--no-such-flag"], ["serve", "--no-such-flag"], ["no-such-command"], ["score", "--input", "x"]):
        done = app.sluice(*arguments)
        facts(f"sluice {' '.join(arguments)}: usage on stderr, exit code 2",
              done.returncode == 2 and "usage" in done.stderr.lower(), (done.returncode, done.stderr))
    facts.equal("sluice --help: exit code 0", app.sluice("--help").returncode, 0)

    def refused(what, *words, **changes):
        """`serve` with these changes ends by itself with code 1 and says all of the words."""
        app.write("changed.yaml", **changes)
        service = kit.Service(tools.sluice, app.directory, app.port, config="changed.yaml")
        code = service.end() if service.ready else service.process.poll()
        said = app.log().strip().splitlines()[-1:]
        facts(f"refused at the start: {what}", not service.ready and code == 1
              and all(w.lower() in app.log()[-1000:].lower() for w in words), (code, said))
        open(service.log, "w").close()

    configuration = app.configuration
    refused("an unknown key", "boundarys", "boundaries", boundarys={"gap": "1h"})
    refused("a value of the wrong type", "workers", workers="many")
    refused("a missing setting", "application", application=None)
    refused("a property of Kafka that the engine owns", "group.id",
            kafka=configuration["kafka"] | {"group.id": "x"})
    refused("an unknown property of Kafka", "no.such.property",
            kafka=configuration["kafka"] | {"no.such.property": 1})
    if tools.cluster.embedded:
        print("skipped missing topics, unequal partitions: topics of the embedded broker exist and are equal")
        tools.cluster.make(app.input)
    else:
        refused("a missing topic", app.input)
        tools.cluster.make(app.input, 4)
        tools.cluster.make(app.output, 3)
        refused("unequal partitions", app.output, "4", "3")
        tools.cluster.admin.delete_topics([app.output])[app.output].result()
        kit.wait(lambda: not tools.cluster.partitions(app.output))
    kit.wait(lambda: app.sluice("topics", "create").returncode == 0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused("a taken port", str(port), admin={"listen": f"127.0.0.1:{port}"})
    open(os.path.join(app.directory, "file"), "w").close()
    refused("a state directory that cannot be written", "file/state", state={"directory": "./file/state"})
    app.start()
    facts.equal("a right configuration is accepted, and ends with 0", app.service.end(), 0)
    other = f"{app.name}-other"
    refused("the state of another application", "state", application=other)
    models(facts, app, model)


def models(facts, app, model):
    """Wrong model files are refused by the tensor's name."""
    name = "lstm.weight_hh_l0"
    good = model.tensors
    without = {n: t for n, t in good.items() if n != name}
    wrong = good[name].copy()
    wrong[3, 2] = np.nan
    infinite = good[name].copy()
    infinite[3, 2] = -np.inf
    cases = {
        "a missing tensor": without, "a wrong shape": without | {name: good[name][:-1]},
        "a wrong type": without | {name: good[name].astype(np.float64)}, "a NaN": without | {name: wrong},
        "an infinity": without | {name: infinite},
    }
    for what, tensors in cases.items():
        model.tensors = tensors
        model.write(os.path.join(app.directory, "bad.safetensors"))
        scored(facts, app, what, name)
    model.tensors = good
    safetensors.numpy.save_file(good, os.path.join(app.directory, "bad.safetensors"))
    scored(facts, app, "no manifest", "sluice.model")
    for what, change in (("overlapping tensors", -4), ("a hole between tensors", 4)):
        broken(app, change)
        scored(facts, app, what, "")


def broken(app, change):
    """The model file with its second tensor moved by `change` bytes, and the body as long as that needs."""
    with open(os.path.join(app.directory, "model.safetensors"), "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    names = sorted((n for n in header if n != "__metadata__"), key=lambda n: header[n]["data_offsets"])
    for name in names[1:]:
        header[name]["data_offsets"] = [o + change for o in header[name]["data_offsets"]]
    text = json.dumps(header).encode()
    with open(os.path.join(app.directory, "bad.safetensors"), "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + (body + bytes(max(change, 0)))[:len(body) + change])


def scored(facts, app, what, word):
    with open(os.path.join(app.directory, "one.ndjson"), "w") as file:
        file.write('{"stream":"a","time":0,"values":{"temperature":1,"load":1}}\n')
    done = app.sluice("score", "--model", "bad.safetensors", "--input", "one.ndjson", "--output", "-")
    facts(f"a model with {what}: exit code 1{' and its name' if word else ''}",
          done.returncode == 1 and word in done.stderr and not done.stdout, (done.returncode, done.stderr))
