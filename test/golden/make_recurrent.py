"""Golden values of recurrent cells, made by PyTorch in float64.

How to run, with the system's Python (Debian: apt-get install python3-torch; made
with PyTorch 1.13):

    python3 test/golden/make_recurrent.py

It writes recurrent.json beside this file. Running it again gives the same file.

Every case runs a network over x [T, B, I] and differentiates the scalar loss

    L = sum(y * wY) + sum over the final state tensors of sum(state * wState)

A case holds: cell, sizes, lengths (ragged cases only), x, params, initial, wY,
wState, y, final, loss, and grad = {x, params, initial}. The entries params,
initial, wState, final, grad.params and grad.initial all have the same outline:

    one layer       {...}
    stacked         [{...}, {...}]                    first layer first
    bidirectional   {"forward": {...}, "backward": {...}}

where {...} has the names of parameters (weightIh [G*H, I], weightHh [G*H, H],
and bias [G*H], or biasIh and biasHh for the reset-after gru), or of state
tensors (h [B, H], and c [B, H] for lstm). Gate order: i, f, g, o and r, z, n.
A tensor is {"shape": [...], "data": [...]}, row-major.

Ragged cases: sequence b holds lengths[b] steps; y is zero after them, the final
state is the one after the last step of each sequence (for the backward
direction: after step 0), and x after them is noise that must have no effect.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

T, B, I, H = 5, 3, 4, 3
MODULES = {"elman": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
GATES = {"elman": 1, "lstm": 4, "gru": 3, "gruResetBefore": 3}

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def rounded(tensor):
    """Inputs are kept to 4 decimals, so that the file stays short."""
    return torch.tensor([round(v, 4) for v in tensor.flatten().tolist()]).reshape(tensor.shape)


def uniform(*shape):
    return rounded(torch.rand(*shape) * 1.4 - 0.7).requires_grad_()


def normal(*shape):
    return rounded(torch.randn(*shape)).requires_grad_()


def draw_params(cell, inputs):
    rows = GATES[cell] * H
    params = {"weightIh": uniform(rows, inputs), "weightHh": uniform(rows, H)}
    for name in ["biasIh", "biasHh"] if cell == "gru" else ["bias"]:
        params[name] = uniform(rows)
    return params


def draw_state(cell, zero=False):
    names = ["h", "c"] if cell == "lstm" else ["h"]
    return {n: torch.zeros(B, H).requires_grad_() if zero else normal(B, H) for n in names}


def run_torch(cell, x, parts, states, lengths, bidirectional):
    """nn.RNN, nn.LSTM or nn.GRU on our tensors. Returns y and a final state per part."""
    module = MODULES[cell](
        I, H, num_layers=1 if bidirectional else len(parts), bidirectional=bidirectional
    )
    values = {}
    for k, p in enumerate(parts):
        suffix = ["l0", "l0_reverse"][k] if bidirectional else f"l{k}"
        values[f"weight_ih_{suffix}"] = p["weightIh"]
        values[f"weight_hh_{suffix}"] = p["weightHh"]
        # With one bias it goes to bias_ih, and bias_hh is zero.
        values[f"bias_ih_{suffix}"] = p["biasIh"] if "biasIh" in p else p["bias"]
        values[f"bias_hh_{suffix}"] = p["biasHh"] if "biasHh" in p else torch.zeros(GATES[cell] * H)
    for name, value in values.items():
        delattr(module, name)  # a plain tensor cannot take a Parameter's place
        setattr(module, name, value)
    names = list(states[0])
    initial = [torch.stack([s[n] for s in states]) for n in names]
    initial = tuple(initial) if cell == "lstm" else initial[0]
    inputs = x if lengths is None else pack_padded_sequence(x, lengths, enforce_sorted=False)
    y, final = module(inputs, initial)
    if lengths is not None:
        y, _ = pad_packed_sequence(y, total_length=T)
    final = final if cell == "lstm" else (final,)
    return y, [{n: final[j][k] for j, n in enumerate(names)} for k in range(len(parts))]


def run_reset_before(x, params, state):
    """The GRU of Cho et al. (2014): the reset gate acts before the recurrent product."""
    ur, uz, un = params["weightHh"].chunk(3)
    h, ys = state["h"], []
    for xt in x:
        ar, az, an = (xt @ params["weightIh"].T + params["bias"]).chunk(3, dim=1)
        r = torch.sigmoid(ar + h @ ur.T)
        z = torch.sigmoid(az + h @ uz.T)
        n = torch.tanh(an + (r * h) @ un.T)
        h = (1 - z) * n + z * h
        ys.append(h)
    return torch.stack(ys), [{"h": h}]


def make_case(seed, cell, layers=1, bidirectional=False, lengths=None, zero_initial=False):
    torch.manual_seed(seed)
    count = 2 if bidirectional else layers
    x = normal(T, B, I)
    parts = [draw_params(cell, I if bidirectional or k == 0 else H) for k in range(count)]
    states = [draw_state(cell, zero_initial) for _ in range(count)]
    w_y = normal(T, B, 2 * H if bidirectional else H)
    w_state = [draw_state(cell) for _ in range(count)]

    if cell == "gruResetBefore":
        y, final = run_reset_before(x, parts[0], states[0])
    else:
        y, final = run_torch(cell, x, parts, states, lengths, bidirectional)
    loss = (y * w_y).sum()
    for state, w in zip(final, w_state):
        for name in state:
            loss = loss + (state[name] * w[name]).sum()
    loss.backward()

    def outline(items):
        if bidirectional:
            return {"forward": items[0], "backward": items[1]}
        return items if layers > 1 else items[0]

    def grads(items):
        return outline([{n: t.grad for n, t in item.items()} for item in items])

    case = {"cell": cell, "sizes": {"T": T, "B": B, "I": I, "H": H}}
    if lengths is not None:
        case["lengths"] = lengths
    case.update(
        x=x, params=outline(parts), initial=outline(states), wY=w_y, wState=outline(w_state),
        y=y, final=outline(final), loss=loss.item(),
        grad={"x": x.grad, "params": grads(parts), "initial": grads(states)},
    )
    return case


def text(value, indent=0):
    """JSON with one line per tensor and per flat list. Floats round-trip exactly."""
    if isinstance(value, torch.Tensor):
        data = [v + 0.0 for v in value.detach().flatten().tolist()]  # -0.0 becomes 0.0
        return json.dumps({"shape": list(value.shape), "data": data}, separators=(",", ":"))
    pad = " " * (indent + 1)
    if isinstance(value, dict) and any(isinstance(v, (dict, list, torch.Tensor)) for v in value.values()):
        rows = [f"{pad}{json.dumps(k)}: {text(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + "\n" + " " * indent + "}"
    if isinstance(value, list) and any(isinstance(v, (dict, list, torch.Tensor)) for v in value):
        return "[\n" + ",\n".join(pad + text(v, indent + 1) for v in value) + "\n" + " " * indent + "]"
    return json.dumps(value)


def main():
    cases = {
        "elman": make_case(1, "elman"),
        "lstm": make_case(2, "lstm"),
        "gru": make_case(3, "gru"),
        "gruResetBefore": make_case(4, "gruResetBefore"),
        "stackedLstm": make_case(5, "lstm", layers=2),
        "bidirectionalGru": make_case(6, "gru", bidirectional=True),
        "bidirectionalLstmRagged": make_case(
            7, "lstm", bidirectional=True, lengths=[5, 2, 1], zero_initial=True
        ),
        "elmanRagged": make_case(8, "elman", lengths=[2, 5, 1]),
        "lstmRagged": make_case(9, "lstm", lengths=[5, 1, 3]),
    }
    path = Path(__file__).with_name("recurrent.json")
    path.write_text(text(cases) + "\n")


if __name__ == "__main__":
    main()
