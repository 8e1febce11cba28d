"""Golden values of ONNX operators: small models made with onnx.helper and run by ONNX Runtime, in onnx.json.

Each case holds a model (base64), and a run of it: inputs and outputs, {name: {dtype, shape, data}} each. Batch-first recurrent nodes (layout 1),
which ONNX Runtime lacks, are run as time-first ones, with their tensors transposed.

    pip install numpy onnx onnxruntime
    python make_onnx.py            # writes onnx.json beside itself
"""

import base64
import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

generator = np.random.default_rng(7)
cases = {}


def floats(*shape, low=-1.0, high=1.0):
    return np.round(generator.uniform(low, high, shape), 2).astype(np.float32)


def ints(*values, dtype=np.int64):
    return np.array(values, dtype=dtype)


def plain(array):
    array = np.asarray(array)
    if array.dtype.kind == "f":
        data = [float(f"{x:.8g}") for x in array.reshape(-1)]
        dtype = "float64" if array.dtype == np.float64 else "float32"
    else:
        data, dtype = [int(x) for x in array.reshape(-1)], "int32"
    return {"dtype": dtype, "shape": list(array.shape), "data": data}


def plain_all(arrays):
    return {name: plain(array) for name, array in arrays.items()}


def info(name, array):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def outputs_of(model, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, inputs), strict=True))


def make_model(nodes, inputs, outputs, constants, opset):
    graph = helper.make_graph(
        nodes,
        "g",
        [info(name, value) for name, value in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=4 if opset < 15 else 10)


def typed(model, results):
    """The model with the types of its outputs filled in."""
    for output in model.graph.output:
        output.CopyFrom(info(output.name, np.asarray(results[output.name])))
    return model


def add_case(name, model, inputs, results):
    assert name not in cases, name
    cases[name] = {
        "model": base64.b64encode(model.SerializeToString()).decode(),
        "runs": [{"inputs": plain_all(inputs), "outputs": plain_all(results)}],
    }


def operator(name, arguments, opset=17, outputs=1, constants=(), **attributes):
    """One node; `arguments` are its inputs, of which `constants` (by position) stand in the model, and None are left out."""
    names = ["" if value is None else f"x{index}" for index, value in enumerate(arguments)]
    values = {n: np.asarray(v) for n, v in zip(names, arguments, strict=True) if v is not None}
    held = {names[index]: values[names[index]] for index in constants}
    inputs = {n: v for n, v in values.items() if n not in held}
    results = [f"y{index}" for index in range(outputs)]
    node = helper.make_node(name.split(":")[0], names, results, **attributes)
    model = make_model([node], inputs, results, held, opset)
    found = outputs_of(model, inputs)
    add_case(f"{name} {opset}" if ":" not in name else name, typed(model, found), inputs, found)


# ------------------------------------------------------------------------------------------------ numbers one by one

x, y = floats(2, 3), floats(2, 3)
for name in ["Abs", "Ceil", "Cos", "Exp", "Floor", "Identity", "Neg", "Sign", "Sin", "Relu", "Sigmoid", "Softplus"]:
    operator(name, [3 * x])
for name in ["Softsign", "Tanh", "Elu", "HardSigmoid", "LeakyRelu", "ThresholdedRelu"]:
    operator(name, [3 * x])
operator("Elu:alpha", [3 * x], alpha=0.3)
operator("HardSigmoid:alpha, beta", [3 * x], alpha=0.4, beta=0.25)
operator("LeakyRelu:alpha", [x], alpha=0.25)
operator("ThresholdedRelu:alpha", [x], alpha=0.25)
for name in ["Log", "Reciprocal", "Sqrt"]:
    operator(name, [floats(4, low=0.2, high=3)])
operator("Abs:whole numbers", [ints(-2, 3)])
for name in ["Add", "Sub", "Mul", "Div"]:
    operator(name, [x, floats(3, low=0.5)])
operator("Add:opset 7", [x, floats(1, 3)], opset=7)
operator("Div:whole numbers", [ints(7, -7, 9), ints(2, 2, -4)])
operator("Pow", [floats(2, 3, low=0.2), np.float32(2.5)])
operator("Pow:square", [x, np.array(2, np.float32)], constants=[1])
operator("Mod", [ints(7, -7, 7, -7), ints(3, 3, -3, -3)])
operator("Mod:fmod", [floats(4, low=-3, high=3), np.float32([0.7, 0.7, -0.7, 1])], fmod=1)
for name in ["Max", "Min", "Sum", "Mean"]:
    operator(name, [x, y, floats(3)])
operator("PRelu", [x, floats(3)])
for name in ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]:
    operator(name, [ints(1, 2, 3), ints(3, 2, 1)])
for name in ["And", "Or", "Xor"]:
    operator(name, [np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)])
operator("Not", [np.array([0, 1], bool)])
operator("Where", [np.array([[1], [0]], bool), x, floats(3)])
operator("Cast:to int64", [np.float32([1.7, -1.7])], to=TensorProto.INT64)
operator("Cast:to bool", [np.float32([0, -0.5, 2])], to=TensorProto.BOOL)
operator("Cast:to double", [x], to=TensorProto.DOUBLE)
operator("Cast:to float", [ints(3, -4)], to=TensorProto.FLOAT, opset=9)
operator("Clip", [x, np.float32(-0.3), np.float32(0.4)], constants=[1, 2])
operator("Clip:only above", [x, None, np.float32(0.4)])
operator("Clip:opset 7", [x], opset=7, min=-0.2, max=0.1)
operator("Dropout", [x, np.float32(0.5)], constants=[1])

# ------------------------------------------------------------------------------------------------------- products

operator("Gemm", [floats(2, 3), floats(3, 4), floats(4)])
operator("Gemm:all settings", [floats(3, 2), floats(4, 3), floats(2, 1)], alpha=0.5, beta=2.0, transA=1, transB=1)
operator("Gemm:no C", [floats(2, 3), floats(4, 3)], transB=1)
operator("MatMul", [floats(2, 3), floats(3, 4)])
operator("MatMul:batches", [floats(2, 1, 2, 3), floats(4, 3, 2)])
operator("MatMul:vector, matrix", [floats(3), floats(2, 3, 4)])
operator("MatMul:matrix, vector", [floats(2, 4, 3), floats(3)])
operator("MatMul:vectors", [floats(3), floats(3)])

# ----------------------------------------------------------------------------------------------------- along axes

big = floats(2, 3, 2)
REDUCTIONS = ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"]
for name in REDUCTIONS:
    values = floats(2, 3, 2, low=0.2) if name == "LogSum" else big
    operator(f"Reduce{name}", [values], opset=11, axes=[1, -1], keepdims=0)
    operator(f"Reduce{name}", [values, ints(0)], opset=18, constants=[1])
operator("ReduceSum:all", [big])
operator("ReduceSum:of no axes", [big, ints()], constants=[1], noop_with_empty_axes=1)
operator("ArgMax", [big], axis=1)
operator("ArgMax:no axis kept", [big], axis=-1, keepdims=0)
operator("ArgMin", [big], axis=1)
for name in ["Softmax", "LogSoftmax"]:
    operator(name, [3 * big])
    operator(f"{name}:axis", [3 * big], axis=1)
    operator(f"{name}:opset 11", [3 * big], opset=11)
operator("LayerNormalization", [3 * big, floats(2), floats(2)])
operator("LayerNormalization:all outputs", [3 * big, floats(3, 2)], outputs=3, axis=1, epsilon=0.1)
operator("BatchNormalization", [big, floats(3), floats(3), floats(3), floats(3, low=0.2)], epsilon=0.01)

# ----------------------------------------------------------------------------------------- shapes, elements moved

operator("Concat", [floats(2, 1), floats(2, 3)], axis=-1)
operator("Constant:tensor", [], value=numpy_helper.from_array(x))
operator("Constant:float", [], value_float=0.5)
operator("Constant:ints", [], value_ints=[3, -1])
operator("Constant:half precision", [], value=numpy_helper.from_array(np.float16([0.1, -65504, 6e-8, 0])))
operator("ConstantOfShape", [ints(2, 1)], constants=[0], value=numpy_helper.from_array(ints(5)))
operator("ConstantOfShape:zeros", [ints(2)], constants=[0])
operator("Expand", [floats(3, 1), ints(2, 1, 4)], constants=[1])
operator("Flatten", [big])
operator("Flatten:axis", [big], axis=-1)
operator("Gather", [floats(4, 2), ints(1, -1, 0).reshape(3, 1)])
operator("Gather:axis", [big, ints(2, 0).reshape(1, 2)], axis=1)
operator("Gather:one index", [big, np.array(-1)], constants=[1], axis=1)
operator("GatherElements", [big, generator.integers(-3, 3, (2, 1, 2))], axis=1)
operator("GatherND", [big, np.array([[0, 1], [-1, 2]])])
operator("OneHot", [ints(1, -1, 5), np.array(3), floats(2)], constants=[1])
operator("OneHot:axis", [ints(1, 0).reshape(1, 2), ints(3), ints(7, 9)], constants=[1], axis=1)
operator("Pad", [x, ints(0, 1, 1, 0)], constants=[1])
operator("Pad:value, cut", [x, ints(1, -1, 0, 2), np.float32(0.5)], constants=[1])
operator("Pad:axes", [x, ints(1, 2), None, ints(-1)], constants=[1, 3], opset=18)
operator("Pad:opset 7", [x], opset=7, pads=[0, 1, 1, 0], value=0.25)
operator("Range", [np.float32(1), np.float32(2.6), np.float32(0.5)], constants=[0, 1, 2])
operator("Range:down", [np.array(5), np.array(0), np.array(-2)], constants=[0, 1, 2])
operator("Reshape", [big, ints(0, -1)], constants=[1])
operator("Reshape:allowzero", [floats(0, 3), ints(3, 0)], constants=[1], allowzero=1)
operator("ReverseSequence", [floats(4, 3, 2), ints(2, 4, 1)], time_axis=0, batch_axis=1)
operator("ReverseSequence:batch first", [floats(2, 4), ints(3, 1)], time_axis=1, batch_axis=0)
operator("Shape", [big])
operator("Shape:part", [big], start=1, end=-1)
operator("Size", [big])
operator("Slice:attributes", [big], opset=9, axes=[1, 2], starts=[1, 0], ends=[1000, -1])
operator("Slice:no axes", [big, ints(0, 1), ints(1, 9223372036854775807)], constants=[1, 2])
operator("Slice:backwards", [big, ints(-1), ints(-9223372036854775807), ints(1), ints(-2)], constants=[1, 2, 3, 4])
operator("Slice:steps", [floats(7), ints(1), ints(6), ints(0), ints(2)], constants=[1, 2, 3, 4])
operator("Slice:backwards, part", [floats(7), ints(5), ints(1), ints(0), ints(-1)], constants=[1, 2, 3, 4])
operator("Slice:nothing", [floats(4), ints(3), ints(1), ints(0)], constants=[1, 2, 3])
operator("Split", [floats(4, 2)], outputs=2)
operator("Split:attribute", [floats(4, 2)], opset=11, outputs=2, split=[1, 3])
operator("Split:lengths", [floats(2, 4), ints(3, 1)], outputs=2, axis=-1, constants=[1])
operator("Split:last shorter", [floats(5)], opset=18, outputs=3, num_outputs=3)
operator("Squeeze", [floats(1, 3, 1), ints(-1)], constants=[1])
operator("Squeeze:all", [floats(1, 3, 1)])
operator("Squeeze:attribute", [floats(1, 3, 1)], opset=11, axes=[0])
operator("Tile", [floats(2, 1), ints(2, 3)], constants=[1])
operator("Transpose", [big])
operator("Transpose:perm", [big], perm=[1, 0, 2])
operator("Unsqueeze", [x, ints(-1, 0)], constants=[1])
operator("Unsqueeze:attribute", [x], opset=11, axes=[1])

# ------------------------------------------------------------------------------------------------- graphs inside


def graph(nodes, inputs, outputs):
    def value(name, dtype, shape=None):
        return helper.make_tensor_value_info(name, dtype, shape)

    return helper.make_graph(nodes, "inner", [value(*i) for i in inputs], [value(*o) for o in outputs])


FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
step = graph(
    [
        helper.make_node("MatMul", ["h", "x1"], ["u"]),
        helper.make_node("Add", ["u", "s"], ["v"]),
        helper.make_node("Tanh", ["v"], ["next"]),
        helper.make_node("Mul", ["next", "q"], ["shown"]),
        helper.make_node("Neg", ["next"], ["negated"]),
    ],
    [("h", FLOAT), ("s", FLOAT), ("q", FLOAT)],
    [("next", FLOAT), ("shown", FLOAT), ("negated", FLOAT)],
)


def scan_case(name, arguments, **attributes):
    names = ["x0", "x1", "x2", "x3"]
    node = helper.make_node("Scan", ["x0", "x2", "x3"], ["y0", "y1", "y2"], body=step, num_scan_inputs=2, **attributes)
    inputs = dict(zip(names, arguments, strict=True))
    model = make_model([node], inputs, ["y0", "y1", "y2"], {}, 17)
    found = outputs_of(model, inputs)
    add_case(name, typed(model, found), inputs, found)


scan_case("Scan", [floats(2, 3), floats(3, 3), floats(4, 2, 3), floats(4, 2, 3)])
scan_case(
    "Scan:axes, directions",
    [floats(2, 3), floats(3, 3), floats(2, 4, 3), floats(4, 2, 3)],
    scan_input_axes=[1, 0],
    scan_input_directions=[0, 1],
    scan_output_axes=[-1, 0],
    scan_output_directions=[0, 1],
)
body = graph(
    [
        helper.make_node("Add", ["total", "x0"], ["sum"]),
        helper.make_node("Cast", ["iteration"], ["number"], to=FLOAT),
        helper.make_node("Mul", ["sum", "number"], ["shown"]),
        helper.make_node("Identity", ["condition"], ["again"]),
    ],
    [("iteration", INT64, []), ("condition", BOOL, []), ("total", FLOAT, [2])],
    [("again", BOOL, []), ("sum", FLOAT, [2]), ("shown", FLOAT, [2])],
)
inputs = {"x0": floats(2), "x1": floats(2)}
node = helper.make_node("Loop", ["count", "", "x1"], ["y0", "y1"], body=body)
model = make_model([node], inputs, ["y0", "y1"], {"count": np.array(3)}, 17)
found = outputs_of(model, inputs)
add_case("Loop", typed(model, found), inputs, found)

branches = {
    "then_branch": graph([helper.make_node("Neg", ["x1"], ["a"])], [], [("a", FLOAT)]),
    "else_branch": graph([helper.make_node("Exp", ["x1"], ["b"])], [], [("b", FLOAT)]),
}
for name, held in [("If", ["x0"]), ("If:condition computed", [])]:
    values = {"x0": np.array(False), "x1": floats(2)}
    inputs = {key: value for key, value in values.items() if key not in held}
    node = helper.make_node("If", ["x0"], ["y0"], **branches)
    model = make_model([node], inputs, ["y0"], {key: values[key] for key in held}, 17)
    found = outputs_of(model, inputs)
    add_case(name, typed(model, found), inputs, found)

# ------------------------------------------------------------------------------------------------------ recurrent

TIME, BATCH, INPUT, HIDDEN = 4, 3, 2, 2
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FUNCTIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
ALL = ["B", "sequence_lens", "initial_h", "initial_c", "P"]


def recurrent(name, optional=(), direction="forward", layout=0, opset=14, **attributes):
    kind = name.split(":")[0]
    directions = 2 if direction == "bidirectional" else 1
    rows = GATES[kind] * HIDDEN
    values = {
        "X": floats(TIME, BATCH, INPUT),
        "W": floats(directions, rows, INPUT),
        "R": floats(directions, rows, HIDDEN),
        "B": floats(directions, 2 * rows),
        "sequence_lens": ints(3, 4, 1, dtype=np.int32),
        "initial_h": floats(directions, BATCH, HIDDEN),
        "initial_c": floats(directions, BATCH, HIDDEN),
        "P": floats(directions, 3 * HIDDEN),
    }
    order = list(values) if kind == "LSTM" else list(values)[:6]
    names = [n if n in ["X", "W", "R", *optional] else "" for n in order]
    while names[-1] == "":
        names.pop()
    results = ["Y", "Y_h", "Y_c"] if kind == "LSTM" else ["Y", "Y_h"]
    used = {n: values[n] for n in names if n}
    inputs = {n: v for n, v in used.items() if n in ["X", "sequence_lens", "initial_h"]}
    constants = {n: v for n, v in used.items() if n not in inputs}
    settings = {"hidden_size": HIDDEN, "direction": direction, **attributes}
    node = helper.make_node(kind, names, results, name=kind.lower(), **settings)
    model = make_model([node], inputs, results, constants, opset)
    found = outputs_of(model, inputs)
    if layout == 1:
        states = {"initial_h", "initial_c", "X", "Y_h", "Y_c"}
        turn = lambda n, v: v.transpose(2, 0, 1, 3) if n == "Y" else v.swapaxes(0, 1) if n in states else v
        inputs, constants, found = ({n: turn(n, v) for n, v in d.items()} for d in (inputs, constants, found))
        node = helper.make_node(kind, names, results, name=kind.lower(), layout=1, **settings)
        model = make_model([node], inputs, results, constants, opset)
    add_case(name, typed(model, found), inputs, found)


ACTIVATIONS = {
    "Relu": 0,
    "Tanh": 0,
    "Sigmoid": 0,
    "Softsign": 0,
    "Softplus": 0,
    "LeakyRelu": 1,
    "ThresholdedRelu": 1,
    "Elu": 1,
    "HardSigmoid": 2,
    "ScaledTanh": 2,
    "Affine": 2,
}
NO_DEFAULT = ["ThresholdedRelu", "ScaledTanh", "Affine"]  # in ONNX Runtime; the specification has 1 for the first
for kind in GATES:
    for direction in ["forward", "reverse", "bidirectional"]:
        recurrent(f"{kind}:{direction}", direction=direction)
        recurrent(f"{kind}:{direction}, all inputs", ALL, direction)
        recurrent(f"{kind}:{direction}, batch first", ALL[:4], direction, layout=1)
    recurrent(f"{kind}:opset 7", ["B"], opset=7)
    recurrent(f"{kind}:opset 22", ["B", "initial_h"], opset=22)
    recurrent(f"{kind}:sequence_lens alone", ["sequence_lens"])
    recurrent(f"{kind}:clip", ["B"], clip=0.3)
    recurrent(f"{kind}:clip, bidirectional, all inputs", ALL, "bidirectional", clip=0.2)
    for index, (activation, settings) in enumerate(ACTIVATIONS.items()):
        others = ["Tanh", "Softsign"][: FUNCTIONS[kind] - 1]
        place = index % FUNCTIONS[kind]
        names = [*others[:place], activation, *others[place:]]
        if activation not in NO_DEFAULT:
            recurrent(f"{kind}:{activation}", ["B"], activations=names)
        if settings > 0:
            given = {"activation_alpha": [0.3], **({"activation_beta": [0.6]} if settings == 2 else {})}
            recurrent(f"{kind}:{activation} with settings", ["B"], activations=names, **given)
mixed = {"activation_alpha": [0.4, 0.05, 0.7], "activation_beta": [0.3, 0.9]}
for kind, names in {
    "RNN": ["HardSigmoid", "ScaledTanh"],
    "GRU": ["HardSigmoid", "LeakyRelu", "Sigmoid", "ScaledTanh"],
    "LSTM": ["HardSigmoid", "LeakyRelu", "Tanh", "Sigmoid", "Tanh", "ScaledTanh"],
}.items():
    recurrent(f"{kind}:both directions differ", ALL, "bidirectional", activations=names, **mixed)
for reset in [0, 1]:
    recurrent(f"GRU:linear_before_reset {reset}", ["B", "initial_h"], linear_before_reset=reset)
    recurrent(f"GRU:linear_before_reset {reset}, clip", ["B"], linear_before_reset=reset, clip=0.3)
recurrent("GRU:linear_before_reset 1, all", ALL, "bidirectional", linear_before_reset=1)
recurrent("LSTM:input_forget", ["B"], input_forget=1)
recurrent("LSTM:input_forget, all", ALL, "bidirectional", input_forget=1, clip=0.5)
recurrent("LSTM:peepholes", ["B", "P"])
recurrent("LSTM:peepholes, clip", ["B", "P"], clip=0.2)

# ------------------------------------------------------------------------------- windows, and what models with them need

sequence, image = floats(2, 2, 7), floats(1, 4, 4, 5)
operator("Conv:one axis", [sequence, floats(3, 2, 3), floats(3)], constants=[1, 2])
operator("Conv:one axis, all settings", [sequence, floats(4, 1, 2)], group=2, strides=[2], dilations=[3], pads=[2, 1])
operator("Conv:two axes", [floats(2, 3, 4, 3), floats(2, 3, 3, 2), floats(2)], kernel_shape=[3, 2])
moves = {"strides": [2, 1], "dilations": [1, 2], "pads": [1, 0, 2, 3]}
operator("Conv:two axes, all settings", [image, floats(6, 2, 3, 2)], group=2, **moves)
operator("Conv:a kernel for each channel", [image, floats(4, 1, 3, 3)], group=4, pads=[1, 1, 1, 1])
operator("Conv:without padding", [sequence, floats(2, 2, 4)], auto_pad="VALID")
for auto in ["SAME_UPPER", "SAME_LOWER"]:
    operator(f"Conv:{auto}", [image, floats(2, 4, 2, 3), floats(2)], auto_pad=auto, strides=[1, 2])
    operator(f"MaxPool:{auto}", [image], auto_pad=auto, kernel_shape=[2, 3], strides=[2, 1])
operator("MaxPool", [sequence - 2], kernel_shape=[3], pads=[1, 1])
operator("MaxPool:all settings", [image - 2], kernel_shape=[2, 2], **moves | {"pads": [1, 0, 1, 1]})
operator("MaxPool:three axes", [floats(1, 2, 3, 4, 2)], kernel_shape=[2, 3, 2], strides=[1, 1, 2])
operator("MaxPool:rounded up", [image], kernel_shape=[2, 3], strides=[2, 2], ceil_mode=1)
operator("AveragePool", [sequence], kernel_shape=[3], strides=[2])
pads = {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 1, 2, 0]}
operator("AveragePool:with padding", [image], **pads)
operator("AveragePool:with padding that counts", [image], count_include_pad=1, **pads)
operator("AveragePool:dilations", [image], opset=19, kernel_shape=[2, 2], dilations=[2, 3], pads=[1, 0, 0, 1])
operator("GlobalAveragePool", [image])
operator("GlobalMaxPool", [sequence])
operator("InstanceNormalization", [image, floats(4), floats(4)], epsilon=0.01)
operator("Erf", [np.float32([-7, -4.1, -2.5, -0.47, -0.46, -1e-6, 0, 0.2, 0.46875, 0.9, 1.5, 3, 5, 100])])
operator("Gelu", [3 * x], opset=20)
operator("Gelu:tanh", [3 * x], opset=20, approximate="tanh")
operator("HardSwish", [np.float32([-4, -3, -1, 0, 0.5, 2.5, 3, 4])])
operator("Selu", [3 * x])
operator("Selu:settings", [x], alpha=0.5, gamma=2.0)
operator("CumSum", [big, np.array(1)], constants=[1])
operator("CumSum:exclusive, reverse", [ints(3, 1, 4, 1), np.array(-1)], constants=[1], exclusive=1, reverse=1)
operator("Pad:reflect", [image, ints(0, 0, 2, 1, 0, 0, 1, 3)], constants=[1], mode="reflect")
operator("Pad:edge", [x, ints(1, 2, 0, 1)], constants=[1], mode="edge")
operator("Pad:wrap", [x, ints(0, 2, 1, 3)], constants=[1], opset=19, mode="wrap")

path = pathlib.Path(__file__).with_name("onnx.json")
lines = [f"{json.dumps(name)}: {json.dumps(case, separators=(',', ':'))}" for name, case in cases.items()]
path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(f"{len(cases)} cases, {path.stat().st_size} bytes; onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
