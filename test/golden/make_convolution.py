"""Golden values of convolutions and pools, made by PyTorch in float64.

How to run, with the system's Python (Debian: apt-get install python3-torch; made
with PyTorch 1.13):

    python3 test/golden/make_convolution.py

It writes convolution.json beside this file. Running it again gives the same file.

A case is one call, differentiated through L = sum(y * wY):

    options   stride, dilation, groups, padding (convolutions); size, stride (pools)
    x         [T, B, C], or [N, H, W, C] for images
    weight    [O, K, C/groups] or [O, KH, KW, C/groups]; not for pools
    wY, y     as x
    grad      {x, weight}

PyTorch has the channels before the places; everything here has them last. A
tensor is {"shape": [...], "data": [...]}, row-major. Inputs are distinct within
each pool, so no two elements tie.
"""

import json
from pathlib import Path

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

# Axes of our tensors in PyTorch's order, for x and for weights.
ORDER = {1: ((1, 2, 0), (0, 2, 1)), 2: ((0, 3, 1, 2), (0, 3, 1, 2))}

# name -> (axes, shape of x, shape of the weight, our options, PyTorch's options)
CONVOLUTIONS = {
    "valid": (1, (6, 2, 3), (4, 3, 3), {}, {}),
    "stride": (1, (8, 2, 2), (3, 3, 2), {"stride": 2}, {"stride": 2}),
    "same": (1, (5, 2, 2), (3, 4, 2), {"padding": "same"}, {"padding": "same"}),
    "sameDilation": (1, (7, 1, 2), (2, 3, 2), {"padding": "same", "dilation": 2}, {"padding": "same", "dilation": 2}),
    "zerosAndStride": (1, (7, 2, 2), (2, 3, 2), {"padding": [1, 1], "stride": 3}, {"padding": 1, "stride": 3}),
    "groups": (1, (6, 2, 4), (6, 2, 2), {"groups": 2, "dilation": 3}, {"groups": 2, "dilation": 3}),
    "depthwise": (1, (6, 2, 3), (3, 3, 1), {"groups": 3, "stride": 2}, {"groups": 3, "stride": 2}),
    "multiplier": (1, (5, 1, 2), (4, 2, 1), {"groups": 2}, {"groups": 2}),
    "image": (2, (2, 4, 5, 2), (3, 3, 2, 2), {}, {}),
    "imageMoves": (
        2,
        (1, 5, 6, 2),
        (2, 2, 3, 2),
        {"stride": [1, 2], "dilation": [2, 1], "padding": {"height": [1, 1], "width": [2, 2]}},
        {"stride": (1, 2), "dilation": (2, 1), "padding": (1, 2)},
    ),
    "imageSame": (2, (1, 4, 4, 2), (2, 3, 2, 2), {"padding": "same"}, {"padding": "same"}),
    "imageGroups": (2, (1, 4, 4, 4), (4, 3, 3, 2), {"groups": 2, "stride": 2}, {"groups": 2, "stride": 2}),
    "imageDepthwise": (2, (1, 4, 4, 3), (3, 2, 2, 1), {"groups": 3}, {"groups": 3}),
}

# name -> (axes, function, shape of x, size, stride)
POOLS = {
    "maxPool1d": (1, F.max_pool1d, (8, 2, 2), 3, 3),
    "maxPool1dOverlap": (1, F.max_pool1d, (7, 2, 2), 3, 2),
    "meanPool1d": (1, F.avg_pool1d, (8, 2, 2), 3, 3),
    "meanPool1dOverlap": (1, F.avg_pool1d, (7, 2, 2), 3, 2),
    "maxPool2d": (2, F.max_pool2d, (2, 5, 4, 2), (2, 2), (2, 2)),
    "maxPool2dOverlap": (2, F.max_pool2d, (1, 5, 6, 2), (3, 2), (2, 1)),
    "meanPool2d": (2, F.avg_pool2d, (1, 5, 6, 2), (3, 2), (2, 1)),
}


def normal(*shape):
    """Inputs are kept to 3 decimals, so that the file stays short."""
    values = [round(v, 3) for v in torch.randn(*shape).flatten().tolist()]
    return torch.tensor(values).reshape(shape)


def dump(tensor):
    return {"shape": list(tensor.shape), "data": tensor.detach().flatten().tolist()}


def back(order):
    return [order.index(axis) for axis in range(len(order))]


def case(options, shape, weight_shape, axes, call):
    order, weight_order = ORDER[axes]
    x = normal(*shape).requires_grad_()
    weight = normal(*weight_shape).requires_grad_() if weight_shape else None
    y = call(x.permute(order), weight.permute(weight_order) if weight_shape else None).permute(back(order))
    w_y = normal(*y.shape)
    (y * w_y).sum().backward()
    both = {"x": x} if weight is None else {"x": x, "weight": weight}
    return {
        "options": options,
        **{name: dump(value) for name, value in {**both, "wY": w_y, "y": y}.items()},
        "grad": {name: dump(value.grad) for name, value in both.items()},
    }


def main():
    torch.manual_seed(7)
    golden = {}
    for name, (axes, shape, weight_shape, ours, theirs) in CONVOLUTIONS.items():
        function = F.conv1d if axes == 1 else F.conv2d
        golden[name] = case(ours, shape, weight_shape, axes, lambda x, w: function(x, w, **theirs))
    for name, (axes, function, shape, size, stride) in POOLS.items():
        golden[name] = case({"size": size, "stride": stride}, shape, None, axes, lambda x, _: function(x, size, stride))
    path = Path(__file__).with_name("convolution.json")
    path.write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in golden.items()) + "\n}\n")


if __name__ == "__main__":
    main()
