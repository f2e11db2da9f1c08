"""The application under test: its topics, its models and its configuration, and up to three instances of it."""

import os

import kit
from instance import SESSION, Instance
from load import BOUNDARIES
from models import Model

# One for each worker of three instances, so that each of them has a part of it.
PARTITIONS = 6
INSTANCES = 3


class Application:
    def __init__(self, sluice, cluster, directory, name):
        self.sluice, self.cluster, self.directory, self.name = sluice, cluster, directory, name
        self.input, self.output, self.rejects, self.events, self.control, self.slots = (
            f"{name}-in", f"{name}-out", f"{name}-rejects", f"{name}.events", f"{name}.control", f"{name}.slots")
        models = [Model("quantile", 1, 16, ["temperature", "load"], ["temperature"], [1, 3], "per-stream", seed=seed)
                  for seed in (1, 2)]
        self.models = [model.version for model in models]
        for model in models:
            model.write(self.model_file(model.version))
        first = models[0]
        self.configuration = {
            "application": name,
            "kafka": {"bootstrap.servers": cluster.bootstrap, "session.timeout.ms": SESSION * 1000,
                      "heartbeat.interval.ms": 1000},
            "input": {"topic": self.input, "late": "drop",
                      "features": {"temperature": "/values/temperature", "load": "/values/load"}},
            "output": {"topic": self.output, "rejects": self.rejects},
            "boundaries": BOUNDARIES,
            "model": {"hidden": first.hidden, "layers": first.layers, "targets": first.targets, "head": first.head,
                      "horizons": first.horizons, "scaling": first.scaling},
            # Most streams are on disk alone at any time.
            "state": {"directory": "./state", "checkpoint": "2s", "idle": "30m", "streams_in_memory": 40},
            "delivery": "exactly-once",
            "workers": 2,
            "retrain": {"every": "never"},
        }
        self.instances = [Instance(self, number) for number in range(INSTANCES)]

    def model_file(self, version):
        return os.path.join(self.directory, f"{version}.safetensors")

    def make_topics(self):
        self.cluster.make(self.input, PARTITIONS)
        create = lambda: kit.run(self.sluice, "topics", "create", cwd=self.instances[0].directory).returncode == 0
        return kit.wait(create)

    @property
    def running(self):
        return [i for i in self.instances if i.running]

    @property
    def answering(self):
        return [i for i in self.instances if i.running and not i.paused]
