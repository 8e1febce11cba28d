"""Golden values of exported models: small recurrent networks as torch.onnx.export writes them, and the outputs of PyTorch.

Each case of onnx-exports.json holds a model (base64; without the exporter's notes on where each node came from) and runs of it at
several sizes: {inputs, outputs}, tensors as in onnx.json. Cases of other versions of PyTorch stay in the file.

    pip install numpy onnx onnxscript torch
    python make_onnx_exports.py            # once with PyTorch 1.13, once with 2.x
"""

import base64
import io
import json
import pathlib

import onnx
import torch
from torch import nn

torch.manual_seed(3)
VERSION = ".".join(torch.__version__.split(".")[:2])
PATH = pathlib.Path(__file__).with_name("onnx-exports.json")
VOCABULARY, EMBEDDING, HIDDEN = 5, 2, 2
cases = {}


class Classifier(nn.Module):
    """Tokens to the log-probabilities of three classes at each step."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
        self.recurrent = nn.LSTM(EMBEDDING, HIDDEN, num_layers=2, batch_first=True, bidirectional=True)
        self.readout = nn.Linear(2 * HIDDEN, 3)

    def forward(self, tokens):
        outputs, _ = self.recurrent(self.embedding(tokens))
        return torch.log_softmax(self.readout(outputs), -1)


class Packed(nn.Module):
    """Ragged sequences to the average of their outputs."""

    def __init__(self):
        super().__init__()
        self.recurrent = nn.LSTM(EMBEDDING, HIDDEN, bidirectional=True)

    def forward(self, xs, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(xs, lengths)
        outputs, (h, _) = self.recurrent(packed)
        padded, _ = nn.utils.rnn.pad_packed_sequence(outputs)
        return padded.sum(0) / lengths.unsqueeze(1), h


class Summary(nn.Module):
    """A sequence and a starting state to a number for the whole sequence, and the last state."""

    def __init__(self, layer):
        super().__init__()
        self.norm = nn.LayerNorm(EMBEDDING)
        self.recurrent = layer
        self.readout = nn.Sequential(nn.Linear(HIDDEN, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 1))

    def forward(self, xs, state):
        outputs, last = self.recurrent(self.norm(xs), state)
        return self.readout(outputs[-1]).squeeze(-1), last


class Unrolled(nn.Module):
    """Cells in a loop of Python, which the exporter writes out step by step."""

    def __init__(self):
        super().__init__()
        self.lstm, self.gru = nn.LSTMCell(EMBEDDING, HIDDEN), nn.GRUCell(HIDDEN, HIDDEN)

    def forward(self, xs):
        h, c = xs.new_zeros(xs.size(1), HIDDEN), xs.new_zeros(xs.size(1), HIDDEN)
        z = xs.new_zeros(xs.size(1), HIDDEN)
        shown = []
        for x in xs:
            h, c = self.lstm(x, (h, c))
            z = self.gru(h, z)
            shown.append(z)
        return torch.stack(shown)


class Reader(nn.Module):
    """Images of a line of text to the log-probabilities of three classes at each column (Shi et al. 2015, arXiv:1507.05717)."""

    def __init__(self):
        super().__init__()
        blocks = [(1, 2, (2, 2)), (2, 3, (2, 1))]
        layers = [[nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(p)] for a, b, p in blocks]
        self.features = nn.Sequential(*[layer for block in layers for layer in block])
        for norm in [layer for layer in self.features if isinstance(layer, nn.BatchNorm2d)]:
            norm.running_mean.uniform_(-0.5, 0.5)
            norm.running_var.uniform_(0.5, 2)
        self.recurrent = nn.LSTM(3 * 2, HIDDEN, bidirectional=True)
        self.readout = nn.Linear(2 * HIDDEN, 3)

    def forward(self, images):
        columns = self.features(images).permute(3, 0, 1, 2).flatten(2)
        return torch.log_softmax(self.readout(self.recurrent(columns)[0]), -1)


class Tagger(nn.Module):
    """Sequences, shortened by convolutions along time, to the outputs of a recurrence; batch first."""

    def __init__(self):
        super().__init__()
        self.norm = nn.InstanceNorm1d(EMBEDDING, affine=True)
        self.convolution = nn.Conv1d(EMBEDDING, 4, 3, stride=2, padding=1, groups=2)
        self.recurrent = nn.LSTM(4, HIDDEN, batch_first=True)

    def forward(self, xs):
        features = nn.functional.gelu(self.convolution(self.norm(xs.transpose(1, 2))))
        features = nn.functional.avg_pool1d(nn.functional.hardswish(features), 3, stride=1, padding=1)
        return self.recurrent(features.transpose(1, 2))[0].cumsum(1)


def plain(tensor):
    dtype = "float32" if tensor.is_floating_point() else "int32"
    return {"dtype": dtype, "shape": list(tensor.shape), "data": [float(f"{x:.8g}") for x in tensor.flatten().tolist()]}


def stripped(data):
    model = onnx.load_from_string(data)
    for thing in [model, model.graph, *model.graph.node]:
        thing.doc_string = ""
        if hasattr(thing, "metadata_props"):
            del thing.metadata_props[:]
    del model.graph.value_info[:]
    for value in [*model.graph.input, *model.graph.output, *model.graph.initializer]:
        value.doc_string = ""
        if hasattr(value, "metadata_props"):
            del value.metadata_props[:]
    return model.SerializeToString()


def named(names, tensors):
    return {name: plain(tensor.detach()) for name, tensor in zip(names, tensors)}


def tuple_of(value):
    return value if isinstance(value, tuple) else (value,)


def export(name, module, make_inputs, sizes, axes, outputs, opset):
    """`axes`: for each input, the names of its open axes. Traced at the first of the sizes, run at all of them."""
    module.eval()
    names = list(axes)
    modern = opset >= 18
    options = {"opset_version": opset, "input_names": names, "output_names": outputs}
    buffer = io.BytesIO()
    if modern:
        shapes = tuple({axis: torch.export.Dim(label) for axis, label in open.items()} for open in axes.values())
        program = torch.onnx.export(module, make_inputs(*sizes[0]), dynamo=True, dynamic_shapes=shapes, **options)
        program.save(buffer)
    else:
        legacy = {"dynamo": False} if int(VERSION.split(".")[0]) >= 2 else {}
        torch.onnx.export(module, make_inputs(*sizes[0]), buffer, dynamic_axes=axes, **options, **legacy)
    runs = []
    for size in sizes:
        inputs = make_inputs(*size)
        runs.append({"inputs": named(names, inputs), "outputs": named(outputs, tuple_of(module(*inputs)))})
    case = {"model": base64.b64encode(stripped(buffer.getvalue())).decode(), "runs": runs}
    cases[f"PyTorch {VERSION}, operator set {opset}: {name}"] = case


def tokens(time, batch):
    return (torch.randint(0, VOCABULARY, (batch, time)),)


def sequences(time, batch):
    return (torch.randn(time, batch, EMBEDDING),)


def with_lengths(time, batch):
    return torch.randn(time, batch, EMBEDDING), torch.tensor([time, *range(1, time)][:batch]).sort(descending=True).values


def with_state(time, batch):
    return torch.randn(time, batch, EMBEDDING), torch.randn(2, batch, HIDDEN)


def images(width, batch):
    return (torch.randn(batch, 1, 8, width),)


def batch_first(time, batch):
    return (torch.randn(batch, time, EMBEDDING),)


SIZES = [(4, 3), (2, 1), (5, 2)]
old = int(VERSION.split(".")[0]) < 2
for opset in [9] if old else [13, 20]:
    # The newer exporter (operator set 18 and up) fixes the number of steps of layers other than LSTM, and cannot pack; that of 1.13
    # fixes the batch of packed sequences.
    modern = opset >= 18
    export("classifier", Classifier(), tokens, SIZES, {"tokens": {0: "batch", 1: "time"}}, ["scores"], opset)
    axes = {"xs": {1: "batch"} if modern else {0: "time", 1: "batch"}, "state": {1: "batch"}}
    sizes = [(3, 3), (3, 1)] if modern else SIZES
    for layer in [nn.GRU, nn.RNN]:
        settings = {"nonlinearity": "relu"} if layer is nn.RNN else {}
        module = Summary(layer(EMBEDDING, HIDDEN, num_layers=2, **settings))
        export(f"summary of {layer.__name__}", module, with_state, sizes, axes, ["y", "last"], opset)
    if not modern:
        axes = {"xs": {0: "time", 1: "batch"}, "lengths": {0: "batch"}}
        sizes = [(4, 3), (6, 3)] if old else SIZES
        export("packed", Packed(), with_lengths, sizes, axes, ["average", "last"], opset)
export(
    "reader", Reader(), images, [(8, 2), (5, 1), (12, 3)], {"images": {0: "batch", 3: "width"}}, ["scores"], 11 if old else 20
)
# The newer exporter fixes the number of steps here, too.
axes = {"xs": {0: "batch", 1: "time"}}
export("tagger", Tagger(), batch_first, [(6, 2), (3, 1), (9, 3)], axes, ["ys"], 11 if old else 17)
if not old:
    export("unrolled", Unrolled(), sequences, [(3, 3), (3, 1)], {"xs": {1: "batch"}}, ["ys"], 20)

kept = json.loads(PATH.read_text()) if PATH.exists() else {}
kept = {name: case for name, case in kept.items() if not name.startswith(f"PyTorch {VERSION},")}
cases = dict(sorted({**kept, **cases}.items()))
lines = [f"{json.dumps(name)}: {json.dumps(case, separators=(',', ':'))}" for name, case in cases.items()]
PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(f"{len(cases)} cases, {PATH.stat().st_size} bytes; PyTorch {torch.__version__}")
