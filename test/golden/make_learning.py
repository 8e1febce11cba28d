"""Golden values of optimizers, gradient clipping and losses, made by PyTorch in float64.

How to run, with the system's Python (Debian: apt-get install python3-torch; made
with PyTorch 1.13):

    python3 test/golden/make_learning.py

It writes optimizers.json and losses.json beside this file. Running it again
gives the same files. A tensor is {"shape": [...], "data": [...]}, row-major.

optimizers.json
    parameter   the [2, 3] starting value of every run
    gradients   20 gradients, one per step, the same for every run
    runs        name -> {optimizer, settings, after: {"1", "2", "20"}}: the
                parameter after that many steps
    clip        name -> {maxNorm, gradients, norm, clipped}: clip_grad_norm_ over
                all tensors together. As in PyTorch, the factor is
                min(1, maxNorm / (norm + 1e-6)).

losses.json
    crossEntropy        logits [T, B, C], targets [T, B] (class numbers), mask [T, B]
    meanSquaredError    prediction [T, B, C], target [T, B, C], mask [T, B]
    both                perToken [T, B]: the loss of each token before the mask (for
                        the squared error: the mean over C); maskedSum; maskedMean =
                        maskedSum / sum(mask); grad: of maskedMean with respect to
                        the logits or the prediction
"""

import json
from pathlib import Path

import torch
from torch.nn import functional as F

T, B, C = 4, 3, 5
STEPS = 20
RUNS = {
    "sgd": ("SGD", {"lr": 0.1}),
    "sgdMomentum": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "sgdNesterov": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", {"lr": 0.01, "alpha": 0.99, "eps": 1e-8}),
    "rmspropMomentum": ("RMSprop", {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "momentum": 0.9}),
    "adam": ("Adam", {"lr": 0.001, "betas": [0.9, 0.999], "eps": 1e-8}),
    "adamW": ("AdamW", {"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01}),
}

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def normal(*shape):
    """Inputs are kept to 4 decimals, so that the files stay short."""
    values = [round(v, 4) for v in torch.randn(*shape).flatten().tolist()]
    return torch.tensor(values).reshape(shape)


def run_optimizer(kind, settings, start, gradients):
    parameter = start.clone().requires_grad_()
    optimizer = getattr(torch.optim, kind)([parameter], **settings)
    after = {}
    for step, gradient in enumerate(gradients, start=1):
        parameter.grad = gradient.clone()
        optimizer.step()
        if step in (1, 2, STEPS):
            after[str(step)] = parameter.detach().clone()
    return {"optimizer": kind, "settings": settings, "after": after}


def clip(max_norm, gradients):
    parameters = [torch.zeros_like(g).requires_grad_() for g in gradients]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient.clone()
    norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm)
    return {
        "maxNorm": max_norm,
        "gradients": gradients,
        "norm": norm.item(),
        "clipped": [p.grad for p in parameters],
    }


def masked(per_token, mask, variable):
    total = (per_token * mask).sum()
    mean = total / mask.sum()
    (grad,) = torch.autograd.grad(mean, variable)
    return {"perToken": per_token, "maskedSum": total.item(), "maskedMean": mean.item(), "grad": grad}


def make_optimizers():
    torch.manual_seed(1)
    start = normal(2, 3)
    gradients = [normal(2, 3) for _ in range(STEPS)]
    to_clip = [normal(2, 3), normal(4), normal(1)]
    return {
        "parameter": start,
        "gradients": gradients,
        "runs": {name: run_optimizer(*run, start, gradients) for name, run in RUNS.items()},
        "clip": {"above": clip(1.0, to_clip), "below": clip(100.0, to_clip)},
    }


def make_losses():
    torch.manual_seed(2)
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 1, 0]])
    logits = (2 * normal(T, B, C)).requires_grad_()
    targets = torch.randint(C, (T, B))
    # cross_entropy wants the classes on axis 1.
    entropy = F.cross_entropy(logits.permute(0, 2, 1), targets, reduction="none")
    prediction, target = normal(T, B, C).requires_grad_(), normal(T, B, C)
    squares = F.mse_loss(prediction, target, reduction="none").mean(dim=2)
    return {
        "crossEntropy": {
            "logits": logits, "targets": targets, "mask": mask, **masked(entropy, mask, logits)
        },
        "meanSquaredError": {
            "prediction": prediction, "target": target, "mask": mask,
            **masked(squares, mask, prediction),
        },
    }


def text(value, indent=0):
    """JSON with one line per tensor and per flat list. Floats round-trip exactly."""
    if isinstance(value, torch.Tensor):
        data = [v + 0 for v in value.detach().flatten().tolist()]  # -0.0 becomes 0.0
        return json.dumps({"shape": list(value.shape), "data": data}, separators=(",", ":"))
    pad = " " * (indent + 1)
    if isinstance(value, dict) and any(isinstance(v, (dict, list, torch.Tensor)) for v in value.values()):
        rows = [f"{pad}{json.dumps(k)}: {text(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + "\n" + " " * indent + "}"
    if isinstance(value, list) and any(isinstance(v, (dict, list, torch.Tensor)) for v in value):
        return "[\n" + ",\n".join(pad + text(v, indent + 1) for v in value) + "\n" + " " * indent + "]"
    return json.dumps(value)


def main():
    for name, content in [("optimizers", make_optimizers()), ("losses", make_losses())]:
        Path(__file__).with_name(f"{name}.json").write_text(text(content) + "\n")


if __name__ == "__main__":
    main()
