"""Compares what a topic or a file holds with what the fold says."""

import json
import re
from decimal import Decimal

import numpy as np

MEMBERS = ["stream", "time", "sequence", "step", "warm", "model", "forecast", "anomaly", "source"]
FLOAT = re.compile(r'"\\u0000(.*?)\\u0000"')


def shortest(token):
    """Whether a number is the shortest that parses back to the same Float, with a fraction or an exponent."""
    unique = np.format_float_scientific(np.float32(token), unique=True)
    return Decimal(token) == Decimal(unique) and any(c in token for c in ".eE")


def form(text):
    """What is wrong with the form of a prediction; None if nothing is."""
    tokens = []

    def keep(token):
        tokens.append(token)
        return f"\0{token}\0"

    value = json.loads(text, parse_float=keep)
    names = [n if n != "forecast" or n in value else "probabilities" for n in MEMBERS]
    if list(value) != names:
        return f"members {list(value)}"
    if list(value["source"]) != ["topic", "partition", "offset"]:
        return f"source {value['source']}"
    for entry in value.get("forecast", []):
        order = [n for n in ("target", "horizon", "value", "quantiles", "deviation") if n in entry]
        if list(entry) != order or order[:3] != ["target", "horizon", "value"]:
            return f"forecast {list(entry)}"
        if not all(isinstance(n, str) for n in [entry["value"], *entry.get("quantiles", {}).values()]):
            return f"a number without fraction in {entry}"
    wrong = [t for t in tokens if not shortest(t)]
    if wrong:
        return f"numbers {wrong}"
    again = FLOAT.sub(r"\1", json.dumps(value, separators=(",", ":"), ensure_ascii=False))
    return None if again == text else f"written otherwise: {again}"


def numbers(forecast):
    """All numbers of a forecast or of probabilities, in order."""
    out = []
    for entry in forecast:
        if isinstance(entry, dict):
            out += [entry["value"], *entry.get("quantiles", {}).values()]
            out += [entry["deviation"]] if "deviation" in entry else []
        else:
            out.append(entry)
    return [float(n) for n in out]


def largest(expected):
    """The largest output of all: roundings are measured by it."""
    return max((abs(n) for prediction in expected for n in numbers(prediction["forecast"])), default=1)


def difference(seen, expected, model, scale):
    """What differs between a prediction and what the fold says by more than 1e-5 of `scale`; None if nothing does."""
    for name in ("stream", "time", "sequence", "step", "warm"):
        if expected[name] is not None or name == "sequence":
            if seen[name] != expected[name]:
                return f"{name} is {seen[name]!r}, not {expected[name]!r}"
    if seen["model"] != model.version:
        return f"model is {seen['model']!r}"
    forecast = seen.get("forecast", seen.get("probabilities"))
    labels = [(e["target"], e["horizon"], list(e.get("quantiles", {}))) for e in forecast if isinstance(e, dict)]
    wanted = [(e["target"], e["horizon"], list(e.get("quantiles", {}))) for e in expected["forecast"]
              if isinstance(e, dict)]
    if labels != wanted:
        return f"forecasts of {labels}"
    have, must = np.array(numbers(forecast)), np.array(numbers(expected["forecast"]))
    if have.shape != must.shape or np.abs(have - must).max() > 1e-5 * scale:
        return f"numbers {have.tolist()}, not {must.tolist()}"
    # Roundings of the forecast move single surprises over the edge of a bin, hence the room; null is null exactly.
    a, b = seen["anomaly"], expected["anomaly"]
    if (a is None) != (b is None) or (a is not None and abs(a - b) > 0.02):
        return f"anomaly is {a}, not {b}"
    return None


def by_source(records):
    """The values of predictions by (partition, offset) of their source: all of them, repeats too."""
    found = {}
    for record in records:
        text = record.value().decode() if hasattr(record, "value") else record
        source = json.loads(text)["source"]
        found.setdefault((source["partition"], source["offset"]), []).append(text)
    return found
