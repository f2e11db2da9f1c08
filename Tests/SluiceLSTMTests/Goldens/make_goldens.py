"""Writes forward.json: what torch.nn.LSTM and torch.nn.Linear give for parameters and inputs drawn as Draws in
Support.swift draws them, so that only results need to be stored. Run: python make_goldens.py (torch, CPU)."""

import json
import pathlib

import torch

MASK = (1 << 64) - 1


class Draws:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        return ((z >> 40) - (1 << 23)) / (1 << 23)

    def tensor(self, shape, scale=1.0):
        count = 1
        for size in shape:
            count *= size
        return (torch.tensor([self.next() for _ in range(count)]) * scale).reshape(shape)


def case(seed, inputs, hidden, layers, outputs=2, rows=2, steps=12):
    draws = Draws(seed)
    amplitude = 2.0 ** -((hidden.bit_length() - 1) // 2)
    lstm, head = torch.nn.LSTM(inputs, hidden, layers), torch.nn.Linear(hidden, outputs)
    with torch.no_grad():
        for layer in range(layers):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                parameter = getattr(lstm, f"{name}_l{layer}")
                parameter.copy_(draws.tensor(parameter.shape, amplitude))
        for parameter in (head.weight, head.bias):
            parameter.copy_(draws.tensor(parameter.shape, amplitude))
        x = draws.tensor((steps, rows, inputs), 2.0)
        y, (h, c) = lstm(x)
        sizes = {"seed": seed, "inputs": inputs, "hidden": hidden, "layers": layers, "outputs": outputs}
        results = {"output": head(y), "h": h, "c": c}
        return {**sizes, "rows": rows, "steps": steps, **{k: v.flatten().tolist() for k, v in results.items()}}


cases = [
    case(100 * layers + hidden, inputs, hidden, layers)
    for layers in (1, 2, 3)
    for hidden, inputs in ((1, 1), (5, 3), (16, 17), (64, 8), (200, 3))
]
path = pathlib.Path(__file__).with_name("forward.json")
path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
