"""Two instances of one service: each answers for the streams of the other, too."""

import json
import signal

import kit
import observations
from administration import path, problem
from application import Application
from models import Model


def check(tools):
    if tools.cluster.embedded:
        return
    app = Application(tools, "instances", Model("point", 1, 4, ["temperature", "load"], ["temperature"], [1], "none"))
    app.make_topics()
    port, services = kit.free_port(), []
    app.write("second.yaml", admin={"listen": f"127.0.0.1:{port}"},
              state={"directory": "./second", "checkpoint": "1s"})
    try:
        services.append(kit.Service(tools.sluice, app.directory, app.port))
        services.append(kit.Service(tools.sluice, app.directory, port, config="second.yaml"))
        tools.facts("two instances are ready", all(s.ready for s in services), app.log())
        homes = kit.wait(lambda: shared(services, tools.cluster.partitions(app.input)))
        if not tools.facts("they share the partitions", homes, [s.get("/v1/partitions").text for s in services]):
            return
        signals = observations.Signal(5)
        streams = {f"pump/{i} ü": signals.stream(20) for i in range(24)}
        for stream, value, mark, timestamp in observations.interleaved(streams):
            app.put(stream, value, mark, timestamp)
        app.cluster.flush()
        through_either(tools.facts, app, services, homes, list(streams))
        imports(tools.facts, services, homes, list(streams))
        gone(tools.facts, services)
    finally:
        for service in services:
            service.end(signal.SIGKILL)


def shared(services, count):
    """The partitions of each instance once both have some and all are live; nothing before."""
    lists = [s.get("/v1/partitions").json()["partitions"] for s in services]
    homes = [{p["partition"] for p in found if p["state"] == "live"} for found in lists]
    return homes if all(homes) and sum(map(len, homes)) == count and not homes[0] & homes[1] else None


def through_either(facts, app, services, homes, streams):
    """Looking, exporting and resetting: the same wherever one asks."""
    seen = lambda s, stream: s.get(path(stream)).json().get("step") == 20
    facts("every stream is shown by both", kit.wait(lambda: all(seen(s, x) for s in services for x in streams)),
          [s.get(path(x)).text[:100] for s in services for x in streams][:4])
    places = {x: services[0].get(path(x)).json()["partition"] for x in streams}
    facts("some streams live on the one, some on the other",
          all(any(p in home for p in places.values()) for home in homes), places)
    slots = [[s.get(path(x, "?state=full")).json() for x in streams] for s in services]
    facts("both show the same slots", slots[0] == slots[1])
    exports = [[s.get(path(x, "/export")).content for x in streams] for s in services]
    facts("both export the same states", exports[0] == exports[1] and all(e[:4] == b"SLOT" for e in exports[0]))
    earlier = [[s.get(path(x, f"/export?offset={slot['offset']}")) for x, slot in zip(streams[:8], slots[0])]
               for s in services]
    facts("both rebuild the same earlier states",
          [e.content for e in earlier[0]] == [e.content for e in earlier[1]]
          and all(e.status_code == 200 for e in earlier[0] + earlier[1]), [e.text[:100] for e in earlier[1]])
    answers = [services[i % 2].post(path(x, "/reset")) for i, x in enumerate(streams)]
    facts("either resets any stream, on its partition",
          all(a.status_code == 200 and a.json()["partition"] == places[x] for a, x in zip(answers, streams)),
          [a.text for a in answers if a.status_code != 200][:3])
    far = next(x for x in streams if places[x] in homes[1])
    shown = app.sluice("streams", "show", far, "--url", services[0].url, "--json")
    facts("sluice streams show through the other instance",
          shown.returncode == 0 and json.loads(shown.stdout)["resets"] == 1, shown.stderr)
    for service in services:
        problem(facts, "a stream that neither knows", service.get(path("nobody")), 404)


def imports(facts, services, homes, streams):
    near, far = (min(home) for home in homes)
    stream = next(x for x in streams if services[0].get(path(x)).json()["partition"] in homes[1])
    state = services[0].get(path(stream, "/export")).content
    problem(facts, "an import to a partition where the stream of another instance does not live",
            services[0].post(path(stream, f"/import?partition={near}"), data=state), 400)
    answer = services[0].post(path(stream, "/import"), data=state)
    facts("an import through the other instance", answer.status_code == 200, answer.text)
    answer = services[0].post(path("new", f"/import?partition={far}"), data=state)
    facts("an import of a new stream to the other's partition",
          answer.status_code == 200 and answer.json()["partition"] == far, answer.text)
    facts("which has it then", services[1].get(path("new")).json().get("partition") == far
          and services[0].get(path("new")).json().get("partition") == far)


def gone(facts, services):
    """What may live where nobody answers is not called unknown, until the group has given it to another."""
    services[1].end(signal.SIGKILL)
    problem(facts, "a stream that a dead instance may have", services[0].get(path("nobody")), 503)
    facts("once its partitions have moved, it is 404",
          kit.wait(lambda: services[0].get(path("nobody")).status_code == 404), services[0].get(path("nobody")).text)
