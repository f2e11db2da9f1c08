#!/usr/bin/env python3
"""Throughput exactly-once against at-least-once, in pairs over the same topic, and what goes to the changelog."""

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Contract"))

import kit
import topics
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import NewTopic
from models import Model

PARTITIONS = 4
NAMES = [f"f{i}" for i in range(8)]
START = 1_767_225_600_000


def produce(cluster, topic, count, streams):
    """`count` observations of eight features over `streams` keys, all partitions alike."""
    draw = random.Random(1)
    texts = [",".join(f'"{name}":{draw.gauss(0, 1):.4f}' for name in NAMES) for _ in range(4096)]
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "linger.ms": 50, "partitioner": "consistent",
                         "queue.buffering.max.messages": 1_000_000, "batch.size": 500_000})
    for i in range(count):
        value = f'{{"time":{START + i // streams * 1000},"values":{{{texts[draw.randrange(4096)]}}}}}'
        while True:
            try:
                producer.produce(topic, value, f"stream-{i % streams}")
                break
            except BufferError:
                producer.poll(0.1)
        if i % 1000 == 0:
            producer.poll(0)
    if producer.flush(120):
        raise RuntimeError("the broker takes no records")


def measure(given, cluster, directory, name, source, model, delivery):
    """Observations a second of one fresh application, and the bytes of its changelog."""
    port = kit.free_port()
    os.makedirs(os.path.join(directory, name))
    configuration = {
        "application": name, "kafka": {"bootstrap.servers": cluster.bootstrap},
        "input": {"topic": source, "features": {n: f"/values/{n}" for n in NAMES}},
        "output": {"topic": f"{name}-out", "rejects": f"{name}-rejects"},
        "model": {"hidden": model.hidden, "layers": 1, "targets": model.targets, "head": model.head,
                  "horizons": model.horizons, "scaling": model.scaling},
        "delivery": delivery, "commit": given.commit, "workers": given.workers, "retrain": {"every": "never"},
        "admin": {"listen": f"127.0.0.1:{port}"}}
    with open(os.path.join(directory, name, "sluice.yaml"), "w") as file:
        json.dump(configuration, file)
    # The broker's own clock says when each prediction came.
    output = NewTopic(f"{name}-out", PARTITIONS, config={"message.timestamp.type": "LogAppendTime"})
    cluster.admin.create_topics([output])[f"{name}-out"].result()
    create = lambda: kit.run(given.sluice, "topics", "create", cwd=os.path.join(directory, name)).returncode == 0
    kit.wait(create)
    service = kit.Service(given.sluice, os.path.join(directory, name), port, model=f"../{model.version}.safetensors")
    try:
        done = kit.wait(lambda: (time.sleep(0.5), service.process.poll() is None and
                                 topics.lag(cluster, name, source) == 0)[1], given.patience)
        if not done:
            raise RuntimeError(f"{name} does not come to the end of its input: see {service.log}")
    finally:
        code = service.end()
    if code != 0:
        raise RuntimeError(f"{name} ended with {code}: see {service.log}")
    first, last = span(cluster, f"{name}-out")
    sizes = 0
    if delivery == "exactly-once":
        sizes = sum(len(m.key() or b"") + len(m.value() or b"") for m in topics.read(cluster, f"{name}.slots"))
    cluster.admin.delete_topics([f"{name}-out"])[f"{name}-out"].result()
    return given.observations / ((last - first) / 1000), sizes


def span(cluster, topic):
    """When the first and the last record came, in milliseconds."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": topic, "auto.offset.reset": "earliest",
                         "isolation.level": "read_committed"})
    times = []
    for partition in range(PARTITIONS):
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)
        # The last offsets may be marks of transactions, one for each.
        for offset, whole in [(low, False), (max(low, high - 200), True)]:
            consumer.assign([TopicPartition(topic, partition, offset)])
            found = consumer.consume(1, 20)
            while whole and (more := consumer.consume(500, 0.5)):
                found = more
            times += [m.timestamp()[1] for m in found if not m.error()]
    consumer.close()
    return min(times), max(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sluice", required=True, help="the program, a release build")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--observations", type=int, default=1_000_000)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--commit", default="100ms")
    parser.add_argument("--patience", type=int, default=300, help="seconds for one run (default: 300)")
    given = parser.parse_args()
    given.sluice = os.path.abspath(given.sluice)
    cluster, directory = kit.Cluster(given.bootstrap), tempfile.mkdtemp(prefix="sluice-delivery-")
    run = int(time.time())
    source = f"y{run}-in"
    cluster.make(source, PARTITIONS)
    produce(cluster, source, given.observations, given.streams)
    model = Model("quantile", 1, given.hidden, NAMES, NAMES[:1], [1, 6, 12], "per-stream", seed=1)
    model.write(os.path.join(directory, f"{model.version}.safetensors"))
    ratios = []
    for pair in range(given.pairs):
        rates = {}
        order = ["at-least-once", "exactly-once"]
        for delivery in order if pair % 2 == 0 else order[::-1]:
            name = f"y{run}-{pair}-{delivery}"
            rates[delivery], sizes = measure(given, cluster, directory, name, source, model, delivery)
            print(f"pair {pair + 1}: {delivery} {rates[delivery]:,.0f}/s"
                  + (f", {sizes / given.observations:.1f} bytes of changelog per observation" if sizes else ""),
                  flush=True)
        ratios.append(rates["exactly-once"] / rates["at-least-once"])
        print(f"pair {pair + 1}: ratio {ratios[-1]:.3f}", flush=True)
    print(f"exactly-once / at-least-once at {given.commit}: median {statistics.median(ratios):.3f} "
          f"of {len(ratios)} pairs ({', '.join(f'{r:.3f}' for r in ratios)})")
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
