#!/usr/bin/env python3
"""Feeds a running service through Kafka as any user would and holds what comes out against the product contract."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import types

import heads
import instances
import kit
import life
import refusals
import rejects

PARTS = {"life": life.check, "rejects": rejects.check, "refusals": refusals.check, "heads": heads.check,
         "instances": instances.check}


def embedded(sluice):
    """`sluice broker` on a free port: the process and its address."""
    process = subprocess.Popen([sluice, "broker", "--port", "0"], stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sluice", required=True, help="the program")
    parser.add_argument("--bootstrap", help="a Kafka cluster; without it 'sluice broker' is started")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; repeatable")
    parser.add_argument("--delivery", default="at-least-once", help="delivery in the configuration")
    parser.add_argument("--keep", action="store_true", help="keep the folder with configurations and logs")
    options = parser.parse_args()

    facts, broker, bootstrap = kit.Facts(), None, options.bootstrap
    if not bootstrap:
        broker, bootstrap = embedded(options.sluice)
    directory = tempfile.mkdtemp(prefix="sluice-contract-")
    try:
        cluster = kit.Cluster(bootstrap)
        print(f"{'embedded broker' if cluster.embedded else 'cluster'} at {bootstrap}; files in {directory}")
        tools = types.SimpleNamespace(sluice=os.path.abspath(options.sluice), cluster=cluster, facts=facts,
                                      directory=directory, delivery=options.delivery, run=f"c{int(time.time())}")
        for name in options.only or PARTS:
            try:
                PARTS[name](tools)
            except Exception:
                facts(f"{name}: runs to its end", False, traceback.format_exc(limit=-3))
    finally:
        if broker:
            broker.terminate()
    print(f"{facts.passed} passed, {facts.failed} failed")
    if not options.keep and not facts.failed:
        shutil.rmtree(directory)
    return 1 if facts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
