"""Writes Goldens/ with PyTorch and the safetensors library: python3 make_goldens.py (torch, safetensors, numpy)."""

import json
import pathlib

import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent / "Goldens"
here.mkdir(exist_ok=True)


class Network(torch.nn.Module):
    def __init__(self, inputs, hidden, layers, outputs):
        super().__init__()
        self.lstm = torch.nn.LSTM(inputs, hidden, layers)
        self.head = torch.nn.Linear(hidden, outputs)


torch.manual_seed(1)
network = Network(2, 3, 2, 2)
manifest = {
    "format": 1, "name": "pumps", "version": "v7", "inputs": ["temperature", "load"], "targets": ["temperature"],
    "horizons": [1, 6], "head": "point", "quantiles": [], "initial_state": "zero", "scaling": "none",
}
metadata = {"sluice.model": json.dumps(manifest), "format": "pt"}
save_file(network.state_dict(), here / "point.safetensors", metadata=metadata)

network = Network(2, 2, 1, 6)
manifest = {
    "format": 1, "name": "größe \"x\"", "version": "v1", "inputs": ["a", "b"], "targets": ["b"], "horizons": [1, 3],
    "head": "quantile", "quantiles": [0.1, 0.5, 0.9], "initial_state": "learned", "scaling": "global",
    "note": {"by": ["x"]},
}
tensors = network.state_dict() | {
    "initial_state.h": torch.full((1, 2), 0.25), "initial_state.c": torch.full((1, 2), -0.5),
    "scaler.mean": torch.tensor([1.0, 2.0]), "scaler.scale": torch.tensor([0.5, 4.0]),
}
save_file(tensors, here / "quantile.safetensors", metadata={"sluice.model": json.dumps(manifest)})

expected = {name: tensor.flatten().tolist() for name, tensor in tensors.items()}
(here / "quantile.json").write_text(json.dumps(expected))
for name, changes in {
    "bidirectional": {"bidirectional": True}, "projections": {"proj_size": 1}, "no-bias": {"bias": False},
    "half": {"dtype": torch.float16},
}.items():
    module = torch.nn.Module()
    module.lstm = torch.nn.LSTM(1, 2, **changes)
    module.head = torch.nn.Linear(2, 1)
    manifest = {"format": 1, "inputs": ["x"], "targets": ["x"], "head": "point"}
    save_file(module.state_dict(), here / f"{name}.safetensors", metadata={"sluice.model": json.dumps(manifest)})
