"""The same starting weights and data as ../numbers.ts, for the peers in Python."""

import math

import numpy as np

READOUT_SIZE, LEARNING_RATE = 10, 0.1
GATES = {"lstm": 4, "gru": 3, "rnn": 1, "peephole": 4, "lnlstm": 4}


def hashed_numbers(shape, seed, scale):
    count = math.prod(shape)
    salt = np.uint32((seed * 0x3C6EF35F) & 0xFFFFFFFF)
    with np.errstate(over="ignore"):
        bits = np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x1D872B41) ^ salt
        bits = (bits ^ (bits >> np.uint32(15))) * np.uint32(0x5BD1E995)
        bits = (bits ^ (bits >> np.uint32(13))) * np.uint32(0x27D4EB2F)
        bits = bits ^ (bits >> np.uint32(16))
    return ((bits.astype(np.float64) / 2**32 * 2 - 1) * scale).astype(np.float32).reshape(shape)


def scale_of(workload):
    return 1 / math.sqrt(workload["hiddenSize"])


def layer_weights(workload, layer):
    """Input-major: input [I, G*H], recurrent [H, G*H], bias [G*H]; peepholes i, f, o [H] for their cell."""
    hidden, scale, seed = workload["hiddenSize"], scale_of(workload), 10 * layer
    columns = GATES[workload["cell"]] * hidden
    rows = workload["inputSize"] if layer == 0 else hidden
    weights = {
        "input": hashed_numbers((rows, columns), seed + 1, scale),
        "recurrent": hashed_numbers((hidden, columns), seed + 2, scale),
        "bias": hashed_numbers((columns,), seed + 3, scale),
    }
    if workload["cell"] == "peephole":
        for offset, name in enumerate(("peep_i", "peep_f", "peep_o"), start=4):
            weights[name] = hashed_numbers((hidden,), seed + offset, scale)
    if workload["cell"] == "lnlstm":
        weights["gain_input"] = weights["gain_recurrent"] = np.ones(columns, np.float32)
        weights["gain_c"], weights["shift_c"] = np.ones(hidden, np.float32), np.zeros(hidden, np.float32)
    return weights


def readout_weights(workload):
    scale = scale_of(workload)
    return (
        hashed_numbers((workload["hiddenSize"], READOUT_SIZE), 901, scale),
        hashed_numbers((READOUT_SIZE,), 902, scale),
    )


def inputs(workload):
    return hashed_numbers((workload["time"], workload["batch"], workload["inputSize"]), 903, 1)


def targets(workload):
    return hashed_numbers((workload["batch"], READOUT_SIZE), 904, 1)


def factors(workload):
    rows, inner, columns = workload["rows"], workload["inner"], workload["columns"]
    return hashed_numbers((rows, inner), 905, 1), hashed_numbers((inner, columns), 906, 1)


def mean_absolute(values):
    return float(np.abs(np.asarray(values, np.float64)).mean())
