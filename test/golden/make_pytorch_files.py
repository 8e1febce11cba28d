"""A file that PyTorch wrote, for the reader of such files.

How to run, with PyTorch (made with 1.13 and 2.13, one after the other):

    python3 test/golden/make_pytorch_files.py

It adds an entry for the version of PyTorch to pytorch-files.json beside this file.
An entry is the file in base64: the state dictionary of a GRU with two directions,
with more entries of it: x [T, B, I], y (what the module gives for x), and tensors of
other types. Values have 3 decimals where the type allows.
"""

import base64
import io
import json
from pathlib import Path

import torch

torch.manual_seed(1)
gru = torch.nn.GRU(2, 2, bidirectional=True)
for parameter in gru.parameters():
    parameter.data = torch.round(parameter.data * 1000) / 1000
x = torch.round(torch.randn(3, 2, 2) * 1000) / 1000
state = gru.state_dict()
state["x"] = x
state["y"] = gru(x)[0].detach()
state["half"] = torch.tensor([1.5, -2, 65504], dtype=torch.float16)
state["bfloat"] = torch.tensor([1.5, -2, 3e38], dtype=torch.bfloat16)
state["double"] = torch.tensor(1 / 3, dtype=torch.float64)
state["long"] = torch.tensor([[1, -5]])
state["bool"] = torch.tensor([True, False])
state["turned"] = torch.arange(6.0).reshape(2, 3).t()[1:]
state["parameter"] = torch.nn.Parameter(torch.ones(2))
state["nothing"] = torch.zeros(0, 3)

file = io.BytesIO()
torch.save(state, file)
path = Path(__file__).with_name("pytorch-files.json")
entries = json.loads(path.read_text()) if path.exists() else {}
version = ".".join(torch.__version__.split(".")[:2])
entries[f"PyTorch {version}"] = base64.b64encode(file.getvalue()).decode()
path.write_text(json.dumps(entries, indent=1) + "\n")
