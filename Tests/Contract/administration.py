"""Looking and resetting: over HTTP and with `sluice streams`."""

import json
import math
import os
from urllib.parse import quote

import numpy as np
import yaml

import kit
import observations

SUMMARY = ["stream", "partition", "step", "sequence", "time", "forecast", "anomaly", "error"]
SLOT = SUMMARY + ["offset", "model", "boundary", "resets", "norms", "saturation", "scaler", "recent"]
PARTITION = ["partition", "owner", "offset", "end", "lag", "state", "progress", "checkpoint_age_ms"]


def path(stream, end=""):
    return f"/v1/streams/{quote(stream, safe='')}{end}"


def look(app, expected, folded):
    """Every GET of the contract against the fold."""
    facts, service = app.tools.facts, app.service
    listed = lists(facts, service, folded)
    last = {}
    for place, prediction in expected.items():
        last[prediction["stream"]] = (place, prediction)
    wrong = {}
    for stream, summary in listed.items():
        place, prediction = last[stream]
        must = {"partition": place[0], "step": folded.slots[stream].step, "sequence": prediction["sequence"],
                "time": prediction["time"]}
        seen = {name: summary[name] for name in must}
        if seen != must or list(summary) != SUMMARY or not math.isclose(
                summary["forecast"], prediction["forecast"][0]["value"], rel_tol=2e-5):
            wrong[stream] = (summary, must)
    facts("the list says partition, step, sequence, time and forecast of each stream", not wrong, wrong)
    shows(facts, service, last, folded)
    for url, status in [("/healthz", 200), ("/readyz", 200)]:
        facts.equal(f"GET {url}", service.get(url).status_code, status)
    partitions = kit.wait(lambda: [p for p in [service.get("/v1/partitions").json()["partitions"]]
                                   if all(x["offset"] == x["end"] for x in p)], 20)
    facts("partitions: each with owner, offset at its end, no lag, live",
          partitions and [p["partition"] for p in partitions[0]] == list(range(len(partitions[0])))
          and all(set(p) == set(PARTITION) and p["owner"] and p["lag"] == 0 and p["state"] == "live"
                  and p["progress"] == 1 and p["checkpoint_age_ms"] >= 0 for p in partitions[0]),
          service.get("/v1/partitions").text)
    prometheus(facts, service)
    paths = yaml.safe_load(service.get("/openapi.yaml").text)["paths"]
    facts("/openapi.yaml describes the paths", {"/v1/streams", "/v1/streams/{key}", "/v1/streams/{key}/reset",
                                                "/v1/streams/reset", "/v1/partitions", "/metrics"} <= set(paths), paths)
    problem(facts, "an unknown stream", service.get(path("nobody")), 404)
    problem(facts, "a stream that has ended", service.get(path("ended-for-good")), 404)
    problem(facts, "an unknown path", service.get("/v1/nothing"), 404)
    problem(facts, "a limit that is no number", service.get("/v1/streams?limit=x"), 400)


def problem(facts, what, response, status):
    body = response.json() if "json" in response.headers.get("Content-Type", "") else {}
    facts(f"{what} is a problem with status {status}",
          response.status_code == status and body.get("status") == status and body.get("title")
          and response.headers["Content-Type"].startswith("application/problem+json"),
          f"{response.status_code} {response.headers.get('Content-Type')} {response.text}")


def lists(facts, service, folded):
    """The list whole, by prefix and in pages; the whole list by stream."""
    whole = service.get("/v1/streams?limit=1000").json()
    names = [s["stream"] for s in whole["streams"]]
    facts.equal("GET /v1/streams names every stream that has not ended", sorted(names), sorted(folded.slots))
    facts.equal("next is null on the last page", whole["next"], None)
    prefixed = [s["stream"] for s in service.get("/v1/streams?prefix=header").json()["streams"]]
    facts.equal("prefix", sorted(prefixed), sorted(n for n in names if n.startswith("header")))
    pages, after = [], ""
    while after is not None and len(pages) < 100:
        page = service.get("/v1/streams", params={"limit": 3} | ({"after": after} if after else {})).json()
        pages.append([s["stream"] for s in page["streams"]])
        after = page["next"]
    facts("limit and after: pages of three, each stream once, in one order",
          sum(pages, []) == names and all(len(p) == 3 for p in pages[:-1]), pages)
    return {s["stream"]: s for s in whole["streams"]}


def shows(facts, service, last, folded):
    """Each stream's slot, also under a key that needs percent-encoding."""
    wrong = {}
    for stream, slot in folded.slots.items():
        seen = service.get(path(stream) + "?state=full").json()
        place, prediction = last[stream]
        if set(seen) != set(SLOT + ["h", "c"]) or seen["offset"] != place[1] or seen["step"] != slot.step:
            wrong[stream] = {k: v for k, v in seen.items() if k != "recent"}
            continue
        near = lambda a, b: np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-4, atol=1e-5)
        scalers = [s for s in slot.scalers]
        for name, must in [("h", slot.h), ("c", slot.c), ("norms.h", np.linalg.norm(slot.h, axis=1)),
                           ("norms.c", np.linalg.norm(slot.c, axis=1)), ("scaler.mean", [s.mean for s in scalers])]:
            value = seen
            for member in name.split("."):
                value = value[member]
            if not near(value, must):
                wrong[stream] = (name, value, must)
        if seen["model"] != folded.model.version or seen["resets"] != slot.resets or not seen["recent"]:
            wrong[stream] = {k: seen[k] for k in ("model", "resets", "recent")}
    facts(f"GET of {len(folded.slots)} streams with ?state=full: members, fence, h and c (layers x H), norms, scaler",
          not wrong, dict(list(wrong.items())[:2]))
    without = service.get(path(observations.ODD_KEY)).json()
    facts.equal("a key with slash, percent sign, quotes and letters beyond ASCII, without state",
                (without.get("stream"), "h" in without), (observations.ODD_KEY, False))


def prometheus(facts, service):
    text = service.get("/metrics").text
    samples = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    numbers = all(isinstance(float(value), float) for _, value in samples)
    facts("/metrics is Prometheus text with metrics of sluice",
          numbers and any(name.startswith("sluice_") for name, _ in samples), text[:200])


def command_line(app):
    """`sluice streams` prints the HTTP bodies, and tables for people."""
    facts, service = app.tools.facts, app.service
    run = lambda *arguments: app.sluice("streams", *arguments, "--url", service.url)
    listed = run("list", "--prefix", "header", "--json")
    facts.equal("sluice streams list --json is the HTTP body", json.loads(listed.stdout or "{}"),
                service.get("/v1/streams?prefix=header").json())
    shown = run("show", observations.ODD_KEY, "--json")
    facts.equal("sluice streams show --json is the HTTP body", json.loads(shown.stdout or "{}"),
                service.get(path(observations.ODD_KEY)).json())
    table = run("list")
    facts("sluice streams list is a table without colour", table.returncode == 0 and "plain" in table.stdout
          and "\x1b" not in table.stdout, table.stdout + table.stderr)
    unknown = run("show", "nobody")
    facts("sluice streams show of an unknown stream: exit code 1, says so",
          unknown.returncode == 1 and "nobody" in unknown.stderr, (unknown.returncode, unknown.stderr))
    counted = run("reset", "--prefix", "header", "--dry-run", "--json")
    facts.equal("sluice streams reset --dry-run --json counts", json.loads(counted.stdout or "{}").get("matched"), 2)


def reset(app, tails):
    """Resets of one stream, of an unknown one, by prefix and from the command line; answers how many were fed."""
    facts, service = app.tools.facts, app.service
    answer = service.post(path(observations.ODD_KEY, "/reset"))
    body = answer.json()
    end = [m for m in tails["in"].records if m.key().decode() == observations.ODD_KEY][-1]
    facts("a reset: 200 with id, stream, partition, offset", answer.status_code == 200
          and set(body) == {"id", "stream", "partition", "offset"} and body["stream"] == observations.ODD_KEY
          and body["partition"] == end.partition() and body["offset"] > end.offset(), answer.text)
    events = tails["events"].until(lambda rs: [json.loads(r.value()) for r in rs if body["id"] in r.value().decode()])
    facts("a reset is on the events topic with the same partition and offset, and says who and when",
          events and all(events[0].get(n) == body[n] for n in body) and events[0].get("by") and events[0].get("time"),
          events)
    facts.equal("after the reset step is 0", service.get(path(observations.ODD_KEY)).json()["step"], 0)
    problem(facts, "a reset of an unknown stream", service.post(path("nobody", "/reset")), 404)
    problem(facts, "a reset of many without saying which", service.post("/v1/streams/reset", json={}), 400)
    dry = service.post("/v1/streams/reset", json={"prefix": "header", "dry_run": True})
    facts.equal("a dry run matches and changes nothing",
                (dry.json().get("matched"), service.get(path("header")).json()["step"] > 0), (2, True))
    many = service.post("/v1/streams/reset", json={"prefix": "header"})
    facts("a reset by prefix: 202 with id and matched", many.status_code == 202 and many.json()["matched"] == 2
          and many.json()["id"], many.text)
    kit.wait(lambda: all(service.get(path(s)).json()["step"] == 0 for s in ("header", "header-wins")))
    by_hand = app.sluice("streams", "reset", "plain", "--url", service.url, "--json")
    facts.equal("sluice streams reset --json is the HTTP body", set(json.loads(by_hand.stdout or "{}")),
                {"id", "stream", "partition", "offset"})
    streams = {s: observations.Signal(3).stream(3, observations.START + 29 * observations.MINUTE)
               for s in (observations.ODD_KEY, "header", "header-wins", "plain", "every")}
    number = 0
    for stream, value, mark, timestamp in observations.interleaved(streams):
        app.put(stream, value, mark, timestamp)
        number += 1
    app.cluster.flush()
    return number


def move(app):
    """A state that is exported, taken back behind a reset, and given to another stream; answers how many were fed."""
    facts, service = app.tools.facts, app.service
    step = lambda stream: service.get(path(stream)).json()["step"]
    now = app.sluice("streams", "export", "plain", "--url", service.url, "--output", "now.slot", "--json")
    told = json.loads(now.stdout or "{}")
    facts("sluice streams export --json says what the file holds", told.get("stream") == "plain"
          and told.get("step") == step("plain") and told.get("file") == "now.slot", now.stdout + now.stderr)
    with open(os.path.join(app.directory, "now.slot"), "rb") as file:
        held = file.read()
    again = service.get(path("plain", f"/export?offset={told.get('offset')}"))
    facts("the state of now is what the log gives, folded again",
          again.status_code == 200 and again.content[20:] == held[20:], (again.status_code, len(again.content)))
    before = step("plain")
    reset = service.post(path("plain", "/reset")).json()
    number = more(app, ["plain"], 32, 3)
    facts("after a reset and three observations the step is 3", kit.wait(lambda: step("plain") == 3), step("plain"))
    earlier = app.sluice("streams", "export", "plain", "--at", str(reset["offset"]), "--url", service.url,
                         "--output", "before.slot")
    facts("sluice streams export --at says how far it goes", earlier.returncode == 0
          and f"before offset {reset['offset']}: step {before}" in earlier.stdout, earlier.stdout + earlier.stderr)
    taken = app.sluice("streams", "import", "before.slot", "--url", service.url, "--json")
    facts.equal("sluice streams import --json is the HTTP body", set(json.loads(taken.stdout or "{}")),
                {"id", "stream", "partition", "offset"})
    facts.equal("a reset is taken back by the state before it", step("plain"), before)
    other = app.sluice("streams", "import", "before.slot", "--as", "every", "--url", service.url)
    facts("another stream goes on from it", other.returncode == 0 and step("every") == before,
          (other.stdout, other.stderr, step("every")))
    problem(facts, "an import into a stream nobody has seen", service.post(path("nobody", "/import"), data=held), 404)
    problem(facts, "an import of something else", service.post(path("plain", "/import"), data=b"SLOT"), 400)
    problem(facts, "a state that is not there yet", service.get(path("plain", "/export?offset=1000000")), 400)
    problem(facts, "an export of an unknown stream", service.get(path("nobody", "/export")), 404)
    return number + more(app, ["plain", "every"], 35, 3)


def more(app, streams, minute, count):
    """Feeds some observations to each of the streams."""
    start = observations.START + minute * observations.MINUTE
    fed = {stream: observations.Signal(5).stream(count, start) for stream in streams}
    number = 0
    for stream, value, mark, timestamp in observations.interleaved(fed):
        app.put(stream, value, mark, timestamp)
        number += 1
    app.cluster.flush()
    return number
