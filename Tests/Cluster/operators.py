"""People at work meanwhile: resets, exports and imports, and model swaps, over HTTP and by command."""

import collections
import json
import random
import threading

import kit


class Operators(threading.Thread):
    """Commands at random moments. `answered` holds what was acknowledged: (id, partition, offset)."""

    def __init__(self, application, streams, seed):
        super().__init__(name="operators")
        self.application, self.streams, self.random = application, streams, random.Random(f"operators/{seed}")
        self.model = application.models[0]
        self.answered, self.resets, self.promotions, self.refused = [], 0, 0, collections.Counter()
        self.exports, self.imports = [], 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.wait(self.random.uniform(0.2, 1.5)):
            instances = self.application.answering
            self.random.shuffle(instances)
            self.random.choices(
                [self.one, self.many, self.by_command, self.promote, self.move], [8, 2, 2, 2, 4])[0](instances)

    def one(self, instances):
        """A reset of one stream: the instance that has it is not known."""
        stream = self.random.choice(self.streams).replace("/", "%2F")
        for instance in instances:
            answer = instance.ask("POST", f"/v1/streams/{stream}/reset")
            if answer is None or answer.status_code == 404:
                continue
            return self.told(answer.status_code, answer.json())
        self.refused["unknown everywhere"] += 1

    def by_command(self, instances):
        stream = self.random.choice(self.streams)
        for instance in instances:
            done = kit.run(self.application.sluice, "streams", "reset", stream, "--url", instance.url, "--json")
            if done.returncode == 0:
                body = json.loads(done.stdout)
                return self.told(200 if "offset" in body else 202, body)
        self.refused["by command"] += 1

    def many(self, instances):
        for instance in instances[:1]:
            prefix = self.random.choice(["a/1", "b/2", "b/"])
            answer = instance.ask("POST", "/v1/streams/reset", json={"prefix": prefix})
            if answer is not None:
                return self.told(answer.status_code, answer.json())
        self.refused["no answer"] += 1

    def move(self, instances):
        """A stream's state is exported; some stream goes on from one that was, its own or another's."""
        stream = self.random.choice(self.streams)
        found = self.first(instances, "GET", f"/v1/streams/{stream.replace('/', '%2F')}/export")
        if found is not None:
            self.exports.append((stream, found.content))
        if not self.exports:
            return
        source, snapshot = self.random.choice(self.exports[-20:])
        target = self.random.choice([source, stream]).replace("/", "%2F")
        answer = self.first(instances, "POST", f"/v1/streams/{target}/import", data=snapshot)
        if answer is not None:
            self.imports += 1
            self.told(answer.status_code, answer.json())

    def first(self, instances, method, path, **more):
        """The answer of the instance that has the stream; None if none has."""
        for instance in instances:
            answer = instance.ask(method, path, **more)
            if answer is not None and answer.status_code in (200, 202):
                return answer
            if answer is not None and answer.status_code != 404:
                self.refused[str(answer.json().get("detail"))[:60]] += 1
        return None

    def told(self, status, body):
        if status == 200:
            self.answered.append((body["id"], body["partition"], body["offset"]))
        elif status != 202:
            self.refused[str(body.get("detail"))[:60]] += 1
            return
        self.resets += 1

    def promote(self, instances):
        """Every instance has a registry of its own: each is told."""
        self.model = next(m for m in self.application.models if m != self.model)
        self.promotions += 1
        self.agree(instances)

    def agree(self, instances):
        for instance in instances:
            instance.ask("POST", f"/v1/models/{self.model}/promote", patience=30)

    def end(self):
        self.stopping.set()
        self.join()
