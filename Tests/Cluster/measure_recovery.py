#!/usr/bin/env python3
"""How long a service with many streams takes from its start to ready: from its local store after a clean stop and after
kill -9 under load, and from the changelog alone. Reads the process's memory from /proc."""

import argparse
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Contract"))

import kit
import requests
import topics
from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from measure_delivery import NAMES, PARTITIONS, START, produce
from models import Model

CHECKED = 1_000
# Seconds in which, at the default checkpoint, what came last is stored and what was freed is given back.
AT_REST = 15
# Closed segments at once, compacted as soon as the broker's cleaner looks.
COMPACTING = {"segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "1000"}
RESTORING = re.compile(r"partition (\d+) is restoring: (\d+) %")


class Subject:
    """The service under test and all that it was sent."""

    def __init__(self, given, cluster, directory):
        self.given, self.cluster, self.directory, self.program = given, cluster, directory, given.sluice[0]
        self.name = f"r{int(time.time())}"
        self.source, self.state = f"{self.name}-in", os.path.join(directory, "state")
        self.sent = [given.observations] * given.streams
        self.draw = random.Random(2)
        self.port = kit.free_port()
        self.model = Model("quantile", 1, given.hidden, NAMES, NAMES[:1], [1, 6, 12], "per-stream", seed=1)
        self.model.write(os.path.join(directory, "model.safetensors"))
        configuration = {
            "application": self.name, "kafka": {"bootstrap.servers": cluster.bootstrap},
            "input": {"topic": self.source, "features": {n: f"/values/{n}" for n in NAMES}},
            "output": {"topic": f"{self.name}-out", "rejects": f"{self.name}-rejects"},
            "model": {"hidden": given.hidden, "layers": 1, "targets": self.model.targets, "head": self.model.head,
                      "horizons": self.model.horizons, "scaling": self.model.scaling},
            "state": {"directory": "./state", "checkpoint": given.checkpoint},
            "delivery": "exactly-once", "commit": given.commit, "workers": given.workers,
            "retrain": {"every": "never"}, "admin": {"listen": f"127.0.0.1:{self.port}"}}
        with open(os.path.join(directory, "sluice.yaml"), "w") as file:
            json.dump(configuration, file)

    def fill(self):
        """Every stream's first observations, predicted, committed and stored."""
        self.cluster.make(self.source, PARTITIONS)
        produce(self.cluster, self.source, self.given.streams * self.given.observations, self.given.streams)
        kit.wait(lambda: kit.run(self.program, "topics", "create", cwd=self.directory).returncode == 0)
        began = time.monotonic()
        self.start()
        self.caught_up()
        print(f"{sum(self.sent):,} observations of {len(self.sent):,} streams within "
              f"{time.monotonic() - began:.0f} s; {memory(self.process.pid)}", flush=True)

    def start(self):
        self.began = time.monotonic()
        self.service = kit.Process(self.program, "serve", "--model", "model.safetensors", "-c", "sluice.yaml",
                                   cwd=self.directory, log="serve.log")
        self.process = self.service.process

    def stop(self):
        began, code = time.monotonic(), self.service.end()
        if code != 0:
            raise RuntimeError(f"it ended with {code}: see {self.service.log}")
        return time.monotonic() - began

    def get(self, path):
        """An answer over HTTP; None for none."""
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended with {self.process.returncode}: see {self.service.log}")
        try:
            return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=30)
        except requests.RequestException:
            return None

    def caught_up(self):
        behind = lambda: (time.sleep(0.5), self.get("/livez"), topics.lag(self.cluster, self.name, self.source))[2]
        if not kit.wait(lambda: behind() == 0, self.given.patience):
            raise RuntimeError(f"it does not come to the end of its input: see {self.service.log}")

    def send(self, streams, rate=None):
        """One more observation of each of these streams; `rate` a second, or as fast as it goes."""
        began = time.monotonic()
        for i, stream in enumerate(streams):
            values = ",".join(f'"{name}":{self.draw.gauss(0, 1):.4f}' for name in NAMES)
            value = f'{{"time":{START + self.sent[stream] * 1000},"values":{{{values}}}}}'
            self.cluster.produce(self.source, f"stream-{stream}", value)
            self.sent[stream] += 1
            if rate and i % 50 == 0:
                time.sleep(max(0, began + i / rate - time.monotonic()))
        self.cluster.flush()

    def metric(self, name):
        found = re.search(rf"^{name} (\S+)", self.get("/metrics").text, re.M)
        return float(found[1]) if found else 0

    def store_bytes(self):
        files = (os.path.join(folder, name) for folder, _, names in os.walk(self.state) for name in names)
        return sum(os.path.getsize(path) for path in files if f"/{self.source}-" in path)


def processor(pid):
    """Seconds of processor time that the process took."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """What the process has resident, and had at most, in units of 10^6 bytes."""
    with open(f"/proc/{pid}/status") as file:
        found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", file.read(), re.M))
    return f"{int(found['VmRSS']) * 1.024e-3:.0f} MB resident, {int(found['VmHWM']) * 1.024e-3:.0f} at most"


class Phases:
    """When what `/readyz` says became another: seconds since the start of the process."""

    def __init__(self):
        self.answered = self.joined = None
        self.read, self.done, self.seen = {}, {}, set()

    def see(self, answer, now):
        if self.answered is None:
            self.answered = now
        restoring = {int(p): int(share) for p, share in RESTORING.findall(answer.text)}
        if self.joined is None and (restoring or answer.status_code == 200):
            self.joined = now
        self.seen |= restoring.keys()
        for partition in self.seen:
            if restoring.get(partition, 100) >= 25:
                self.read.setdefault(partition, now)
            if partition not in restoring:
                self.done.setdefault(partition, now)

    def __str__(self):
        parts = ", ".join(f"{p}: {self.read[p]:.1f}/{self.done[p]:.1f}" for p in sorted(self.done))
        return f"HTTP {self.answered:.1f}, joined {self.joined:.1f}, partitions read/live {parts}"


def until_ready(subject):
    """Starts the service; seconds until it is ready, and how they divide."""
    phases = Phases()
    subject.start()
    while True:
        answer, now = subject.get("/readyz"), time.monotonic() - subject.began
        if answer is not None:
            phases.see(answer, now)
            if answer.status_code == 200:
                return now, phases
        if now > subject.given.patience:
            raise RuntimeError(f"it does not become ready: see {subject.service.log}")
        time.sleep(0.02)


def measure(subject, case):
    """One recovery, and whether the streams go on where they were."""
    size = subject.store_bytes()
    seconds, phases = until_ready(subject)
    now, spent = memory(subject.process.pid), processor(subject.process.pid)
    replayed = subject.metric("sluice_replayed_total")
    subject.caught_up()
    wrong = goes_on(subject)
    time.sleep(AT_REST)
    print(f"{case}: ready after {seconds:.2f} s, {spent:.1f} s of processor ({phases})\n"
          f"    {replayed:,.0f} replayed; store before {size / 1e6:,.0f} MB; {now}; at rest "
          f"{memory(subject.process.pid)}, "
          f"of them slots {subject.metric('sluice_state_bytes') / 1e6:,.0f} MB; "
          + (f"FAILED: {wrong}" if wrong else f"{CHECKED} streams go on"), flush=True)
    return not wrong


def goes_on(subject):
    """Sends some streams an observation; what is wrong with their predictions, or nothing."""
    output, cluster = f"{subject.name}-out", subject.cluster
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": output, "enable.auto.commit": False,
                         "isolation.level": "read_committed", **kit.QUIET})
    parts = [TopicPartition(output, p) for p in range(PARTITIONS)]
    consumer.assign([TopicPartition(output, p.partition, topics.high(cluster, p)) for p in parts])
    streams = subject.draw.sample(range(len(subject.sent)), CHECKED)
    expected = {f"stream-{stream}": subject.sent[stream] for stream in streams}
    subject.send(streams)
    seen, end = {}, time.monotonic() + 30
    while len(seen) < CHECKED and time.monotonic() < end:
        for message in consumer.consume(CHECKED, 0.2):
            if not message.error():
                value = json.loads(message.value())
                seen[value["stream"]] = value["step"]
    consumer.close()
    others = [(stream, step, seen.get(stream)) for stream, step in expected.items() if seen.get(stream) != step]
    return f"{len(others)} predictions are others or missing: (stream, expected, seen) {others[:5]}" if others else ""


def killed(subject):
    """Kills the service while observations come in."""
    subject.start()
    kit.wait(lambda: (answer := subject.get("/readyz")) is not None and answer.status_code == 200, 120)
    streams = subject.draw.sample(range(len(subject.sent)), int(subject.given.rate * (subject.given.feed + 1)))
    feed = threading.Thread(target=subject.send, args=(streams, subject.given.rate))
    feed.start()
    time.sleep(subject.given.feed)
    subject.service.end(signal.SIGKILL)
    feed.join()


def changelog(subject):
    """Records, keys and bytes of the changelog as a reader gets it."""
    topic = f"{subject.name}.slots"
    consumer = Consumer({"bootstrap.servers": subject.cluster.bootstrap, "group.id": topic, "enable.auto.commit": False,
                         "isolation.level": "read_committed", "enable.partition.eof": True, **kit.QUIET})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    records, size, keys, ended = 0, 0, set(), set()
    while len(ended) < PARTITIONS:
        for message in consumer.consume(10_000, 0.5):
            if not message.error():
                records += 1
                size += len(message.key()) + len(message.value() or b"")
                keys.add(message.key())
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
    consumer.close()
    return f"{records:,} records of {len(keys):,} keys, {size / 1e6:,.0f} MB"


def compact(subject):
    """Lets the broker compact the changelog: nothing of it is active but what the last appends made."""
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
               for name, value in COMPACTING.items()]
    resource = ConfigResource(ResourceType.TOPIC, f"{subject.name}.slots", incremental_configs=entries)
    subject.cluster.admin.incremental_alter_configs([resource])[resource].result()
    for _ in range(2):
        subject.send(subject.draw.sample(range(len(subject.sent)), CHECKED))
        time.sleep(3)
    subject.caught_up()
    time.sleep(subject.given.compaction)


def cases(subject, given):
    """The local store after a clean stop and after kill -9, the changelog as it is and compacted; whether all streams
    went on."""
    good = True

    def case(name, prepare):
        nonlocal good
        for number in range(given.rounds if name in given.cases or not given.cases else 0):
            for subject.program in given.sluice:
                prepare()
                program = f" of {subject.program}" if len(given.sluice) > 1 else ""
                good &= measure(subject, f"{name}{program}, {number + 1}")

    stopped = lambda: print(f"stopped within {subject.stop():.1f} s", flush=True)

    def wiped():
        stopped()
        shutil.rmtree(subject.state)

    case("stop", stopped)
    case("kill", lambda: (stopped(), killed(subject)))
    print(f"the changelog as it is: {changelog(subject)}", flush=True)
    case("changelog", wiped)
    if given.compaction:
        compact(subject)
        print(f"the changelog, compacted: {changelog(subject)}", flush=True)
        case("compacted", wiped)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sluice", required=True, nargs="+",
                        help="the program, a release build; several are measured in turn over the same state")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--streams", type=int, default=1_000_000)
    parser.add_argument("--observations", type=int, default=2, help="of each stream at the beginning (default: 2)")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2, help="of each case (default: 2)")
    parser.add_argument("--cases", nargs="*", default=[], help="of stop, kill, changelog, compacted (default: all)")
    parser.add_argument("--rate", type=int, default=5_000, help="observations a second before a kill (default: 5000)")
    parser.add_argument("--feed", type=int, default=15, help="seconds of them (default: 15)")
    parser.add_argument("--commit", default="100ms")
    parser.add_argument("--checkpoint", default="10s")
    parser.add_argument("--compaction", type=int, default=60, help="seconds given to it; 0: not measured (default: 60)")
    parser.add_argument("--patience", type=int, default=300, help="seconds for one step (default: 300)")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    given = parser.parse_args()
    given.sluice = [os.path.abspath(path) for path in given.sluice]
    directory = tempfile.mkdtemp(prefix="sluice-recovery-")
    subject = Subject(given, kit.Cluster(given.bootstrap), directory)
    subject.fill()
    try:
        good = cases(subject, given)
        subject.stop()
    except BaseException:
        print(f"see {directory}", flush=True)
        subject.process.kill()
        raise
    if good and not given.keep:
        shutil.rmtree(directory)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
