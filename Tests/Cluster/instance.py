"""One `sluice serve` process in a folder of its own, as its operator and its enemies see it."""

import json
import os
import shutil
import signal
import time

import kit
import requests

SESSION = 6


class Instance:
    """Number `number` of an application: `running`, `paused` (stopped by SIGSTOP) or neither."""

    def __init__(self, application, number):
        self.application, self.number = application, number
        self.directory = os.path.join(application.directory, str(number))
        os.makedirs(self.directory)
        self.port = kit.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process, self.running, self.paused, self.deaths = None, False, False, 0
        configuration = application.configuration | {"admin": {"listen": f"127.0.0.1:{self.port}"}}
        with open(os.path.join(self.directory, "sluice.yaml"), "w") as file:
            json.dump(configuration, file, indent=2)
        self.register()

    def register(self):
        """All models of the application, as its operator copies them to each instance."""
        models = os.path.join(self.directory, "state", "models")
        os.makedirs(models)
        for version in self.application.models:
            shutil.copy(self.application.model_file(version), models)

    def start(self, model):
        self.process = kit.Process(self.application.sluice, "serve", "--model", self.application.model_file(model),
                                   cwd=self.directory, log="serve.log")
        self.running = True

    def kill(self):
        self.running = False
        self.process.end(signal.SIGKILL)

    def stop(self):
        """Ends it in order; answers its exit code."""
        self.running = False
        return self.process.end()

    def pause(self):
        self.process.process.send_signal(signal.SIGSTOP)
        self.paused = True

    def go_on(self):
        self.process.process.send_signal(signal.SIGCONT)
        self.paused = False

    def wipe(self):
        """Deletes its state directory; the models come back."""
        shutil.rmtree(os.path.join(self.directory, "state"))
        self.register()

    def died(self):
        """Whether it has ended by itself."""
        if self.running and self.process.process.poll() is not None:
            self.running, self.deaths = False, self.deaths + 1
            return True
        return False

    def partitions(self):
        """The partitions that it has, live ones only; empty while it does not answer."""
        answer = self.ask("GET", "/v1/partitions", patience=2)
        if answer is None or answer.status_code != 200:
            return {}
        return {p["partition"]: p for p in answer.json()["partitions"] if p["state"] == "live"}

    def ask(self, method, path, patience=15, **more):
        """An answer over HTTP; None for none."""
        if not self.running or self.paused:
            return None
        try:
            return requests.request(method, self.url + path, timeout=patience, **more)
        except requests.RequestException:
            return None

    def log(self):
        path = os.path.join(self.directory, "serve.log")
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as file:
            return file.read()


def live(instances, partitions, patience=90):
    """Waits until the running instances have every partition live between them; the seconds that took, or None."""
    began = time.monotonic()

    def all_live():
        found = [p for i in instances if i.running and not i.paused for p in i.partitions()]
        return sorted(found) == list(range(partitions)) or any(
            i.running and i.process.process.poll() is not None for i in instances)

    return time.monotonic() - began if kit.wait(all_live, patience) else None
