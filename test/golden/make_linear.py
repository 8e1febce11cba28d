"""Golden values of simple and linear recurrent cells, made by PyTorch in float64.

How to run, with the system's Python (Debian: apt-get install python3-torch; made
with PyTorch 1.13):

    python3 test/golden/make_linear.py

It writes linear.json beside this file. Running it again gives the same file. What
a case holds: see make_recurrent.py. Each cell is written here from its paper's
equations, in the paper's terms where they differ from ours (complex numbers,
logarithms, matrices with holes).
"""

from pathlib import Path

import torch
from make_recurrent import B, H, I, T, normal, text, uniform
from torch.nn.functional import logsigmoid, softplus


def irnn(p, s, x):
    """Le, Jaitly & Hinton 2015."""
    h = torch.relu(x @ p["weightIh"].T + s["h"] @ p["weightHh"].T + p["bias"])
    return {"h": h}, h


def indrnn(p, s, x):
    """Li et al. 2018: the recurrent weight is a vector."""
    h = torch.relu(x @ p["weightIh"].T + s["h"] @ torch.diag(p["weightHh"]) + p["bias"])
    return {"h": h}, h


def leaky(rate):
    """Jaeger et al. 2007: a relaxation towards the new activation."""

    def step(p, s, x):
        target = torch.tanh(x @ p["weightIh"].T + s["h"] @ p["weightHh"].T + p["bias"])
        h = s["h"] + rate * (target - s["h"])
        return {"h": h}, h

    return step


def jordan(decay):
    """Jordan 1986: state units copy the outputs, and their own past with a weight."""

    def step(p, s, x):
        both = torch.cat([x, s["s"]], 1)
        h = torch.sigmoid(both @ torch.cat([p["weightIh"], p["weightSh"]], 1).T + p["bias"])
        y = torch.sigmoid(h @ p["weightHy"].T + p["biasY"])
        return {"s": decay * s["s"] + y}, y

    return step


def log_g(x):
    """Feng et al. 2024: logarithm of the positive candidate."""
    return torch.where(x >= 0, torch.log(torch.relu(x) + 0.5), -softplus(-x))


def min_gru(p, s, x):
    """Feng et al. 2024, without logarithms."""
    z_in, n = (x @ p["weightIh"].T + p["bias"]).chunk(2, 1)
    z = torch.sigmoid(z_in)
    h = (1 - z) * s["h"] + z * n
    return {"h": h}, h


def min_gru_log(p, s, x):
    """Feng et al. 2024, the version with logarithms (for positive states)."""
    k, n = (x @ p["weightIh"].T + p["bias"]).chunk(2, 1)
    kept, new = -softplus(k) + torch.log(s["h"]), -softplus(-k) + log_g(n)
    h = torch.exp(torch.logaddexp(kept, new))
    return {"h": h}, h


def min_lstm(p, s, x):
    """Feng et al. 2024, without logarithms, with normalised gates."""
    i, f, g = (x @ p["weightIh"].T + p["bias"]).chunk(3, 1)
    i, f = torch.sigmoid(i), torch.sigmoid(f)
    h = f / (f + i) * s["h"] + i / (f + i) * g
    return {"h": h}, h


def min_lstm_log(p, s, x):
    """Feng et al. 2024, the version with logarithms (for positive states)."""
    i, f, g = (x @ p["weightIh"].T + p["bias"]).chunk(3, 1)
    total = torch.logaddexp(logsigmoid(i), logsigmoid(f))
    kept, new = logsigmoid(f) - total + torch.log(s["h"]), logsigmoid(i) - total + log_g(g)
    h = torch.exp(torch.logaddexp(kept, new))
    return {"h": h}, h


def lru(p, s, x):
    """Orvieto et al. 2023, in complex numbers."""
    factor = torch.exp(torch.complex(-torch.exp(p["nuLog"]), torch.exp(p["thetaLog"])))
    into = torch.complex(p["weightIh"][:H], p["weightIh"][H:])
    out = torch.complex(p["weightHy"][:, :H], p["weightHy"][:, H:])
    entry = torch.exp(p["gammaLog"]) * (torch.complex(x, torch.zeros_like(x)) @ into.T)
    h = factor * torch.complex(s["re"], s["im"]) + entry
    return {"re": h.real, "im": h.imag}, (h @ out.T).real + x @ p["weightIy"].T


def skip(delays):
    """Lin et al. 1996 and El Hihi & Bengio 1996: states of some steps ago, which are kept newest first."""

    def step(p, s, x):
        states = s["past"].chunk(max(delays), 1)
        total = x @ p["weightIh"].T + p["bias"]
        for delay, weight in zip(delays, p["weightHh"].chunk(len(delays), 1)):
            total = total + states[delay - 1] @ weight.T
        h = torch.tanh(total)
        return {"past": torch.cat([h, *states[:-1]], 1)}, h

    return step


def clockwork(periods):
    """Koutnik et al. 2014: one unit a module here; rows of modules that are not due change nothing."""
    t = 0

    def step(p, s, x):
        nonlocal t
        fresh = torch.tanh(x @ p["weightIh"].T + s["h"] @ torch.triu(p["weightHh"]).T + p["bias"])
        h = torch.stack(
            [fresh[:, k] if t % period == 0 else s["h"][:, k] for k, period in enumerate(periods)], 1
        )
        t += 1
        return {"h": h}, h

    return step


SIMPLE = {"weightIh": [H, I], "weightHh": [H, H], "bias": [H]}
MIN_GRU = {"weightIh": [2 * H, I], "bias": [2 * H]}
MIN_LSTM = {"weightIh": [3 * H, I], "bias": [3 * H]}
JORDAN = {"weightIh": [H, I], "weightSh": [H, H], "bias": [H], "weightHy": [H, H], "biasY": [H]}
LRU = {
    **{name: [H] for name in ["nuLog", "thetaLog", "gammaLog"]},
    **{"weightIh": [2 * H, I], "weightHy": [H, 2 * H], "weightIy": [H, I]},
}
STATE = {"h": [B, H]}


def make_case(seed, step, params, state=STATE, positive=False):
    torch.manual_seed(seed)
    x = normal(T, B, I)
    p = {name: uniform(*shape) for name, shape in params.items()}
    initial = {name: normal(*shape) for name, shape in state.items()}
    if positive:
        initial = {name: h.detach().abs().requires_grad_() for name, h in initial.items()}
    w_y = normal(T, B, H)
    w_state = {name: normal(*shape) for name, shape in state.items()}

    s, ys = initial, []
    for xt in x:
        s, y = step(p, s, xt)
        ys.append(y)
    y = torch.stack(ys)
    loss = (y * w_y).sum() + sum((s[name] * w_state[name]).sum() for name in state)
    loss.backward()

    def grads(items):
        return {name: t.grad for name, t in items.items()}

    return dict(
        sizes={"T": T, "B": B, "I": I, "H": H},
        **dict(x=x, params=p, initial=initial, wY=w_y, wState=w_state, y=y, final=s, loss=loss.item()),
        grad={"x": x.grad, "params": grads(p), "initial": grads(initial)},
    )


def main():
    cases = {
        "irnn": make_case(1, irnn, SIMPLE),
        "indrnn": make_case(2, indrnn, {**SIMPLE, "weightHh": [H]}),
        "leakyElman": make_case(3, leaky(0.3), SIMPLE),
        "jordan": make_case(4, jordan(0), JORDAN, {"s": [B, H]}),
        "jordanDecay": make_case(5, jordan(0.6), JORDAN, {"s": [B, H]}),
        "minGru": make_case(6, min_gru, MIN_GRU),
        "minGruPositive": make_case(7, min_gru_log, MIN_GRU, positive=True),
        "minLstm": make_case(8, min_lstm, MIN_LSTM),
        "minLstmPositive": make_case(9, min_lstm_log, MIN_LSTM, positive=True),
        "lru": make_case(10, lru, LRU, {"re": [B, H], "im": [B, H]}),
        "skipElman": make_case(11, skip([1, 3]), {**SIMPLE, "weightHh": [H, 2 * H]}, {"past": [B, 3 * H]}),
        "clockwork": make_case(12, clockwork([1, 2, 3]), SIMPLE),
    }
    path = Path(__file__).with_name("linear.json")
    path.write_text(text(cases) + "\n")


if __name__ == "__main__":
    main()
