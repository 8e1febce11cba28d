"""Writes the LSTM of a step or seq workload as an ONNX model: the workload as JSON in, the model out (python3-onnx)."""

import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import workload_numbers as numbers

workload = json.loads(sys.argv[1])
weights = numbers.layer_weights(workload, 0)
time, batch, inputs, hidden = (workload[name] for name in ("time", "batch", "inputSize", "hiddenSize"))


def onnx_order(values):
    i, f, g, o = np.split(values, 4, -1)
    return np.concatenate([i, o, f, g], -1)


constants = {
    "W": onnx_order(weights["input"]).T[None],
    "R": onnx_order(weights["recurrent"]).T[None],
    "B": np.concatenate([onnx_order(weights["bias"]), np.zeros(4 * hidden, np.float32)])[None],
}


def described(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


node = helper.make_node("LSTM", ["x", "W", "R", "B", "", "h", "c"], ["y", "nextH", "nextC"], hidden_size=hidden)
state = (1, batch, hidden)
graph = helper.make_graph(
    [node],
    "lstm",
    [described("x", time, batch, inputs), described("h", *state), described("c", *state)],
    [described("y", time, 1, batch, hidden), described("nextH", *state), described("nextC", *state)],
    [numpy_helper.from_array(np.ascontiguousarray(values), name) for name, values in constants.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
model.ir_version = 8
onnx.checker.check_model(model)
sys.stdout.buffer.write(model.SerializeToString())
