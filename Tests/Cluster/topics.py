"""Whole topics, read committed and uncommitted."""

import json
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from kit import QUIET

COORDINATING = [KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS]


def read(cluster, topic, isolation="read_committed", patience=90):
    """All records that `topic` holds now, by partition and offset. Waits for transactions that are still open."""
    consumer = Consumer({
        "bootstrap.servers": cluster.bootstrap, "group.id": f"read-{topic}", "enable.auto.commit": False,
        "isolation.level": isolation, "enable.partition.eof": True, "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50, **QUIET})
    parts = [TopicPartition(topic, p, 0) for p in range(cluster.partitions(topic))]
    # Asked uncommitted: the end behind which nothing may be missing.
    ends = {p.partition: end for p, end in ((p, high(cluster, p)) for p in parts) if end}
    consumer.assign(parts)
    records, deadline = [], time.monotonic() + patience
    while ends:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{topic} cannot be read to its end: a transaction is open on {ends}")
        for message in consumer.consume(10_000, 0.5):
            if not message.error():
                records.append(message)
            elif message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())
            elif message.offset() >= ends.get(message.partition(), float("inf")):
                del ends[message.partition()]
    consumer.close()
    return sorted(records, key=lambda m: (m.partition(), m.offset()))


def high(cluster, part):
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": f"ends-{part.topic}",
                         "isolation.level": "read_uncommitted", **QUIET})
    try:
        return consumer.get_watermark_offsets(part, timeout=60)[1]
    finally:
        consumer.close()


def patiently(ask, seconds=30):
    """What `ask` gives, asked again while the broker is still making itself the coordinator of what is asked for."""
    end = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in COORDINATING or time.monotonic() > end:
                raise
            time.sleep(0.5)


def committed(cluster, group, topic):
    """What `group` has committed of each partition; 0 for nothing."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": group, **QUIET})
    try:
        parts = [TopicPartition(topic, p) for p in range(cluster.partitions(topic))]
        return [max(p.offset, 0) for p in patiently(lambda: consumer.committed(parts, timeout=60))]
    finally:
        consumer.close()


def lag(cluster, group, topic):
    """Records behind what `group` has committed, over all partitions."""
    positions = committed(cluster, group, topic)
    return sum(high(cluster, TopicPartition(topic, p)) - position for p, position in enumerate(positions))


def aborted(cluster, topic):
    """Records of transactions that were aborted."""
    return len(read(cluster, topic, "read_uncommitted")) - len(read(cluster, topic))


def identities(cluster, topic):
    """The commands of the control topic, or those that the events record: (id, partition of the input)."""
    values = ((json.loads(m.value()), m.partition()) for m in read(cluster, topic))
    return {(value["id"], value.get("partition", partition)) for value, partition in values}
