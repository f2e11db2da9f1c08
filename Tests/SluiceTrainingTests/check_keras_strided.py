"""Holds `strided` against Keras, and writes what Keras makes of it to Goldens/keras-strided.json for the Swift test:
KERAS_BACKEND=torch python3 check_keras_strided.py (keras, torch). On JAX Keras carries no state in `fit` (3.15.1).

A stateful layer without shuffling, reset at each epoch, one sequence per chunk: row i of a batch goes on from row i of the
batch before. Keras knows neither rows of unequal length nor resets of one row, so there are none here; its one bias stands
for PyTorch's two, which both are updated: it moves twice as far.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy
import torch

from make_goldens import write, packed

INPUTS, HIDDEN, CHUNK, ROWS, BATCHES, EPOCHS = 2, 3, 4, 3, 5, 10
RATE, MOMENTUM = 0.05, 0.9


class SGD(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        twice = variable.path.endswith("lstm_cell/bias")
        super().update_step(gradient, variable, learning_rate * (2 if twice else 1))


class LSTM(keras.layers.LSTM):
    """On PyTorch, Keras writes the carried state over the very tensor that the gradient needs: take a copy."""

    def inner_loop(self, sequences, initial_state, mask, training=False):
        copies = [keras.ops.stop_gradient(keras.ops.copy(state)) for state in initial_state]
        return super().inner_loop(sequences, copies, mask, training)


def by_keras(x, y, start):
    lstm = LSTM(HIDDEN, stateful=True, return_sequences=True)
    dense = keras.layers.Dense(1)
    model = keras.Sequential([keras.Input(batch_shape=(ROWS, CHUNK, INPUTS)), lstm, dense])
    ih, hh, bias_ih, bias_hh, head, head_bias = [tensor.numpy() for tensor in start.values()]
    lstm.set_weights([ih.T, hh.T, bias_ih + bias_hh])
    dense.set_weights([head.T, head_bias])
    model.compile(SGD(RATE, momentum=MOMENTUM), keras.losses.BinaryCrossentropy(from_logits=True))
    losses = []
    for _ in range(EPOCHS):
        lstm.reset_state()
        losses += model.fit(x, y, ROWS, epochs=1, shuffle=False, verbose=0).history["loss"]
    (ih, hh, bias), (head, head_bias) = lstm.get_weights(), dense.get_weights()
    return losses, [ih.T, hh.T, bias, head.T, head_bias]


def by_torch(x, y, start):
    lstm, linear = torch.nn.LSTM(INPUTS, HIDDEN, batch_first=True), torch.nn.Linear(HIDDEN, 1)
    parameters = list(lstm.parameters()) + list(linear.parameters())
    with torch.no_grad():
        for parameter, value in zip(parameters, start.values()):
            parameter.copy_(value)
    optimizer = torch.optim.SGD(parameters, RATE, MOMENTUM)
    losses = []
    for _ in range(EPOCHS):
        state, total = None, 0
        for batch in range(0, ROWS * BATCHES, ROWS):
            rows = slice(batch, batch + ROWS)
            out, (h, c) = lstm(torch.tensor(x[rows]), state)
            state = (h.detach(), c.detach())
            loss = torch.nn.functional.binary_cross_entropy_with_logits(linear(out), torch.tensor(y[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / BATCHES
        losses.append(total)
    ih, hh, bias_ih, bias_hh, head, head_bias = [parameter.detach().numpy() for parameter in parameters]
    return losses, [ih, hh, bias_ih + bias_hh, head, head_bias]


torch.manual_seed(3)
lstm, linear = torch.nn.LSTM(INPUTS, HIDDEN), torch.nn.Linear(HIDDEN, 1)
start = {f"lstm.{k}": v.detach() for k, v in lstm.named_parameters()}
start |= {f"head.{k}": v.detach() for k, v in linear.named_parameters()}
count = CHUNK * ROWS * BATCHES
x = torch.randn(count, INPUTS)
# The label needs what was seen by the same row a batch earlier.
label = (x[:, 0].roll(CHUNK * ROWS) + x[:, 1] > 0).float()
shaped = x.numpy().reshape(-1, CHUNK, INPUTS), label.numpy().reshape(-1, CHUNK, 1)

losses, end = by_keras(*shaped, start)
for name, own, reference in zip(
    ["losses", "kernel", "recurrent", "bias", "head", "head bias"], [losses] + end,
    [(torch_side := by_torch(*shaped, start))[0]] + torch_side[1],
):
    error = numpy.abs(numpy.subtract(own, reference)).max() / numpy.abs(reference).max()
    print(f"{name}: Keras on {keras.backend.backend()} differs from PyTorch by {error:.1e}")
    assert error < 1e-4
names = ["lstm.weight_ih_l0", "lstm.weight_hh_l0", "bias", "head.weight", "head.bias"]
write("keras-strided", packed({
    "inputs": x, "labels": label, "start": start, "losses": torch.tensor(losses),
    "end": {name: torch.tensor(value.copy()) for name, value in zip(names, end)},
}))
