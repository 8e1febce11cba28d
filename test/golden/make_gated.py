"""Golden values of gated cells, made by PyTorch in float64 from the equations of their papers.

How to run, with PyTorch 2 (made with 2.13):

    python3 test/golden/make_gated.py

It writes gated.json beside this file. Running it again gives the same file. What a
case holds: make_recurrent.py. Parameters have the names and shapes of our cells,
but what is computed is written as in the papers: concatenated inputs, torch's own
layer_norm, one unit at a time for the LSTM of 1997. Where a paper's update gate is
the part of the state that is new, it is 1 - z here.

The peephole and the coupled LSTM are also compared with ONNX Runtime, if it is
installed (pip install onnx onnxruntime): the script stops if they differ.
"""

from pathlib import Path

import torch
from torch.nn.functional import layer_norm

from make_recurrent import B, H, I, T, normal, text, uniform

sigmoid, tanh = torch.sigmoid, torch.tanh


def affine(p, blocks, x, h):
    """W [x, h] + b for each gate, with W = [weightIh, weightHh]."""
    weight = torch.cat([p["weightIh"], p["weightHh"]], dim=1)
    return (torch.cat([x, h], dim=1) @ weight.T + p["bias"]).chunk(blocks, dim=1)


def peephole_lstm(p, s, x):
    """Gers, Schraudolph and Schmidhuber 2002: i and f see c(t-1), o sees c(t)."""
    i, f, g, o = affine(p, 4, x, s["h"])
    pi, pf, po = p["weightPeephole"].chunk(3)
    c = sigmoid(f + pf * s["c"]) * s["c"] + sigmoid(i + pi * s["c"]) * tanh(g)
    h = sigmoid(o + po * c) * tanh(c)
    return {"h": h, "c": c}, h


def coupled_lstm(p, s, x):
    """Greff et al. 2017, CIFG: f = 1 - i."""
    i, g, o = affine(p, 3, x, s["h"])
    i = sigmoid(i)
    c = s["c"] - i * s["c"] + i * tanh(g)
    h = sigmoid(o) * tanh(c)
    return {"h": h, "c": c}, h


def lstm_1997(blocks, size, output_gates=True, bias="all", g="symmetric", h="symmetric"):
    """Hochreiter and Schmidhuber 1997, appendix A.1, unit by unit."""
    squash_g = (lambda v: 4 * sigmoid(v) - 2) if g == "symmetric" else sigmoid
    squash_h = (lambda v: 2 * sigmoid(v) - 1) if h == "symmetric" else (lambda v: v)
    cells = blocks * size

    def step(p, s, x):
        def net(unit):
            total = x @ p["weightIh"][unit]
            if "weightHh" in p:
                total = total + s["u"] @ p["weightHh"][unit]
            if bias == "all":
                return total + p["bias"][unit]
            if bias == "gates" and unit < blocks:
                return total + p["bias"][unit]
            if bias == "gates" and unit >= blocks + cells:
                return total + p["bias"][unit - cells]
            return total

        ins, states, shown, outs = [], [], [], []
        for j in range(blocks):
            y_in = sigmoid(net(j))
            y_out = sigmoid(net(blocks + cells + j)) if output_gates else torch.ones(B)
            for v in range(size):
                k = j * size + v
                state = s["c"][:, k] + y_in * squash_g(net(blocks + k))
                states.append(state)
                shown.append(y_out * squash_h(state))
            ins.append(y_in)
            outs.append(y_out)
        y = torch.stack(shown, dim=1)
        units = ins + shown + (outs if output_gates else [])
        return {"c": torch.stack(states, dim=1), "u": torch.stack(units, dim=1)}, y

    return step


def norm(v, gain):
    return layer_norm(v, (v.shape[-1],), weight=gain, eps=1e-5)


def layer_norm_lstm(placement, cell_norm):
    """Ba, Kiros and Hinton 2016, equations 20 to 22 (separate, output), and its variants."""

    def step(p, s, x):
        if placement == "separate":
            gates = norm(s["h"] @ p["weightHh"].T, p["gainHh"]) + norm(x @ p["weightIh"].T, p["gainIh"]) + p["bias"]
            i, f, g, o = gates.chunk(4, dim=1)
        else:
            sums = (x @ p["weightIh"].T + s["h"] @ p["weightHh"].T).chunk(4, dim=1)
            parts = zip(sums, p["gain"].chunk(4), p["bias"].chunk(4))
            i, f, g, o = (layer_norm(v, (H,), weight=gain, bias=bias, eps=1e-5) for v, gain, bias in parts)
        c = sigmoid(f) * s["c"] + sigmoid(i) * tanh(g)
        shown = c if cell_norm == "none" else norm(c, p["gainCell"]) + p["biasCell"]
        h = sigmoid(o) * tanh(shown)
        return {"h": h, "c": shown if cell_norm == "carry" else c}, h

    return step


def layer_norm_gru(p, s, x):
    """Ba, Kiros and Hinton 2016, appendix."""
    h, two = s["h"], slice(0, 2 * H)
    last = slice(2 * H, 3 * H)

    def part(which, rows, v):
        return norm(v @ p["weight" + which][rows].T, p["gain" + which][rows]) + p["bias" + which][rows]

    r, z = (part("Hh", two, h) + part("Ih", two, x)).chunk(2, dim=1)
    proposal = tanh(part("Ih", last, x) + sigmoid(r) * part("Hh", last, h))
    new = 1 - sigmoid(z)
    h = (1 - new) * h + new * proposal
    return {"h": h}, h


def layer_norm_gru_summed(p, s, x):
    """DreamerV2 (Hafner et al. 2021): one normalization of the whole sum."""
    h = s["h"]
    weight = torch.cat([p["weightIh"], p["weightHh"]], dim=1)
    sums = layer_norm(torch.cat([x, h], dim=1) @ weight.T, (3 * H,), weight=p["gain"], bias=p["bias"], eps=1e-5)
    r, z, m = sums.chunk(3, dim=1)
    new = 1 - sigmoid(z)
    h = new * tanh(sigmoid(r) * m) + (1 - new) * h
    return {"h": h}, h


def mgu(p, s, x):
    """Zhou, Wu, Zhang and Zhou 2016."""
    h = s["h"]
    wf, wh = torch.cat([p["weightHh"], p["weightIh"]], dim=1).chunk(2)
    bf, bh = p["bias"].chunk(2)
    f = sigmoid(torch.cat([h, x], dim=1) @ wf.T + bf)
    proposal = tanh(torch.cat([f * h, x], dim=1) @ wh.T + bh)
    h = (1 - f) * h + f * proposal
    return {"h": h}, h


def mut1(p, s, x):
    """Jozefowicz, Zaremba and Sutskever 2015."""
    h = s["h"]
    xr, xz, xh = p["weightIh"].chunk(3)
    hr, hh = p["weightHh"].chunk(2)
    br, bz, bh = p["bias"].chunk(3)
    z = 1 - sigmoid(x @ xz.T + bz)
    r = sigmoid(x @ xr.T + h @ hr.T + br)
    h = tanh((r * h) @ hh.T + tanh(x @ xh.T) + bh) * z + h * (1 - z)
    return {"h": h}, h


def mut2(p, s, x):
    h = s["h"]
    x = x @ p["weightInput"].T
    xz, xh = p["weightIh"].chunk(2)
    hr, hz, hh = p["weightHh"].chunk(3)
    br, bz, bh = p["bias"].chunk(3)
    z = 1 - sigmoid(x @ xz.T + h @ hz.T + bz)
    r = sigmoid(x + h @ hr.T + br)
    h = tanh((r * h) @ hh.T + x @ xh.T + bh) * z + h * (1 - z)
    return {"h": h}, h


def mut3(p, s, x):
    h = s["h"]
    xr, xz, xh = p["weightIh"].chunk(3)
    hr, hz, hh = p["weightHh"].chunk(3)
    br, bz, bh = p["bias"].chunk(3)
    z = 1 - sigmoid(x @ xz.T + tanh(h) @ hz.T + bz)
    r = sigmoid(x @ xr.T + h @ hr.T + br)
    h = tanh((r * h) @ hh.T + x @ xh.T + bh) * z + h * (1 - z)
    return {"h": h}, h


def make_case(seed, cell, step, params, state, width=H):
    torch.manual_seed(seed)
    x = normal(T, B, I)
    p = {name: uniform(*shape) for name, shape in params.items()}
    initial = {name: normal(B, size) for name, size in state.items()}
    w_y, w_state = normal(T, B, width), {name: normal(B, size) for name, size in state.items()}
    s, ys = initial, []
    for xt in x:
        s, y = step(p, s, xt)
        ys.append(y)
    y = torch.stack(ys)
    loss = (y * w_y).sum()
    for name in s:
        loss = loss + (s[name] * w_state[name]).sum()
    loss.backward()
    # What nobody reads has no gradient in torch, and one of 0 here.
    grads = lambda items: {k: torch.zeros_like(v) if v.grad is None else v.grad for k, v in items.items()}
    return {
        "cell": cell, "sizes": {"T": T, "B": B, "I": I, "H": H},
        "x": x, "params": p, "initial": initial, "wY": w_y, "wState": w_state,
        "y": y, "final": s, "loss": loss.item(),
        "grad": {"x": x.grad, "params": grads(p), "initial": grads(initial)},
    }


def shapes(blocks, **more):
    return {"weightIh": (blocks * H, I), "weightHh": (blocks * H, H), "bias": (blocks * H,), **more}


def of_1997(units, biases):
    own = {"weightIh": (units, I), "weightHh": (units, units)}
    return {**own, "bias": (biases,)} if biases else own


def check_with_onnx_runtime(cases):
    try:
        import numpy as np
        import onnxruntime
        from onnx import TensorProto, helper
    except ImportError:
        print("without ONNX Runtime")
        return

    def order(rows, names, wanted):
        parts = dict(zip(names, rows.detach().chunk(len(names))))
        return torch.cat([parts[name] for name in wanted])[None]

    for name, coupled in [("peepholeLstm", 0), ("coupledLstm", 1)]:
        case = cases[name]
        p, gates = dict(case["params"]), "igo" if coupled else "ifgo"
        if coupled:  # the runtime wants the rows of f, and does not read them
            blind = lambda v: torch.cat([v[:H], torch.full_like(v[:H], 9.0), v[H:]])
            p, gates = {key: blind(v) for key, v in p.items()}, "ifgo"
        bias = order(p["bias"], gates, "iofg")
        feeds = {
            "X": case["x"], "W": order(p["weightIh"], gates, "iofg"), "R": order(p["weightHh"], gates, "iofg"),
            "Bias": torch.cat([bias, torch.zeros_like(bias)], dim=1),
            "h0": case["initial"]["h"][None], "c0": case["initial"]["c"][None],
        }
        inputs = ["X", "W", "R", "Bias", "", "h0", "c0"]
        if not coupled:
            feeds["P"] = order(p["weightPeephole"], "ifo", "iof")
            inputs.append("P")
        node = helper.make_node("LSTM", inputs, ["Y", "Yh", "Yc"], hidden_size=H, input_forget=coupled)
        infos = [helper.make_tensor_value_info(k, TensorProto.FLOAT, list(v.shape)) for k, v in feeds.items()]
        results = [helper.make_tensor_value_info(k, TensorProto.FLOAT, None) for k in ["Y", "Yh", "Yc"]]
        graph = helper.make_graph([node], "lstm", infos, results)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        y, _, c = session.run(None, {k: v.detach().numpy().astype(np.float32) for k, v in feeds.items()})
        error = max(
            np.abs(y[:, 0] - case["y"].detach().numpy()).max(), np.abs(c[0] - case["final"]["c"].detach().numpy()).max()
        )
        print(f"{name}: differs from ONNX Runtime by {error:.1e}")
        if not error < 1e-6:
            raise SystemExit(f"{name} is not ONNX's LSTM")


def main():
    lstm, gru = {"h": H, "c": H}, {"h": H}
    four, three = {"weightIh": (4 * H, I), "weightHh": (4 * H, H), "bias": (4 * H,)}, (3 * H,)
    gains = {"gainIh": (4 * H,), "gainHh": (4 * H,)}
    of_cell = {"gainCell": (H,), "biasCell": (H,)}
    both = {"weightIh": (3 * H, I), "weightHh": (3 * H, H)}
    cases = {
        "peepholeLstm": make_case(1, "peepholeLstm", peephole_lstm, shapes(4, weightPeephole=three), lstm),
        "coupledLstm": make_case(2, "coupledLstm", coupled_lstm, shapes(3), lstm),
        "lstm1997": make_case(3, "lstm1997", lstm_1997(3, 1), of_1997(9, 9), {"c": 3, "u": 9}),
        "lstm1997Blocks": make_case(
            4, "lstm1997", lstm_1997(3, 2, bias="gates"), of_1997(12, 6), {"c": 6, "u": 12}, width=6
        ),
        "lstm1997Bare": make_case(
            5, "lstm1997", lstm_1997(3, 1, output_gates=False, bias="none", g="logistic", h="identity"),
            {"weightIh": (6, I)}, {"c": 3, "u": 6},
        ),
        "layerNormLstm": make_case(
            6, "layerNormLstm", layer_norm_lstm("separate", "output"), {**four, **gains, **of_cell}, lstm
        ),
        "layerNormLstmSummed": make_case(
            7, "layerNormLstm", layer_norm_lstm("summed", "carry"), {**four, "gain": (4 * H,), **of_cell}, lstm
        ),
        "layerNormLstmNoCell": make_case(8, "layerNormLstm", layer_norm_lstm("separate", "none"), {**four, **gains}, lstm),
        "layerNormGru": make_case(
            9, "layerNormGru", layer_norm_gru,
            {**both, "gainIh": three, "gainHh": three, "biasIh": three, "biasHh": three}, gru,
        ),
        "layerNormGruSummed": make_case(
            10, "layerNormGru", layer_norm_gru_summed, {**both, "gain": three, "bias": three}, gru
        ),
        "mgu": make_case(11, "mgu", mgu, shapes(2), gru),
        "mut1": make_case(
            12, "mut1", mut1, {"weightIh": (3 * H, I), "weightHh": (2 * H, H), "bias": three}, gru
        ),
        "mut2": make_case(
            13, "mut2", mut2,
            {"weightInput": (H, I), "weightIh": (2 * H, H), "weightHh": (3 * H, H), "bias": three}, gru,
        ),
        "mut3": make_case(14, "mut3", mut3, shapes(3), gru),
    }
    check_with_onnx_runtime(cases)
    Path(__file__).with_name("gated.json").write_text(text(cases) + "\n")


if __name__ == "__main__":
    main()
