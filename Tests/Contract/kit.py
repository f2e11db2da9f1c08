"""What every part of the check stands on: facts that are printed, processes, topics."""

import os
import signal
import socket
import subprocess
import time

import requests
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

PATIENCE = 60
# Brokers that are away show in the facts; librdkafka need not tell of each attempt.
QUIET = {"log_level": 2}


class Facts:
    """Prints one line a fact, and remembers whether one failed."""

    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, fact, holds, seen=""):
        if holds:
            self.passed += 1
            print(f"ok      {fact}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {fact}: {str(seen)[:600]}", flush=True)
        return bool(holds)

    def equal(self, fact, seen, expected):
        return self(fact, seen == expected, f"expected {expected!r}, seen {seen!r}")


def wait(condition, patience=PATIENCE):
    """What `condition` answers once that is not false; its last answer after `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.05)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    """Kafka as its users see it, through confluent-kafka."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
        self.embedded = (self.admin.list_topics(timeout=30).cluster_id or "mockCluster").startswith("mockCluster")
        self.producer = Producer({
            "bootstrap.servers": bootstrap, "message.max.bytes": 20_000_000, "linger.ms": 2,
            "message.timeout.ms": 30_000, "message.send.max.retries": 0, "partitioner": "consistent", **QUIET,
        })

    def make(self, topic, partitions=4, **settings):
        """Makes a topic; on the embedded broker it exists from its first mention."""
        if not self.embedded:
            new = NewTopic(topic, partitions, 1, config={k.replace("_", "."): v for k, v in settings.items()})
            self.admin.create_topics([new])[topic].result()
        wait(lambda: self.partitions(topic))

    def partitions(self, topic):
        """How many a topic has. All topics are asked for: a question after one makes it where brokers may do that."""
        found = self.admin.list_topics(None if not self.embedded else topic, timeout=10).topics.get(topic)
        return 0 if found is None or found.error else len(found.partitions)

    def produce(self, topic, key, value, headers=None, timestamp=0, partition=-1):
        """Produces one record and gives back where it lies, by `flush`."""
        place = {}

        def delivered(error, message):
            if error:
                raise KafkaException(error)
            place.update(partition=message.partition(), offset=message.offset())

        more = {} if partition < 0 else {"partition": partition}
        self.producer.produce(topic, value, key, headers=headers, timestamp=timestamp, on_delivery=delivered, **more)
        self.producer.poll(0)
        return place

    def flush(self):
        if self.producer.flush(PATIENCE):
            raise RuntimeError("the broker takes no records")

    def tail(self, topic):
        return Tail(self.bootstrap, topic, self.partitions(topic))


class Tail:
    """Reads a topic from its beginning, as far as was asked for; `records` are (partition, offset) in order."""

    def __init__(self, bootstrap, topic, partitions):
        self.consumer = Consumer({
            "bootstrap.servers": bootstrap, "group.id": f"contract-{topic}", "enable.auto.commit": False,
            "isolation.level": "read_committed", "fetch.message.max.bytes": 20_000_000, "fetch.wait.max.ms": 20,
            "auto.offset.reset": "earliest", **QUIET,
        })
        self.consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
        self.topic, self.partitions, self.records = topic, partitions, []

    def poll(self, seconds=0.1):
        for message in self.consumer.consume(500, seconds):
            if not message.error():
                self.records.append(message)
            elif message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())

    def until(self, condition, patience=PATIENCE):
        """Polls until `condition(records)`; gives back its last answer."""
        end = time.monotonic() + patience
        while not (answer := condition(self.records)) and time.monotonic() < end:
            self.poll()
        return answer

    def count(self, number, patience=PATIENCE):
        self.until(lambda records: len(records) >= number, patience)
        return self.records

    def drain(self):
        """Everything that the topic holds now."""
        ends = [self.consumer.get_watermark_offsets(TopicPartition(self.topic, p), timeout=30)[1]
                for p in range(self.partitions)]
        reached = lambda: {t.partition: t.offset for t in self.consumer.position(
            [TopicPartition(self.topic, p) for p in range(self.partitions)])}
        self.until(lambda _: all(reached()[p] >= end or end == 0 for p, end in enumerate(ends)))
        return self.records


class Process:
    """A sluice process; its stderr goes to a file."""

    def __init__(self, sluice, *arguments, cwd, log):
        self.log = os.path.join(cwd, log)
        with open(self.log, "ab") as stderr:
            self.process = subprocess.Popen([sluice, *arguments], cwd=cwd, stderr=stderr, stdout=subprocess.PIPE,
                                            stdin=subprocess.DEVNULL, text=True)

    def end(self, number=signal.SIGTERM):
        """Sends the signal and gives back the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return f"no end within {PATIENCE} s"


class Service(Process):
    """`sluice serve`; ready when this returns, or `ready` is false."""

    def __init__(self, sluice, directory, port, model="model.safetensors", config="sluice.yaml"):
        super().__init__(sluice, "serve", "--model", model, "-c", config, cwd=directory, log="serve.log")
        self.url = f"http://127.0.0.1:{port}"
        self.ready = wait(lambda: self.process.poll() is not None or self.answers()) and self.process.poll() is None

    def answers(self):
        try:
            return requests.get(self.url + "/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def get(self, path, **more):
        return requests.get(self.url + path, timeout=30, **more)

    def post(self, path, **more):
        return requests.post(self.url + path, timeout=30, **more)


def run(sluice, *arguments, cwd=None, patience=PATIENCE, **more):
    """Runs sluice to its end: exit code, stdout and stderr."""
    return subprocess.run([sluice, *arguments], cwd=cwd, capture_output=True, text=True, timeout=patience, **more)
