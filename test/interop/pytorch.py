"""The side of PyTorch in test/interop/pytorch.interop.ts: runs modules on what ours wrote, and writes modules of its own.

    python3 pytorch.py FOLDER

FOLDER/cases.json is a list of {module, inputSize, hiddenSize, layers, both}. Case k comes in k.pt: weights, x [T, B, I] and
lengths [B]. k-out.pt gets y, h and c for them, and a random module of the same kind with its x and y under "theirs.".
"""

import json
import sys
from pathlib import Path

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_num_threads(1)
folder = Path(sys.argv[1])


def run(module, x, lengths):
    packed = pack_padded_sequence(x, lengths.long(), enforce_sorted=False)
    y, state = module(packed)
    y, _ = pad_packed_sequence(y, total_length=x.shape[0])
    h, c = state if isinstance(state, tuple) else (state, None)
    return {"y": y, "h": h, **({} if c is None else {"c": c})}


with torch.no_grad():
    for k, case in enumerate(json.loads((folder / "cases.json").read_text())):
        make = lambda: getattr(torch.nn, case["module"])(
            case["inputSize"], case["hiddenSize"], case["layers"], bidirectional=case["both"]
        )
        given = torch.load(folder / f"{k}.pt", weights_only=True)
        x, lengths = given.pop("x"), given.pop("lengths")
        module = make()
        module.load_state_dict(given)
        results = run(module, x, lengths)
        torch.manual_seed(k)
        other = make()
        for parameter in other.parameters():
            parameter.uniform_(-1, 1)
        theirs = {**other.state_dict(), "x": x, **run(other, x, lengths)}
        torch.save({**results, **{f"theirs.{name}": tensor for name, tensor in theirs.items()}}, folder / f"{k}-out.pt")
print(torch.__version__)
