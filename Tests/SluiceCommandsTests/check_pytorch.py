"""Compares `sluice score` with PyTorch: models saved by the safetensors library, streams with boundaries.

    python check_pytorch.py path/to/sluice

Needs torch, numpy and safetensors; run by hand, since it needs no golden to be kept: every value of every file is
compared with nn.LSTM and nn.Linear, within 1e-5 of the file's largest output, for 1 to 3 layers and H of 1, 5, 16, 64
and 200. It also scores each file with several --batch values and expects the same bytes.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

INPUTS, TARGETS, HORIZONS = 3, ["a", "b"], [1, 4]


class Network(torch.nn.Module):
    def __init__(self, hidden, layers):
        super().__init__()
        self.lstm = torch.nn.LSTM(INPUTS, hidden, layers, batch_first=True)
        self.head = torch.nn.Linear(hidden, len(TARGETS) * len(HORIZONS))

    def forward(self, x):
        return self.head(self.lstm(x)[0])


def sequences():
    """Streams cut into sequences by boundaries, their rows interleaved: (stream, x [N, I], starts)."""
    streams = []
    for stream in range(5):
        x = torch.randn(40 + 13 * stream, INPUTS)
        starts = [0] + sorted({7 + 3 * stream, 21, 22, 38})
        streams.append((f"s{stream}", x, starts))
    return streams


def write(path, streams):
    rows = []
    for name, x, starts in streams:
        for step, values in enumerate(x.tolist()):
            row = {"stream": name, "time": step * 1000, "values": dict(zip("abc", values))}
            # A boundary is a start mark, or the end mark of the row before.
            if step in starts[1:] and step % 2 == 0:
                row["boundary"] = "start"
            if step + 1 in starts[1:] and (step + 1) % 2 == 1:
                row["boundary"] = "end"
            rows.append((step, name, row))
    rows.sort(key=lambda row: row[:2])
    path.write_text("".join(json.dumps(row) + "\n" for _, _, row in rows))


def expected(network, streams):
    answers = {}
    for name, x, starts in streams:
        for first, last in zip(starts, starts[1:] + [len(x)]):
            out = network(x[None, first:last])[0]
            for step in range(first, last):
                answers[name, step] = out[step - first].tolist()
    return answers


def check(sluice, folder, hidden, layers):
    network = Network(hidden, layers).eval()
    manifest = {"format": 1, "name": "torch", "version": "v1", "inputs": list("abc"), "targets": TARGETS,
                "horizons": HORIZONS, "head": "point", "quantiles": [], "initial_state": "zero", "scaling": "none"}
    model, data, out = folder / "model.safetensors", folder / "in.ndjson", folder / "out.ndjson"
    save_file(dict(network.state_dict()), model, metadata={"sluice.model": json.dumps(manifest)})
    streams = sequences()
    write(data, streams)
    outputs = set()
    for batch in (1, 3, 64, 4096):
        subprocess.run([sluice, "score", "--model", model, "--input", data, "--output", out, "--batch", str(batch)],
                       check=True, stderr=subprocess.DEVNULL)
        outputs.add(out.read_bytes())
    assert len(outputs) == 1, "the same bytes for every batch"
    with torch.no_grad():
        wanted = expected(network, streams)
    seen, worst = {}, 0.0
    for line in out.read_text().splitlines():
        prediction = json.loads(line)
        step = seen[prediction["stream"]] = seen.get(prediction["stream"], -1) + 1
        values = [forecast["value"] for forecast in prediction["forecast"]]
        worst = max(worst, *(abs(a - b) for a, b in zip(values, wanted[prediction["stream"], step], strict=True)))
    assert sum(seen.values()) + len(seen) == len(wanted), "one prediction an observation"
    return worst / max(abs(value) for values in wanted.values() for value in values)


def main():
    torch.manual_seed(0)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for layers in (1, 2, 3):
            for hidden in (1, 5, 16, 64, 200):
                error = check(sys.argv[1], Path(folder), hidden, layers)
                failed |= error > 1e-5
                print(f"layers {layers}  hidden {hidden:3}  error {error:.1e}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
