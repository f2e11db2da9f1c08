"""Writes Goldens/*.json with plain PyTorch loops in float32: python3 make_goldens.py (torch).

Each case: a data set of streams with boundaries (segments of unequal lengths), initial parameters, and, under one carry
policy, the losses of 50 updates, the outputs and gradient of the first and the third batch, the parameters at the end.
"""

import json
import pathlib

import torch

HERE = pathlib.Path(__file__).parent / "Goldens"
INPUTS, HIDDEN, CHUNK, ROWS, UPDATES = 3, 5, 6, 4, 50
SEGMENTS = [[9, 4, 13], [1, 6, 11, 3], [17], [2, 8]]  # lengths between boundaries, by stream
QUANTILES = [0.1, 0.5, 0.9]
CLASSES = 3
HORIZONS = [1, 2]


def outputs(head):
    return {"point": 2, "gaussian": 4, "quantile": 6, "binary": 1, "categorical": 3}[head]


def loss(head, out, y):
    """Mean over what is not masked; y [steps, width], NaN masked."""
    if head == "binary":
        keep = ~y[:, 0].isnan()
        return torch.nn.functional.binary_cross_entropy_with_logits(out[keep, 0], y[keep, 0])
    if head == "categorical":
        y = torch.where(y[:, 0].isnan(), -1, y[:, 0]).long()
        return torch.nn.functional.cross_entropy(out, y, ignore_index=-1)
    keep = ~y.isnan()
    if head == "point":
        return torch.nn.functional.mse_loss(out[keep], y[keep])
    out = out.reshape(len(out), y.shape[1], -1)[keep]
    if head == "gaussian":
        return torch.nn.functional.gaussian_nll_loss(out[:, 0], y[keep], out[:, 1].exp(), eps=0)
    error = y[keep][:, None] - out
    q = torch.tensor(QUANTILES)
    return torch.maximum(q * error, (q - 1) * error).mean()


class Case:
    def __init__(self, policy, layers, head, learned):
        torch.manual_seed(7)
        self.policy, self.layers, self.head, self.learned = policy, layers, head, learned
        self.lstm, self.linear = torch.nn.LSTM(INPUTS, HIDDEN, layers), torch.nn.Linear(HIDDEN, outputs(head))
        self.initial = [torch.nn.Parameter(0.3 * torch.randn(layers, HIDDEN)) for _ in "hc"] if learned else []
        self.streams = []
        for lengths in SEGMENTS:
            n = sum(lengths)
            x = torch.randn(n, INPUTS)
            target = torch.randn(n)
            target[torch.rand(n) < 0.1] = float("nan")
            label = torch.randint(0, 2 if head == "binary" else CLASSES, (n,)).float()
            label[torch.rand(n) < 0.1] = -1
            self.streams.append((x, target, label, lengths))

    def named(self):
        tensors = {f"lstm.{k}": v for k, v in self.lstm.named_parameters()}
        tensors |= {f"head.{k}": v for k, v in self.linear.named_parameters()}
        return tensors | dict(zip(["initial_state.h", "initial_state.c"], self.initial))

    def segments(self):
        for index, (x, target, label, lengths) in enumerate(self.streams):
            start = 0
            for length in lengths:
                y = torch.full((length, len(HORIZONS)), float("nan"))
                if self.head in ("binary", "categorical"):
                    y = label[start:start + length, None].clone()
                    y[y == -1] = float("nan")
                else:
                    for k, horizon in enumerate(HORIZONS):
                        if length > horizon:
                            y[:length - horizon, k] = target[start + horizon:start + length]
                yield x[start:start + length], y
                start += length

    def batches(self):
        """Lists of (x, y, lane, resets), in order, never shuffled."""
        segments = list(self.segments())
        if self.policy == "per-batch":
            chunks = [(x[i:i + CHUNK], y[i:i + CHUNK]) for x, y in segments for i in range(0, len(x), CHUNK)]
            for i in range(0, len(chunks), ROWS):
                yield [(x, y, lane, True) for lane, (x, y) in enumerate(chunks[i:i + ROWS])]
            return
        lanes = [(segments.pop(0), 0) for _ in range(ROWS)]
        while any(lanes):
            batch = []
            for lane, work in enumerate(lanes):
                if work is None:
                    continue
                (x, y), at = work
                batch.append((x[at:at + CHUNK], y[at:at + CHUNK], lane, at == 0))
                at += CHUNK
                lanes[lane] = ((x, y), at) if at < len(x) else ((segments.pop(0), 0) if segments else None)
            yield batch

    def start(self):
        return tuple(self.initial) if self.learned else tuple(torch.zeros(self.layers, HIDDEN) for _ in "hc")

    def run(self):
        record = {"start": {k: v.flatten().tolist() for k, v in self.named().items()}, "losses": []}
        optimizer = torch.optim.Adam(self.named().values(), lr=1e-3)
        update = 0
        while update < UPDATES:
            states = {}
            for batch in self.batches():
                outs, ys = [], []
                for x, y, lane, resets in batch:
                    state = self.start() if resets else tuple(s.detach() for s in states[lane])
                    out, states[lane] = self.lstm(x, state)
                    outs.append(self.linear(out))
                    ys.append(y)
                value = loss(self.head, torch.cat(outs), torch.cat(ys))
                if torch.cat(ys).isnan().all():
                    continue
                # As with torch.where(resets, initial, carried): a batch without a reset has a zero gradient, not none.
                optimizer.zero_grad(set_to_none=False)
                value.backward()
                record["losses"].append(value.item())
                torch.nn.utils.clip_grad_norm_(self.named().values(), 1.0)
                if update in (0, 2):
                    record[f"outputs{update}"] = torch.cat(outs).flatten().tolist()
                    record[f"gradient{update}"] = {k: v.grad.flatten().tolist() for k, v in self.named().items()}
                optimizer.step()
                update += 1
                if update == UPDATES:
                    break
        record["end"] = {k: v.flatten().tolist() for k, v in self.named().items()}
        record["data"] = [
            {
                "inputs": x.flatten().tolist(), "targets": [None if v != v else v for v in target.tolist()],
                "labels": label.tolist(), "lengths": lengths,
            } for x, target, label, lengths in self.streams
        ]
        return record


def rounded(value):
    """Eight digits are within half a unit in the last place of a float32 and keep the files small."""
    if isinstance(value, float):
        return float(f"{value:.8g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


HERE.mkdir(exist_ok=True)
for policy in ("per-batch", "across-batches"):
    for layers in (1, 2):
        for head in ("point", "gaussian", "quantile", "binary", "categorical"):
            for learned in (False, True) if head == "point" else (False,):
                name = f"{policy}-{layers}-{head}{'-learned' if learned else ''}"
                text = json.dumps(rounded(Case(policy, layers, head, learned).run()), separators=(",", ":"))
                (HERE / f"{name}.json").write_text(text)
