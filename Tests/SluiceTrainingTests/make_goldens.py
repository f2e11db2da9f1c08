"""Writes Goldens/*.json with plain PyTorch loops in float32: python3 make_goldens.py (torch).

inputs.json: the data (streams with boundaries, segments of unequal lengths) and the parameters to start from.
<arrangement>-<layers>.json: for each head and initial state, one pass over the data with those parameters (outputs in the
order of the rows, the loss of each batch, the sum of the batches' gradients) and the parameters after 50 updates.
optimizers.json: the parameters after 50 updates with other optimizers and with dropout; the rates of schedules.
Arrays are float32, little-endian, in base64.
"""

import base64
import json
import pathlib
import struct

import torch

from draws import Draws, xxh64

HERE = pathlib.Path(__file__).parent / "Goldens"
INPUTS, HIDDEN, CHUNK, ROWS, UPDATES, SEED = 2, 3, 4, 3, 50, 11
SEGMENTS = [[7, 3, 13], [1, 5], [11], [2, 4]]  # lengths between boundaries, by stream
QUANTILES = [0.1, 0.5, 0.9]
CLASSES = 3
HORIZONS = [1, 2]
HEADS = {"point": 2, "gaussian": 4, "quantile": 6, "binary": 1, "categorical": CLASSES}  # outputs
INITIAL_STATES = ["zero", "normal", "uniform", "learned", "learned+noise"]
DEVIATION, LOW, HIGH = 0.5, -0.25, 1.0
ARRANGEMENTS = ["per-batch", "across-batches", "across-batches-strided", "across-sequences"]


def make_streams():
    torch.manual_seed(7)
    streams = []
    for lengths in SEGMENTS:
        n = sum(lengths)
        target, labels = torch.randn(n), {"binary": 2, "categorical": CLASSES}
        target[torch.rand(n) < 0.1] = float("nan")
        labels = {k: torch.where(torch.rand(n) < 0.1, -1, torch.randint(0, c, (n,))).float() for k, c in labels.items()}
        streams.append({"inputs": torch.randn(n, INPUTS), "targets": target, "lengths": lengths} | labels)
    return streams


def make_start(layers, head):
    torch.manual_seed(10 * layers + len(head))
    lstm, linear = torch.nn.LSTM(INPUTS, HIDDEN, layers), torch.nn.Linear(HIDDEN, HEADS[head])
    tensors = {f"lstm.{k}": v for k, v in lstm.named_parameters()} | {f"head.{k}": v for k, v in linear.named_parameters()}
    tensors |= {f"initial_state.{k}": 0.3 * torch.randn(layers, HIDDEN) for k in "hc"}
    return {k: v.detach() for k, v in tensors.items()}


STREAMS = make_streams()
STARTS = {f"{layers}-{head}": make_start(layers, head) for layers in (1, 2) for head in HEADS}


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


class Chunk:
    """Consecutive steps of one segment; `begins`: at its boundary."""

    def __init__(self, stream, segment, first, x, y):
        self.stream, self.segment, self.first, self.x, self.y = stream, segment, first, x, y
        self.begins = first == segment


def segments(head):
    """The chunks of each segment."""
    for index, stream in enumerate(STREAMS):
        start = 0
        for length in stream["lengths"]:
            end = start + length
            y = torch.full((length, len(HORIZONS)), float("nan"))
            if head in ("binary", "categorical"):
                y = stream[head][start:end, None].clone()
                y[y == -1] = float("nan")
            else:
                for k, horizon in enumerate(HORIZONS):
                    if length > horizon:
                        y[:length - horizon, k] = stream["targets"][start + horizon:end]
            yield [
                Chunk(index, start, i, stream["inputs"][i:min(i + CHUNK, end)], y[i - start:min(i + CHUNK, end) - start])
                for i in range(start, end, CHUNK)
            ]
            start = end


class Model:
    def __init__(self, layers, head, initial, dropout=0.0):
        self.layers, self.head, self.initial, self.dropout = layers, head, initial, dropout
        self.lstm, self.linear = torch.nn.LSTM(INPUTS, HIDDEN, layers), torch.nn.Linear(HIDDEN, HEADS[head])
        start = STARTS[f"{layers}-{head}"]
        with torch.no_grad():
            for name, tensor in self.lstm.named_parameters():
                tensor.copy_(start[f"lstm.{name}"])
            for name, tensor in self.linear.named_parameters():
                tensor.copy_(start[f"head.{name}"])
        self.learned = (
            [torch.nn.Parameter(start[f"initial_state.{k}"].clone()) for k in "hc"] if "learned" in initial else [])

    def named(self):
        tensors = {f"lstm.{k}": v for k, v in self.lstm.named_parameters()}
        tensors |= {f"head.{k}": v for k, v in self.linear.named_parameters()}
        return tensors | dict(zip(["initial_state.h", "initial_state.c"], self.learned))

    def start(self, chunk, epoch):
        """(h, c) for a row that resets: the draws of that row in that epoch."""
        base = self.learned or [torch.zeros(self.layers, HIDDEN) for _ in "hc"]
        key = Draws.keyed(SEED, Draws.INITIAL_STATE).forked(epoch + 1)
        key = key.forked(xxh64(f"stream {chunk.stream}".encode())).forked(chunk.first)

        def noise(part):
            units = [[key.forked(2 * layer + part).forked(unit) for unit in range(HIDDEN)] for layer in range(self.layers)]
            if self.initial in ("normal", "learned+noise"):
                return torch.tensor([[DEVIATION * draw.normal() for draw in row] for row in units])
            if self.initial == "uniform":
                middle, half = (LOW + HIGH) / 2, (HIGH - LOW) / 2
                return torch.tensor([[middle + half * draw.uniform() for draw in row] for row in units])
            return 0

        return tuple(tensor + noise(part) for part, tensor in enumerate(base))

    def __call__(self, chunk, state, epoch):
        if self.dropout == 0:
            out, state = self.lstm(chunk.x, state)
        else:
            out, state = self.with_dropout(chunk, state, epoch)
        return self.linear(out), state

    def with_dropout(self, chunk, state, epoch):
        """Two layers, with the mask of each observation between them."""
        lower, upper = torch.nn.LSTM(INPUTS, HIDDEN), torch.nn.LSTM(HIDDEN, HIDDEN)
        named = dict(self.lstm.named_parameters())
        layer = lambda index: {k: named[k.replace("l0", f"l{index}")] for k in dict(lower.named_parameters())}
        part = lambda index: tuple(s[index:index + 1] for s in state)
        out, first = torch.func.functional_call(lower, layer(0), (chunk.x, part(0)))
        mask = torch.zeros_like(out)
        for step in range(len(out)):
            draws = Draws.keyed(SEED, Draws.DROPOUT).forked(epoch).forked(chunk.stream).forked(chunk.first + step)
            mask[step] = torch.tensor([float(draws.fraction() >= self.dropout) for _ in range(HIDDEN)])
        out, second = torch.func.functional_call(upper, layer(1), (mask * out / (1 - self.dropout), part(1)))
        return out, tuple(torch.cat(pair) for pair in zip(first, second))


def detached(state):
    return tuple(tensor.detach() for tensor in state)


def epoch_of(model, arrangement, epoch):
    """Runs each batch of an epoch, never shuffled: yields outputs and targets, row after row."""
    by_segment = list(segments(model.head))
    chunks = [chunk for segment in by_segment for chunk in segment]
    in_order = [chunks[i:i + ROWS] for i in range(0, len(chunks), ROWS)]
    if arrangement == "per-batch":
        for batch in in_order:
            yield [model(chunk, model.start(chunk, epoch), epoch)[0] for chunk in batch], batch
    elif arrangement == "across-batches-strided":
        states = [None] * ROWS
        for batch in in_order:
            outs = []
            for row, chunk in enumerate(batch):
                reset = chunk.begins or states[row] is None
                state = model.start(chunk, epoch) if reset else detached(states[row])
                out, states[row] = model(chunk, state, epoch)
                outs.append(out)
            yield outs, batch
    elif arrangement == "across-batches":
        lanes, states = [by_segment.pop(0) for _ in range(ROWS)], [None] * ROWS
        while any(lanes):
            outs, batch = [], []
            for lane in range(ROWS):
                if not lanes[lane]:
                    continue
                chunk = lanes[lane].pop(0)
                state = model.start(chunk, epoch) if chunk.begins else detached(states[lane])
                out, states[lane] = model(chunk, state, epoch)
                outs.append(out)
                batch.append(chunk)
                if not lanes[lane] and by_segment:
                    lanes[lane] = by_segment.pop(0)
            yield outs, batch
    else:
        state = None
        for batch in in_order:
            outs = []
            state = state and detached(state)
            for chunk in batch:
                out, state = model(chunk, model.start(chunk, epoch) if chunk.begins else state, epoch)
                outs.append(out)
            yield outs, batch


def evaluate(model, outs, batch):
    """The batch's outputs and loss, nil where all is masked."""
    out, y = torch.cat(outs), torch.cat([chunk.y for chunk in batch])
    return out, None if y.isnan().all() else loss(model.head, out, y)


def one_pass(model, arrangement):
    outputs, losses = [], []
    for outs, batch in epoch_of(model, arrangement, 0):
        out, value = evaluate(model, outs, batch)
        outputs.append(out.flatten())
        if value is not None:
            value.backward()
            losses.append(value.detach())
    gradients = {k: v.grad.clone() for k, v in model.named().items()}
    return {"outputs": torch.cat(outputs), "losses": torch.stack(losses), "gradients": gradients}


def updates(model, arrangement, optimizer, clip=1.0):
    """The parameters after as many updates."""
    update, epoch = 0, 0
    while True:
        for outs, batch in epoch_of(model, arrangement, epoch):
            _, value = evaluate(model, outs, batch)
            if value is None:
                continue
            # As with torch.where(resets, initial, carried): a batch without a reset has a zero gradient, not none.
            optimizer.zero_grad(set_to_none=False)
            value.backward()
            torch.nn.utils.clip_grad_norm_(model.named().values(), clip)
            optimizer.step()
            update += 1
            if update == UPDATES:
                return {k: v.detach() for k, v in model.named().items()}
        epoch += 1


def case(arrangement, layers, head, initial):
    record = one_pass(Model(layers, head, initial), arrangement)
    model = Model(layers, head, initial)
    return record | {"end": updates(model, arrangement, torch.optim.Adam(model.named().values(), lr=1e-3))}


def optimizers():
    optim = torch.optim
    made = {
        "sgd": (0, lambda p: optim.SGD(p, lr=1e-2, momentum=0.9)),
        "sgd-decay": (0, lambda p: optim.SGD(p, lr=1e-2, momentum=0.5, weight_decay=0.1)),
        "adam-decay": (0, lambda p: optim.Adam(p, lr=1e-3, weight_decay=0.1)),
        "adamw": (0, lambda p: optim.AdamW(p, lr=1e-3)),
        "rmsprop": (0, lambda p: optim.RMSprop(p, lr=1e-3)),
        "dropout": (0.3, lambda p: optim.Adam(p, lr=1e-3)),
    }
    ends = {}
    for name, (dropout, make) in made.items():
        model = Model(2, "point", "zero", dropout)
        ends[name] = updates(model, "across-batches", make(list(model.named().values())))
    return ends


def schedules():
    """The rate of each epoch, given the losses that were seen at its end."""
    losses = [1 / (1 + 0.3 * min(epoch, 8)) + 0.01 * (epoch % 3) for epoch in range(29)]
    made = {
        "step": lambda o: torch.optim.lr_scheduler.StepLR(o, 4, 0.3),
        "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 30),
        "reduce-on-plateau": lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.3, patience=4),
    }
    rates = {}
    for name, make in made.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)
        schedule = make(optimizer)
        rates[name] = [optimizer.param_groups[0]["lr"]]
        for value in losses:
            optimizer.step()
            schedule.step(*([value] if name == "reduce-on-plateau" else []))
            rates[name].append(optimizer.param_groups[0]["lr"])
    return {"losses": losses, "rates": rates}


def packed(value):
    if isinstance(value, torch.Tensor):
        values = value.flatten().tolist()
        return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
    return {k: packed(v) for k, v in value.items()} if isinstance(value, dict) else value


def write(name, value):
    (HERE / f"{name}.json").write_text(json.dumps(value, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    write("inputs", {"streams": [packed(s) for s in STREAMS], "starts": packed(STARTS)})
    write("optimizers", {"ends": packed(optimizers()), "schedules": schedules()})
    for arrangement in ARRANGEMENTS:
        for layers in (1, 2):
            cases = {f"{h}-{s}": packed(case(arrangement, layers, h, s)) for h in HEADS for s in INITIAL_STATES}
            write(f"{arrangement}-{layers}", cases)
