#!/usr/bin/env python3
"""Exactly-once seen from outside: up to three services on a real cluster, a fault a round, and a replay that agrees."""

import argparse
import collections
import os
import re
import shutil
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Contract"))

import kit
import topics
from application import PARTITIONS, Application
from faults import Faults
from instance import live
from load import Load
from operators import Operators
from verify import Verification


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sluice", required=True, help="the program")
    parser.add_argument("--bootstrap", required=True, help="a Kafka cluster, 2.5 or newer")
    parser.add_argument("--rounds", type=int, default=10, help="faults (default: 10, about four minutes)")
    parser.add_argument("--seed", type=int, help="of the load, the commands and the faults (default: the time)")
    parser.add_argument("--rate", type=int, default=1000, help="observations per second (default: 1000)")
    parser.add_argument("--streams", type=int, default=300, help="default: 300")
    parser.add_argument("--broker-command", help="restarts brokers too; it takes 'kill N', 'stop N' and 'start N'")
    parser.add_argument("--brokers", type=lambda s: s.split(","), default=["1"], help="their numbers (default: 1)")
    parser.add_argument("--keep", action="store_true", help="keep the folder, which is kept anyway when a fact failed")
    return parser.parse_args()


def run(application, facts, seed, given):
    """The load, the commands and the faults, until everything is answered and the last instance has stopped."""
    load = Load(given.bootstrap, application.input, given.streams, given.rate, seed)
    operators = Operators(application, [s.name for s in load.streams], seed)
    faults = Faults(application, operators, facts, seed, given.broker_command, given.brokers)
    for instance in application.instances[:2]:
        instance.start(operators.model)
    load.start()
    facts("two instances have all partitions between them", live(application.instances, PARTITIONS) is not None,
          application.instances[0].log()[-900:])
    # A partition that is given up before its first commit may begin under the next model, which no event says.
    committed = lambda: topics.committed(application.cluster, application.name, application.input)
    facts("every partition has been committed", kit.wait(lambda: min(committed()) > 0), committed())
    operators.start()
    try:
        for number in range(1, given.rounds + 1):
            faults.round(number)
    finally:
        operators.end()
        facts("the load was taken", load.end(), load.failed[:2])
    last = faults.last_one()
    began = time.monotonic()
    settled = kit.wait(lambda: quiet(application), 180)
    facts("the last instance has caught up", settled, last.log()[-900:])
    print(f"        {time.monotonic() - began:.1f} s until lag 0", flush=True)
    facts.equal(f"SIGTERM of {last.number}: exit code 0", last.stop(), 0)
    return load, operators, faults


def quiet(application):
    """Whether no input and no command waits."""
    time.sleep(0.5)
    cluster = application.cluster
    return not topics.lag(cluster, application.name, application.input) and not (
        topics.identities(cluster, application.control) - topics.identities(cluster, application.events))


def told(application):
    """The lines of the logs above info, each kind with how often it came."""
    lines = collections.Counter()
    for instance in application.instances:
        for line in instance.log().splitlines():
            found = re.search(r"\b(warning|error|critical|notice)\b:?\s*(.*)", line)
            if found:
                text = re.sub(r"(hb.request.id|address|duration)=(\"[^\"]*\"|\S*) ?", "", found.group(2))
                lines[found.group(1) + ": " + re.sub(r"\d+", "N", text)[:170]] += 1
    for line, number in lines.most_common(15):
        print(f"        {number:5} × {line}")


def main():
    given = options()
    seed = given.seed if given.seed is not None else int(time.time())
    facts = kit.Facts()
    directory = tempfile.mkdtemp(prefix="sluice-cluster-")
    cluster = kit.Cluster(given.bootstrap)
    if cluster.embedded:
        sys.exit("the embedded broker has no transactions: a real cluster is needed")
    print(f"cluster at {given.bootstrap}; seed {seed}; files in {directory}", flush=True)
    application = Application(os.path.abspath(given.sluice), cluster, directory, f"x{int(time.time())}")
    began = time.monotonic()
    try:
        facts("topics create makes what is needed", application.make_topics())
        load, operators, faults = run(application, facts, seed, given)
    finally:
        for instance in application.running:
            instance.kill()
    verification = Verification(application, facts)
    zeros = verification.outcomes()
    verification.recorded(operators.answered)
    aborts = {t: topics.aborted(cluster, t) for t in (application.output, application.slots)}
    facts("the faults aborted transactions (a short run may have none: --rounds)", any(aborts.values()), aborts)
    print("the logs, above info:")
    told(application)
    print(f"""summary, seed {seed}, {time.monotonic() - began:.0f} s
  rounds            {given.rounds}
  faults            {", ".join(f"{name} {n}" for name, n in faults.counts.items() if n)}
  partitions moved  {faults.moved}, between the ends of rounds
  inputs            {len(verification.inputs)}
  commands          {operators.resets} answered, {operators.imports} of them imports; {operators.promotions} promotions
  resets refused    {", ".join(f"{n} × {why}" for why, n in operators.refused.most_common(4)) or "none"}
  aborted records   {", ".join(f"{n} on {t.removeprefix(application.name)}" for t, n in aborts.items())}
  lost, doubled, different   {zeros[0]}, {zeros[1]}, {zeros[2]}
{facts.passed} passed, {facts.failed} failed""", flush=True)
    if not given.keep and not facts.failed:
        shutil.rmtree(directory)
    return 1 if facts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
