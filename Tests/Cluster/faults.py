"""What goes wrong: one thing a round, at a random moment, all from one seed."""

import random
import shlex
import subprocess
import time

from application import PARTITIONS
from instance import SESSION, live


class Faults:
    def __init__(self, application, operators, facts, seed, broker_command=None, brokers=(1,)):
        self.application, self.operators, self.facts = application, operators, facts
        self.random = random.Random(f"faults/{seed}")
        self.broker_command, self.brokers = broker_command, brokers
        self.counts = dict.fromkeys(["kill -9", "all killed", "state deleted", "zombie", "join", "clean stop", "broker kill -9",
                                     "broker stop"], 0)
        self.bag, self.owners, self.moved = [], {}, 0

    def round(self, number):
        """One fault; then every partition must be live again and whoever should run must run."""
        time.sleep(self.random.uniform(0.5, 4))
        what = self.draw()
        began = time.monotonic()
        said = what()
        self.rejoin()
        # The group notices a little later.
        time.sleep(2)
        back = live(self.application.instances, PARTITIONS)
        seconds = time.monotonic() - began
        self.facts(f"round {number}: {said}; all partitions live again", back is not None,
                   {i.number: sorted(i.partitions()) for i in self.application.running})
        print(f"        {seconds:.1f} s; partitions by instance: {self.owned()}", flush=True)
        for instance in self.application.instances:
            if instance.died():
                self.facts(f"round {number}: instance {instance.number} runs on", False, instance.log()[-900:])
                instance.start(self.operators.model)
        self.operators.agree(self.application.answering)

    def owned(self):
        """The partitions of each running instance; those that are not where they were a round ago are counted."""
        owned = {i.number: sorted(i.partitions()) for i in self.application.running}
        owners = {p: number for number, partitions in owned.items() for p in partitions}
        self.moved += sum(owners[p] != self.owners.get(p, owners[p]) for p in owners)
        self.owners = owners
        return owned

    def draw(self):
        """Each kind about as often as it stands here, in random order."""
        if not self.bag:
            self.bag = [self.kill, self.kill, self.kill, self.blackout, self.zombie, self.zombie, self.join, self.leave]
            if self.broker_command:
                self.bag += [self.broker]
            self.random.shuffle(self.bag)
        return self.bag.pop()

    def kill(self):
        victim = self.random.choice(self.application.running)
        victim.kill()
        self.counts["kill -9"] += 1
        pause = self.random.choice([0, self.random.uniform(0, 3), self.random.uniform(SESSION, SESSION + 3)])
        time.sleep(pause)
        wiped = self.random.random() < 0.4
        if wiped:
            victim.wipe()
            self.counts["state deleted"] += 1
        victim.start(self.operators.model)
        said = f"kill -9 of {victim.number}, back after {pause:.1f} s{' without its state' if wiped else ''}"
        if self.random.random() < 0.3:
            time.sleep(self.random.uniform(0.1, 1.5))
            victim.kill()
            victim.start(self.operators.model)
            self.counts["kill -9"] += 1
            said += ", and once more while it restores"
        return said

    def blackout(self):
        """All at once, as when a rack loses its power: nobody is there to take over."""
        victims = list(self.application.running)
        for victim in victims:
            victim.kill()
        self.counts["kill -9"] += len(victims)
        self.counts["all killed"] += 1
        pause = self.random.uniform(0, SESSION + 2)
        time.sleep(pause)
        for victim in victims:
            victim.start(self.operators.model)
        return f"kill -9 of all {len(victims)}, back after {pause:.1f} s"

    def zombie(self):
        """Stopped past the session's end, so that others take over; then it wakes up in the middle of things."""
        if len(self.application.running) == 1:
            self.start_one()
        victim = self.random.choice(self.application.running)
        victim.pause()
        self.counts["zombie"] += 1
        pause = SESSION + self.random.uniform(1, 8)
        time.sleep(pause)
        victim.go_on()
        return f"SIGSTOP of {victim.number} for {pause:.1f} s"

    def start_one(self):
        resting = [i for i in self.application.instances if not i.running]
        if not resting:
            return None
        instance = self.random.choice(resting)
        instance.start(self.operators.model)
        self.counts["join"] += 1
        return instance.number

    def join(self):
        number = self.start_one()
        return self.leave() if number is None else f"{number} joins"

    def leave(self):
        if len(self.application.running) == 1:
            return self.join()
        instance = self.random.choice(self.application.running)
        code = instance.stop()
        self.counts["clean stop"] += 1
        self.facts.equal(f"SIGTERM of {instance.number}: exit code 0", code, 0)
        return f"{instance.number} leaves"

    def broker(self):
        broker, how = self.random.choice(self.brokers), self.random.choice(["kill", "stop"])
        self.command(how, broker)
        self.counts["broker kill -9" if how == "kill" else "broker stop"] += 1
        pause = self.random.uniform(0, 4)
        time.sleep(pause)
        self.command("start", broker)
        return f"{how} of broker {broker}, back after {pause:.1f} s"

    def command(self, *words):
        subprocess.run([*shlex.split(self.broker_command), *map(str, words)], check=True, timeout=300,
                       stdout=subprocess.DEVNULL)

    def rejoin(self):
        """A single instance is dull: half of the time another one comes."""
        if len(self.application.running) == 1 and self.random.random() < 0.5:
            self.start_one()

    def last_one(self):
        """Stops all but one in order, which then has everything."""
        *others, last = self.random.sample(self.application.running, len(self.application.running))
        for instance in others:
            self.facts.equal(f"SIGTERM of {instance.number}: exit code 0", instance.stop(), 0)
        return last
