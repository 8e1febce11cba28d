"""PyTorch: its own recurrent layers; for cells that it does not have, what a user would write, in four ways."""

from typing import Tuple

import numpy as np
import torch
from torch import Tensor, nn

import workload_numbers as numbers
from worker import CannotDo, Repeated, serve


def tensor(values):
    return torch.from_numpy(np.ascontiguousarray(values))


def parameter(values):
    return nn.Parameter(tensor(values).clone())


class PeepholeCell(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.input, self.recurrent = parameter(weights["input"].T), parameter(weights["recurrent"].T)
        self.bias = parameter(weights["bias"])
        self.peep_i, self.peep_f, self.peep_o = (parameter(weights["peep_" + gate]) for gate in "ifo")

    def project(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.input, self.bias)

    def forward(self, projected: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        i, f, g, o = (projected + nn.functional.linear(h, self.recurrent)).chunk(4, 1)
        c = torch.sigmoid(f + self.peep_f * c) * c + torch.sigmoid(i + self.peep_i * c) * torch.tanh(g)
        return torch.sigmoid(o + self.peep_o * c) * torch.tanh(c), c


class LayerNormCell(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.input, self.recurrent = parameter(weights["input"].T), parameter(weights["recurrent"].T)
        self.bias = parameter(weights["bias"])
        columns, hidden = weights["bias"].size, weights["recurrent"].shape[0]
        self.norm_input, self.norm_recurrent = nn.LayerNorm(columns), nn.LayerNorm(columns)
        self.norm_c = nn.LayerNorm(hidden)
        # The gates have one bias, which is not inside of a norm.
        self.norm_input.bias.requires_grad_(False)
        self.norm_recurrent.bias.requires_grad_(False)

    def project(self, x: Tensor) -> Tensor:
        return self.norm_input(nn.functional.linear(x, self.input)) + self.bias

    def forward(self, projected: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        i, f, g, o = (projected + self.norm_recurrent(nn.functional.linear(h, self.recurrent))).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(self.norm_c(c)), c


class StepByStep(nn.Module):
    """What one writes first: all of the cell inside the loop."""

    def __init__(self, cell, hidden):
        super().__init__()
        self.cell, self.hidden = cell, hidden

    def forward(self, x: Tensor) -> Tensor:
        h, c = torch.zeros(x.size(1), self.hidden), torch.zeros(x.size(1), self.hidden)
        for t in range(x.size(0)):
            h, c = self.cell(self.cell.project(x[t]), h, c)
        return h


class ProjectedFirst(StepByStep):
    """Products of the input before the loop, by hand. unbind, because the gradient of x[t] writes zeros like all of x."""

    def forward(self, x: Tensor) -> Tensor:
        h, c = torch.zeros(x.size(1), self.hidden), torch.zeros(x.size(1), self.hidden)
        for projected in self.cell.project(x).unbind(0):
            h, c = self.cell(projected, h, c)
        return h


class LastOutput(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, x):
        return self.layers(x)[0][-1]


def built_in(workload):
    kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[workload["cell"]]
    layers = kind(workload["inputSize"], workload["hiddenSize"], workload["layers"])
    with torch.no_grad():
        for layer in range(workload["layers"]):
            weights = numbers.layer_weights(workload, layer)
            getattr(layers, "weight_ih_l%d" % layer).copy_(tensor(weights["input"].T))
            getattr(layers, "weight_hh_l%d" % layer).copy_(tensor(weights["recurrent"].T))
            getattr(layers, "bias_ih_l%d" % layer).copy_(tensor(weights["bias"]))
            # One bias is trained, as in the other competitors.
            getattr(layers, "bias_hh_l%d" % layer).zero_().requires_grad_(False)
    return layers


def training(workload, body):
    weight, bias = numbers.readout_weights(workload)
    readout = nn.Linear(*weight.shape)
    with torch.no_grad():
        readout.weight.copy_(tensor(weight.T))
        readout.bias.copy_(tensor(bias))
    trained = [one for one in [*body.parameters(), *readout.parameters()] if one.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=numbers.LEARNING_RATE)
    x, target, last = tensor(numbers.inputs(workload)), tensor(numbers.targets(workload)), [None]

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.mse_loss(readout(body(x)), target)
        loss.backward()
        optimizer.step()
        last[0] = loss.detach()

    return Repeated(run, lambda: last[0].item())


def training_variants(workload):
    cells = {"peephole": PeepholeCell, "lnlstm": LayerNormCell}
    if workload["cell"] not in cells:
        return [(None, lambda: training(workload, LastOutput(built_in(workload))))]

    def own(loop, wrap):
        cell = cells[workload["cell"]](numbers.layer_weights(workload, 0))
        return training(workload, wrap(loop(cell, workload["hiddenSize"])))

    return [
        ("eager", lambda: own(StepByStep, lambda module: module)),
        ("eager, projected first", lambda: own(ProjectedFirst, lambda module: module)),
        ("script", lambda: own(StepByStep, torch.jit.script)),
        ("script, projected first", lambda: own(ProjectedFirst, torch.jit.script)),
    ]


def without_gradients(call):
    def run():
        with torch.inference_mode():
            call()

    return run


def streaming_layer(workload):
    layers, x = built_in(workload), tensor(numbers.inputs(workload))
    state = [(torch.zeros(1, 1, workload["hiddenSize"]),) * 2]

    def step():
        state[0] = layers(x, state[0])[1]

    return Repeated(without_gradients(step), lambda: numbers.mean_absolute(state[0][0]))


def streaming_cell(workload):
    layers, x = built_in(workload), tensor(numbers.inputs(workload)[0])
    cell = nn.LSTMCell(workload["inputSize"], workload["hiddenSize"])
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(cell, name).copy_(getattr(layers, name + "_l0"))
    state = [(torch.zeros(1, workload["hiddenSize"]),) * 2]

    def step():
        state[0] = cell(x, state[0])

    return Repeated(without_gradients(step), lambda: numbers.mean_absolute(state[0][0]))


def inference(workload):
    layers, x, last = built_in(workload), tensor(numbers.inputs(workload)), [None]

    def call():
        last[0] = layers(x)[0]

    return Repeated(without_gradients(call), lambda: numbers.mean_absolute(last[0]))


def product(workload):
    left, right = map(tensor, numbers.factors(workload))
    result = torch.empty(left.size(0), right.size(1))
    return Repeated(without_gradients(lambda: torch.mm(left, right, out=result)), lambda: numbers.mean_absolute(result))


def require_fast_products():
    """A system without a tuned BLAS falls back on the plain one: PyTorch would look many times slower than it is."""
    with open("/proc/self/maps") as maps:
        if "/blas/libblas.so" in maps.read():
            raise CannotDo("the system has the slow reference BLAS only; install libopenblas0-pthread")


def variants(request):
    require_fast_products()
    torch.set_num_threads(request["threads"])
    workload = request["prepare"]
    if workload["kind"] == "train":
        return training_variants(workload)
    if workload["kind"] == "step":
        return [("LSTM", lambda: streaming_layer(workload)), ("LSTMCell", lambda: streaming_cell(workload))]
    return [(None, lambda: (inference if workload["kind"] == "seq" else product)(workload))]


serve(variants)
