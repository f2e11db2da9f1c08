"""What is fed: several hundred streams from one seed, with every kind of boundary, and bad records among them."""

import json
import math
import random
import threading
import time

import kit
from confluent_kafka import Producer

START = 1_767_225_600_000
SECOND, HOUR = 1_000, 3_600_000
BOUNDARIES = {"sequence_change": True, "gap": "2h", "every": 70, "daily": "00:00 Europe/Paris"}
# What is refused, and the code that says why.
BAD = {b'{"time":': "json-invalid", b'{"values":5}': "type-mismatch",
       b'{"time":"yesterday","values":{"temperature":1,"load":1}}': "time-invalid",
       b'{"values":{"temperature":"hot","load":1}}': "type-mismatch",
       b'{"values":{"temperature":1e39,"load":1}}': "number-out-of-range",
       b'{"boundary":"begin","values":{"temperature":1,"load":1}}': "boundary-invalid"}


class Stream:
    """One key; each call of `next` gives its next record: value and header."""

    def __init__(self, name, seed):
        self.name, self.random = name, random.Random(f"{seed}/{name}")
        self.time = START + self.random.randrange(24 * HOUR)
        self.sequence, self.count = None, 0

    def next(self):
        """Of a thousand records some are bad, end the stream, are late, or begin anew in one of the ways."""
        lot = self.random.random()
        if lot < 0.005:
            return self.random.choice(list(BAD)), None
        if lot < 0.010:
            return None, None
        self.count += 1
        self.time += self.random.randrange(20, 40) * SECOND + (3 * HOUR if lot > 0.99 else 0)
        value = {"time": self.time, "values": {
            "temperature": round(20 + 5 * math.sin(self.count / 5) + self.random.random(), 2),
            "load": round(0.5 + 0.4 * math.sin(self.count / 3) + 0.1 * self.random.random(), 3)}}
        header = None
        if lot < 0.02:
            value["time"] -= HOUR
        elif lot < 0.04:
            value["boundary"] = self.random.choice(["start", "end"])
        elif lot < 0.05:
            header = self.random.choice(["start", "end"])
        elif lot < 0.06:
            self.sequence = f"run-{self.count}"
        elif lot < 0.08:
            value["values"][self.random.choice(["temperature", "load"])] = None
        if self.sequence:
            value["sequence"] = self.sequence
        return json.dumps(value, separators=(",", ":")).encode(), header


class Load(threading.Thread):
    """Produces at a steady rate until it is told to stop."""

    def __init__(self, bootstrap, topic, streams, rate, seed):
        super().__init__(name="load")
        # A record that a broker's restart doubles is two records of the input: what the topic holds is what counts.
        self.producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "message.timeout.ms": 300_000,
                                  "partitioner": "consistent", **kit.QUIET})
        self.topic, self.rate, self.random = topic, rate, random.Random(seed)
        self.streams = [Stream(f"{'ab'[i % 2]}/{i}", seed) for i in range(streams)]
        self.stopping, self.count, self.failed = threading.Event(), 0, []

    def run(self):
        tick = 0.05
        due = time.monotonic()
        while not self.stopping.is_set():
            for _ in range(round(self.rate * tick)):
                self.put(self.random.choice(self.streams))
            self.producer.poll(0)
            due += tick
            self.stopping.wait(max(0, due - time.monotonic()))
            due = max(due, time.monotonic() - 1)

    def put(self, stream):
        value, header = stream.next()
        headers = [("sluice-boundary", header.encode())] if header else None
        # Once in two thousand records the key is empty: a reject that belongs to no stream.
        key = b"" if self.random.random() < 0.0005 else stream.name.encode()
        try:
            self.producer.produce(self.topic, value, key, headers=headers, on_delivery=self.delivered)
        except BufferError:
            self.producer.poll(0.1)
        else:
            self.count += 1

    def delivered(self, error, _):
        if error:
            self.failed.append(error)

    def end(self):
        self.stopping.set()
        self.join()
        return self.producer.flush(120) == 0 and not self.failed
