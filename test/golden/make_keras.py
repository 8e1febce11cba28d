"""Golden values of the recurrent layers of Keras 3, in float32.

How to run, in any environment with keras and numpy (made with Keras 3.15):

    KERAS_BACKEND=numpy python make_keras.py

It writes keras.json beside this file. Running it again gives the same file.

A case holds: layer (as fromKeras names it), weights (by their paths, without the
name of the layer), x [T, B, I], and y [T, B, units] (twice as wide with both
directions), which the layer gives for x from a zero state. A tensor is
{"shape": [...], "data": [...]}, row-major. x and the weights have 3 decimals.
"""

import json
from pathlib import Path

import keras
import numpy as np

T, B, I, UNITS = 4, 2, 3, 3
OPTIONS = {"return_sequences": True}
LAYERS = {
    "SimpleRNN": lambda: keras.layers.SimpleRNN(UNITS, name="simple_rnn", **OPTIONS),
    "LSTM": lambda: keras.layers.LSTM(UNITS, name="lstm", **OPTIONS),
    "GRU": lambda: keras.layers.GRU(UNITS, name="gru", **OPTIONS),
    "GRU(reset_after=False)": lambda: keras.layers.GRU(UNITS, reset_after=False, name="gru", **OPTIONS),
}
generator = np.random.default_rng(1)


def draw(shape):
    return np.round(generator.uniform(-0.9, 0.9, shape), 3)


def encode(array):
    array = np.asarray(array, dtype=np.float64)
    return {"shape": list(array.shape), "data": [round(value, 8) for value in array.flatten().tolist()]}


def case(kind, both):
    layer = LAYERS[kind]()
    if both:
        layer = keras.layers.Bidirectional(layer, name="both")
    x = draw((B, T, I))
    layer(x)
    weights = {}
    for weight in layer.weights:
        values = draw(weight.shape)
        weight.assign(values)
        weights[weight.path.split("/", 1)[1]] = encode(values)
    y = np.asarray(layer(x))
    return {
        "layer": kind,
        "weights": weights,
        "x": encode(x.transpose(1, 0, 2)),
        "y": encode(y.transpose(1, 0, 2)),
    }


cases = {f"{kind}{' both' if both else ''}": case(kind, both) for kind in LAYERS for both in (False, True)}
Path(__file__).with_name("keras.json").write_text(json.dumps(cases) + "\n")
