"""Models of the contract: made with numpy, written by the safetensors library, stepped in double."""

import json

import numpy as np
import safetensors.numpy

from reference import sigmoid


class Model:
    def __init__(self, head, layers, hidden, inputs, targets, horizons, scaling, classes=0, seed=0):
        self.head, self.layers, self.hidden, self.inputs = head, layers, hidden, inputs
        self.targets, self.horizons, self.scaling, self.classes = targets, horizons, scaling, classes
        self.quantiles = [0.1, 0.5, 0.9] if head == "quantile" else []
        self.version = f"{head}-{seed}"
        width = {"point": 1, "gaussian": 2, "quantile": len(self.quantiles)}.get(head)
        outputs = len(targets) * len(horizons) * width if width else {"binary": 1}.get(head, classes)
        draw = np.random.default_rng(seed)
        self.tensors = {}
        for layer in range(layers):
            rows, columns = 4 * hidden, len(inputs) if layer == 0 else hidden
            for name, shape in [("weight_ih", (rows, columns)), ("weight_hh", (rows, hidden)),
                                ("bias_ih", (rows,)), ("bias_hh", (rows,))]:
                self.tensors[f"lstm.{name}_l{layer}"] = draw.uniform(-0.6, 0.6, shape).astype(np.float32)
        self.tensors["head.weight"] = draw.uniform(-0.8, 0.8, (outputs, hidden)).astype(np.float32)
        self.tensors["head.bias"] = draw.uniform(-0.5, 0.5, (outputs,)).astype(np.float32)
        if scaling == "global":
            self.tensors["scaler.mean"] = np.array([20, 0.5], np.float32)
            self.tensors["scaler.scale"] = np.array([5, 0.25], np.float32)

    def write(self, path):
        manifest = {
            "format": 1, "name": "contract", "version": self.version, "inputs": self.inputs, "targets": self.targets,
            "horizons": self.horizons, "head": self.head, "quantiles": self.quantiles, "initial_state": "zero",
            "scaling": self.scaling,
        }
        if self.head == "categorical":
            manifest["classes"] = self.classes
        safetensors.numpy.save_file(self.tensors, path, metadata={"sluice.model": json.dumps(manifest)})

    def tensor(self, name):
        return self.tensors[name].astype(np.float64)

    def scaled(self, slot, index, value):
        if self.scaling == "per-stream":
            return slot.scalers[index].z(value)
        if self.scaling == "global":
            return (value - self.tensor("scaler.mean")[index]) / self.tensor("scaler.scale")[index]
        return value

    def step(self, slot, x):
        """One step of every layer and the head's outputs; the slot's h and c become the new ones."""
        for layer in range(self.layers):
            gates = sum(self.tensor(f"lstm.bias_{side}_l{layer}") for side in ("ih", "hh"))
            gates = gates + self.tensor(f"lstm.weight_ih_l{layer}") @ x
            gates = gates + self.tensor(f"lstm.weight_hh_l{layer}") @ slot.h[layer]
            i, f, g, o = np.split(gates, 4)
            slot.c[layer] = sigmoid(f) * slot.c[layer] + sigmoid(i) * np.tanh(g)
            slot.h[layer] = sigmoid(o) * np.tanh(slot.c[layer])
            x = slot.h[layer]
        return self.tensor("head.weight") @ x + self.tensor("head.bias")

    def forecast(self, slot, out):
        """The forecast's entries, target-major, then horizon; `width` is what a surprise is measured by."""
        if self.head == "binary":
            return [sigmoid(out[0])]
        if self.head == "categorical":
            share = np.exp(out - out.max())
            return list(share / share.sum())
        entries, at = [], 0
        for target in self.targets:
            index = self.inputs.index(target)
            mean, scale = 0.0, 1.0
            if self.scaling == "per-stream":
                mean, scale = slot.scalers[index].mean, slot.scalers[index].width
            elif self.scaling == "global":
                mean, scale = (float(self.tensors[f"scaler.{name}"][index]) for name in ("mean", "scale"))
            for horizon in self.horizons:
                entry = {"target": target, "horizon": horizon}
                if self.head == "quantile":
                    low, middle, high = sorted(out[at:at + 3] * scale + mean)
                    entry |= {"value": middle, "quantiles": {"0.1": low, "0.9": high}, "width": high - low}
                elif self.head == "gaussian":
                    deviation = np.exp(out[at + 1] / 2) * scale
                    entry |= {"value": out[at] * scale + mean, "deviation": deviation, "width": deviation}
                else:
                    entry |= {"value": out[at] * scale + mean, "width": slot.scalers[index].width}
                at += {"quantile": 3, "gaussian": 2, "point": 1}[self.head]
                entries.append(entry)
        return entries
