#!/usr/bin/env python3
"""Clicks through the dashboard of a running demo in headless Chromium and takes pictures of it.

README.md beside it says what it needs. The exit code is 0 if everything was as it should be; every check is a line.
"""

import argparse
import contextlib
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from playwright.sync_api import Error, expect, sync_playwright

STREAM = "temperature/seattle"
# Machines are slow at times; nothing here waits for luck, everything for a condition.
PATIENCE = 60_000
# Keeps what the policy refuses, on every page before its own scripts run.
WATCH_POLICY = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


class Checks:
    """What was looked at, and how it was."""

    def __init__(self):
        self.failed = 0

    def check(self, holds, name):
        print(("ok      " if holds else "FAILED  ") + name, flush=True)
        self.failed += not holds

    @contextlib.contextmanager
    def step(self, name):
        """A step holds if nothing in it raises; the ones behind it are tried all the same."""
        try:
            yield
            self.check(True, name)
        except (AssertionError, Error) as error:
            self.check(False, f"{name}: {error}")


class Demo:
    """`sluice demo`, from its start until it answers."""

    def __init__(self, binary, duration, port):
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [binary, "demo", "--duration", str(duration), "--port", str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # The demo's screen would fill its pipe and stop it.
        self.output = []
        threading.Thread(target=lambda: self.output.extend(self.process.stdout), daemon=True).start()

    def wait(self):
        for _ in range(240):
            if self.process.poll() is not None:
                sys.exit("the demo ended by itself:\n" + "".join(self.output))
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                if urllib.request.urlopen(self.address + "/readyz", timeout=5).status == 200:
                    return
            time.sleep(0.5)
        sys.exit("the demo is not ready:\n" + "".join(self.output))

    def stop(self):
        """Asks it to end; the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=120)
        return time.monotonic() - began


class Looks:
    """A page with what it complained of, and pictures of it."""

    def __init__(self, browser, folder, name, scheme, width, height, scale=1):
        self.folder, self.name = folder, name
        self.context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": height}, device_scale_factor=scale)
        self.context.add_init_script(WATCH_POLICY)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self.note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def note(self, line):
        if line.type in ("error", "warning"):
            self.complaints.append(line.text)

    def open(self, address, fragment=""):
        self.page.goto(address + "/" + fragment)
        self.live()

    def live(self):
        expect(self.page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)

    def picture(self, name):
        self.page.screenshot(path=self.folder / f"{self.name}-{name}.png", full_page=True)

    def is_quiet(self):
        """Whether it has complained of nothing since this was asked last."""
        complaints = self.complaints + self.page.evaluate("window.refused")
        self.complaints = []
        if complaints:
            print("        " + "\n        ".join(complaints))
        return not complaints

    def fits(self):
        return self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stream_address(key=STREAM):
    return "#/stream/" + key.replace("/", "%2F")


def check_overview(checks, looks):
    page = looks.page
    with checks.step("overview: the rate is above zero"):
        page.wait_for_function("parseFloat(document.querySelector('.tile .value').textContent) > 0")
    with checks.step("overview: six streams, the model and four live partitions"):
        expect(page.locator(".tile", has_text="Streams").locator(".value")).to_have_text("6", timeout=PATIENCE)
        expect(page.locator(".tile", has_text="Active model").locator(".value")).to_have_text(re.compile("^v"))
        expect(page.locator("section", has=page.get_by_role("heading", name="Partitions")).locator("tbody tr")
               .filter(has_text="live")).to_have_count(4, timeout=PATIENCE)
    with checks.step("overview: the demo's own reset is in the audit"):
        expect(page.locator("section", has=page.get_by_role("heading", name="Audit")).locator("tbody tr")
               .filter(has_text="demo")).to_have_count(1, timeout=PATIENCE)


def check_streams(checks, looks):
    page = looks.page
    page.get_by_role("navigation").get_by_role("link", name="Streams").click()
    with checks.step("streams: a row and a line of values for each"):
        expect(page.locator("tbody tr")).to_have_count(6, timeout=PATIENCE)
        page.wait_for_function(
            "[...document.querySelectorAll('tbody .spark-line')].every((line) => line.getAttribute('d').length > 20)")
    looks.picture("streams")
    with checks.step("streams: found by prefix, and the address says so"):
        page.get_by_label("Key begins with").fill("temp")
        expect(page.locator("tbody tr")).to_have_count(2, timeout=PATIENCE)
        assert page.evaluate("location.hash") == "#/streams?prefix=temp"
        page.get_by_label("Key begins with").fill("nobody")
        expect(page.locator("main .empty")).to_contain_text("begins with “nobody”", timeout=PATIENCE)
    with checks.step("streams: a link finds the same streams"):
        looks.open(looks.address, "#/streams?prefix=machine%2F")
        expect(page.locator("tbody tr")).to_have_count(4, timeout=PATIENCE)
    with checks.step("streams: pages, back and forth"):
        looks.open(looks.address, "#/streams?after=machine%2Fnetwork")
        expect(page.locator("tbody tr")).to_have_count(3, timeout=PATIENCE)
        page.get_by_role("button", name="First").click()
        expect(page.locator("tbody tr")).to_have_count(6, timeout=PATIENCE)
        page.go_back()
        expect(page.locator("tbody tr")).to_have_count(3, timeout=PATIENCE)


def check_stream(checks, looks):
    page = looks.page
    looks.open(looks.address, "#/streams")
    page.get_by_role("link", name=STREAM).click()
    with checks.step("stream: observations, forecast, interval, anomaly and boundaries are drawn"):
        for part in ["path.observed", "path.forecast", "path.interval"]:
            page.wait_for_function(f"(document.querySelector('.chart {part}')?.getAttribute('d') ?? '').length > 200")
        expect(page.locator(".chart text.boundary").first).to_have_text("daily")
        assert page.locator(".chart rect.anomaly").count() > 50
    with checks.step("stream: it is live"):
        fence = page.locator(".facts div", has_text="Fence").locator("dd")
        before = fence.inner_text()
        expect(fence).not_to_have_text(before, timeout=PATIENCE)
        assert int(fence.inner_text()) > int(before)
    with checks.step("stream: the chart is read with the keys"):
        page.locator(".chart").focus()
        page.keyboard.press("Home")
        expect(page.locator("#readout dt").first).to_have_text("Time")
        page.keyboard.press("End")
        expect(page.locator("#readout dt").first).to_have_text("Ahead")
        page.keyboard.press("Escape")
        expect(page.locator("#readout dt").first).to_have_text("Latest")
    looks.picture("stream")
    with checks.step("stream: how much is shown stands in the address"):
        page.get_by_label("Observations shown").select_option("256")
        assert page.evaluate("location.hash").endswith("?last=256")
        page.reload()
        looks.live()
        expect(page.get_by_label("Observations shown")).to_have_value("256")
        page.get_by_label("Observations shown").select_option("128")
    with checks.step("stream: one that was never seen is said to be none"):
        looks.open(looks.address, stream_address("no/such stream"))
        expect(page.locator("main .empty")).to_contain_text("No such stream", timeout=PATIENCE)
        # The browser itself notes every 404.
        looks.complaints = [line for line in looks.complaints if "404" not in line]


def check_reset(checks, looks):
    page = looks.page
    looks.open(looks.address, stream_address())
    button = page.get_by_role("button", name="Reset…")
    expect(button).to_be_enabled(timeout=PATIENCE)
    resets = lambda: page.locator(".chart text.command")
    with checks.step("reset: it asks first, and Escape is no"):
        button.click()
        expect(page.locator("#reset")).to_be_visible()
        expect(page.locator("#reset-cancel")).to_be_focused()
        expect(page.locator("#reset-key")).to_have_text(STREAM)
        page.screenshot(path=looks.folder / f"{looks.name}-question.png")
        page.keyboard.press("Escape")
        expect(page.locator("#reset")).to_be_hidden()
        # The demo may have reset the same stream: that one moves out of sight.
        expect(resets()).to_have_count(0, timeout=PATIENCE)
    with checks.step("reset: confirmed, it says where it took effect and marks it"):
        button.click()
        page.get_by_role("button", name="Reset stream").click()
        expect(page.locator("main .notice.good")).to_contain_text(re.compile("offset [0-9]+"), timeout=PATIENCE)
        expect(resets().first).to_have_text("reset", timeout=PATIENCE)
    # A few observations behind it, so that the picture shows it in its surroundings.
    page.wait_for_timeout(1_500)
    looks.picture("reset")
    with checks.step("reset: the audit names it"):
        page.get_by_role("link", name="Overview").click()
        expect(page.locator("section", has=page.get_by_role("heading", name="Audit")).locator("tbody tr")
               .filter(has_text=STREAM, has_not_text="demo")).to_have_count(1, timeout=PATIENCE)
    looks.picture("overview")


def check_token(checks, looks):
    """The service here asks for no token: the answers of one that does are put in its place."""
    page = looks.page

    def refuse(route, status, detail, code):
        route.fulfill(
            status=status, content_type="application/problem+json",
            body='{"type":"about:blank","title":"x","status":%d,"detail":"%s","code":"%s"}' % (status, detail, code))

    def guarded(route):
        request = route.request
        token = request.headers.get("authorization")
        if token != "Bearer viewer-token":
            refuse(route, 401, "a token is needed", "token-needed")
        elif request.method == "POST":
            refuse(route, 403, "the role is viewer", "role-missing")
        else:
            route.continue_()

    page.route("**/v1/**", guarded)
    with checks.step("token: it is asked for once, and a wrong one again"):
        page.goto(looks.address + "/" + stream_address())
        expect(page.locator("#token")).to_be_visible(timeout=PATIENCE)
        looks.picture("token")
        for text in ["wrong", "viewer-token"]:
            page.get_by_label("Token", exact=True).fill(text)
            page.get_by_role("button", name="Continue").click()
            if text == "wrong":
                expect(page.locator("#token-reason")).to_contain_text("refuses this token", timeout=PATIENCE)
        expect(page.locator("#token")).to_be_hidden()
        looks.live()
        expect(page.locator("#forget")).to_be_visible(timeout=PATIENCE)
    with checks.step("token: a viewer is told that it may only look"):
        expect(page.get_by_role("button", name="Reset…")).to_be_enabled(timeout=PATIENCE)
        page.get_by_role("button", name="Reset…").click()
        page.get_by_role("button", name="Reset stream").click()
        expect(page.locator("#reset-outcome")).to_have_text("This token may only look.", timeout=PATIENCE)
        expect(page.get_by_role("button", name="Use another token")).to_be_visible()
        page.screenshot(path=looks.folder / f"{looks.name}-viewer.png")
    looks.complaints = [line for line in looks.complaints if "401" not in line and "403" not in line]


def check_states(checks, looks):
    """Conditions the demo does not come into, as an overview would tell of them."""
    page = looks.page

    def restoring(route):
        body = (
            'retry: 60000\n\nevent: overview\ndata: {"time":"2026-01-01T00:05:00Z","instance":"host","rate":0.0,'
            '"latency_ms":null,"lag":null,"streams":0,"predictions":0,"rejects":17,"boundaries":0,"resets":0,'
            '"partitions":{"live":0,"owned":2,"all":4},"model":null,"retraining":"training, epoch 3 of 12",'
            '"last_retraining":"it failed, the active model goes on: the disk is full",'
            '"reasons":["partition 0 is restoring: 41 %","partition 1 is restoring: 7 %"]}\n\n')
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    page.route("**/v1/events*", restoring)
    page.route("**/v1/partitions", lambda route: route.fulfill(
        status=503, content_type="application/problem+json",
        body='{"status":503,"code":"broker","detail":"the service waits for the broker"}'))
    with checks.step("states: not ready, training, unknown figures and a lost connection are said"):
        page.goto(looks.address + "/")
        notices = page.locator("#notices")
        expect(notices).to_contain_text("Not ready: partition 0 is restoring: 41 %.", timeout=PATIENCE)
        expect(notices).to_contain_text("Training, epoch 3 of 12.")
        expect(notices).to_contain_text("Disconnected since", timeout=PATIENCE)
        expect(page.locator("main")).to_contain_text("cannot be listed: the service waits", timeout=PATIENCE)
        expect(page.locator(".tile", has_text="Lag").locator(".value")).to_have_text("–")
        expect(page.locator("main")).to_contain_text("Last retraining: It failed, the active model goes on")
    looks.picture("states")
    looks.complaints = [line for line in looks.complaints if "503" not in line]


def check_all(checks, browser, demo, folder):
    def look(name, *arguments):
        looks = Looks(browser, folder, name, *arguments)
        looks.address = demo.address
        return looks

    light = look("light", "light", 1280, 860)
    light.open(demo.address)
    check_overview(checks, light)
    check_streams(checks, light)
    check_stream(checks, light)
    check_reset(checks, light)
    checks.check(light.is_quiet(), "light: the console is empty and nothing was refused")

    for looks in [look("dark", "dark", 1280, 860), look("narrow", "light", 360, 740, 2)]:
        with checks.step(f"{looks.name}: every page opens and fits"):
            for name, fragment, ready in [
                ("overview", "#/", ".tile"), ("streams", "#/streams", "tbody tr"),
                ("stream", stream_address(), ".chart path.observed"),
            ]:
                looks.open(demo.address, fragment)
                looks.page.locator(ready).first.wait_for()
                looks.page.wait_for_timeout(1_500)
                looks.picture(name)
                assert looks.fits(), f"{name} is wider than the window"
        checks.check(looks.is_quiet(), f"{looks.name}: the console is empty and nothing was refused")
        looks.context.close()

    for name, check in [("token", check_token), ("states", check_states)]:
        looks = look(name, "light", 1280, 860)
        check(checks, looks)
        checks.check(looks.is_quiet(), f"{name}: nothing else on the console, nothing was refused")
        looks.context.close()

    with checks.step("end: the service ends while pages follow it"):
        light.open(demo.address, stream_address())
        seconds = demo.stop()
        print(f"        after {seconds:.1f} s, exit code {demo.process.returncode}")
        assert demo.process.returncode == 0, "".join(demo.output)
    with checks.step("end: the page says that it is disconnected, and since when"):
        expect(light.page.locator("#connection")).to_have_text("Disconnected", timeout=PATIENCE)
        expect(light.page.locator("#notices")).to_contain_text("What is shown is as of")
    light.picture("disconnected")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", help="path of sluice")
    parser.add_argument("--screenshots", type=pathlib.Path, default=pathlib.Path("run/dashboard"), metavar="FOLDER")
    parser.add_argument("--duration", type=int, default=300, help="seconds after which the demo ends if this does not")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--chromium", help="path of the browser; default: the one on the PATH, else playwright's own")
    arguments = parser.parse_args()
    arguments.screenshots.mkdir(parents=True, exist_ok=True)
    names = ["chromium", "chromium-browser", "google-chrome"]
    browser_path = arguments.chromium or next(filter(None, map(shutil.which, names)), None)

    checks = Checks()
    demo = Demo(arguments.binary, arguments.duration, arguments.port or free_port())
    try:
        demo.wait()
        with sync_playwright() as playwright:
            # Chromium's own sandbox does not start for root, as in containers; what it opens here is our own page.
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            check_all(checks, browser, demo, arguments.screenshots)
            browser.close()
    finally:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.wait()
    print("all is as it should be" if checks.failed == 0 else f"{checks.failed} checks failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
