import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, f64, int32, numbers } from "../../../test/close.js";
import { optimize } from "../../compile/index.js";
import { DataError, FileError, ShapeError, ToolkitError } from "../../core/index.js";
import { lstm, recurrent } from "../../nn/index.js";
import { concatenate, mean, square } from "../../ops/index.js";
import type { Program } from "../../program/index.js";
import { compile } from "../../runtime/index.js";
import { type Tensor, tensor } from "../../tensor/index.js";
import { checkGradients, traceTree } from "../../transforms/index.js";
import { importOnnx, type NamedTensors } from "./import.js";
import {
  ELEMENT_TYPE,
  encodeOnnx,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from "./proto.js";

const value = (name: string, elemType: number, ...dims: (number | string)[]): OnnxValueInfo => {
  const dim = dims.map((length) => (typeof length === "number" ? { dimValue: length } : { dimParam: length }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
};

const { float, double, int64 } = ELEMENT_TYPE;
const model = (graph: OnnxGraph, version = 17) => encodeOnnx({ graph, opsetImport: [{ version }] });

/** One node from a float input x of any shape to y. */
const single = (node: OnnxNode, initializer: OnnxTensor[] = [], version?: number) =>
  importOnnx(
    model(
      {
        node: [{ input: ["x"], output: ["y"], ...node }],
        initializer,
        input: [{ name: "x", type: { tensorType: { elemType: float } } }],
        output: [value("y", float)],
      },
      version,
    ),
    "m",
  );

const doubles = (name: string, { shape, data }: Tensor): OnnxTensor => ({
  name,
  dims: shape,
  dataType: double,
  doubleData: [...data],
});

const [TIME, BATCH, INPUT, HIDDEN] = [3, 2, 2, 3];

/** An LSTM in float64: X [time, batch, 2] to Y [time, 1, batch, 3]. */
const network = (attribute: OnnxAttribute[] = []) =>
  importOnnx(
    model({
      node: [{ opType: "LSTM", input: ["x", "W", "R", "B"], output: ["y", "h"], attribute }],
      initializer: [
        doubles("W", numbers(1, [1, 4 * HIDDEN, INPUT])),
        doubles("R", numbers(2, [1, 4 * HIDDEN, HIDDEN])),
        doubles("B", numbers(3, [1, 8 * HIDDEN])),
      ],
      input: [value("x", double, "time", "batch", INPUT)],
      output: [value("y", double), value("h", double)],
    }),
  );

const x = numbers(4, [TIME, BATCH, INPUT]);

describe("importOnnx", () => {
  test("says what a model takes, gives and holds", () => {
    const imported = importOnnx(
      model({
        node: [{ opType: "Gather", input: ["w", "i"], output: ["y"] }],
        initializer: [
          { name: "w", dims: [2, 1], dataType: float, floatData: [1, 2] },
          { name: "unused", dims: [1], dataType: int64, int64Data: [1] },
        ],
        // Old files list constants among the inputs, too.
        input: [value("i", int64, "batch", "", 3), value("w", float, 2, 1)],
        output: [{ name: "y", type: { tensorType: { elemType: float } } }],
      }),
    );
    expect(imported.inputs).toEqual([{ name: "i", elementType: "int64", dtype: "int32", shape: ["batch", "?", 3] }]);
    expect(imported.outputs).toEqual([{ name: "y", elementType: "float", dtype: "float32", shape: undefined }]);
    expect(imported.opset).toBe(17);
    expect(Object.keys(imported.parameters)).toEqual(["w"]);
    expect(String(imported.run({ i: int32([0, 1, 1], [1, 1, 3]) }).y)).toBe("float32[1,1,3,1] [[[[1],[2],[2]]]]");
  });

  test("a model can be differentiated for its parameters and its inputs", () => {
    const { parameters, apply } = network();
    const loss = (params: NamedTensors, xs: Tensor) => mean(square(apply(params, { x: xs }).y as Tensor));
    checkGradients(loss, [parameters, x]);
  });

  test("an LSTM with the usual settings is the cell of the toolkit", () => {
    const { parameters, run } = network();
    const layer = recurrent(lstm({ inputSize: INPUT, hiddenSize: HIDDEN }));
    const [w, r, b] = ["W", "R", "B"].map((name) => [...(parameters[name] as Tensor).data]) as [
      number[],
      number[],
      number[],
    ];
    /** Blocks i, o, f, c as i, f, c, o. */
    const ordered = (values: readonly number[], width: number) => {
      const block = (index: number) =>
        f64(values.slice(index * HIDDEN * width, (index + 1) * HIDDEN * width), [HIDDEN, width]);
      return concatenate([0, 2, 3, 1].map(block), 0);
    };
    const sums = b.slice(0, 4 * HIDDEN).map((own, index) => own + b[4 * HIDDEN + index]!);
    const bias = f64([...ordered(sums, 1).data]);
    const params = { weightIh: ordered(w, INPUT), weightHh: ordered(r, HIDDEN), bias };
    const { outputs, carry } = layer.apply(params, x);
    const results = run({ x });
    expectClose(
      [...results.y!.data].map((each) => f64([each])),
      [...outputs.data].map((each) => f64([each])),
      1e-12,
    );
    expectClose(results.h!, f64([...carry.h.data], [1, BATCH, HIDDEN]), 1e-12);
  });

  test("such an LSTM steps with one product, and on the kernels", () => {
    const imported = single(
      {
        opType: "LSTM",
        input: ["x", "W", "R"],
        attribute: [],
      },
      [
        { name: "W", dims: [1, 12, 2], dataType: float, floatData: new Array<number>(24).fill(0.1) },
        { name: "R", dims: [1, 12, 3], dataType: float, floatData: new Array<number>(36).fill(0.1) },
      ],
    );
    const forward = (fed: Tensor) => imported.apply(imported.parameters, { x: fed });
    const xs = tensor(new Float32Array(12), { shape: [3, 2, 2] });
    const { program } = optimize(traceTree(forward, [xs]).program);
    const loop = program.equations.find(({ primitive }) => primitive.name === "scan");
    const { body } = loop!.params as { body: Program };
    expect(body.equations.filter(({ primitive }) => primitive.name === "matmul")).toHaveLength(1);
    expect(compile(forward).kernels(xs).name).not.toBe("reference");
  });

  test("what follows from shapes is known for every size", () => {
    const constant = (name: string, ...ints: number[]): OnnxTensor => ({
      name,
      dims: [ints.length],
      dataType: int64,
      int64Data: ints,
    });
    const imported = importOnnx(
      model({
        node: [
          { opType: "Shape", input: ["x"], output: ["shape"] },
          { opType: "Gather", input: ["shape", "zero"], output: ["rows"] },
          { opType: "Mul", input: ["rows", "two"], output: ["twice"] },
          { opType: "Concat", input: ["twice", "open"], output: ["target"], attribute: [{ name: "axis", i: 0 }] },
          { opType: "Reshape", input: ["x", "target"], output: ["y"] },
        ],
        initializer: [constant("zero", 0), constant("two", 2), constant("open", -1)],
        input: [value("x", float, "rows", 4)],
        output: [value("y", float)],
      }),
    );
    for (const rows of [1, 3]) {
      expect(imported.run({ x: tensor(new Float32Array(4 * rows), { shape: [rows, 4] }) }).y!.shape).toEqual([
        2 * rows,
        2,
      ]);
    }
  });

  test("infinities of one sign or both, and NaN, are found", () => {
    const xs = tensor([1, Number.NaN, Infinity, -Infinity]);
    const found = (opType: string, name: string) => [
      ...single({ opType, attribute: name === "" ? [] : [{ name, i: 0 }] }).run({ x: xs }).y!.data,
    ];
    expect(found("IsNaN", "")).toEqual([0, 1, 0, 0]);
    expect(found("IsInf", "")).toEqual([0, 0, 1, 1]);
    expect(found("IsInf", "detect_negative")).toEqual([0, 0, 1, 0]);
    expect(found("IsInf", "detect_positive")).toEqual([0, 0, 0, 1]);
  });

  test("ThresholdedRelu inside a recurrent node begins at 1, as the operator does", () => {
    const weights = [1, 2, 3].map((seed, index) =>
      doubles(
        "WRB"[index]!,
        numbers(
          seed,
          [
            [1, 3, 2],
            [1, 3, 3],
            [1, 6],
          ][index]!,
        ),
      ),
    );
    const strings = [new TextEncoder().encode("thresholdedrelu")];
    const of = (attribute: OnnxAttribute[]) =>
      importOnnx(
        model({
          node: [
            {
              opType: "RNN",
              input: ["x", "W", "R", "B"],
              output: ["y"],
              attribute: [{ name: "activations", strings }, ...attribute],
            },
          ],
          initializer: weights,
          input: [value("x", double, 2, 2, 2)],
          output: [value("y", double)],
        }),
      ).run({ x: f64([3, -2, 4, 1, 0, 2, 2, -5], [2, 2, 2]) });
    const results = of([]);
    expect(results).toEqual(of([{ name: "activation_alpha", floats: [1] }]));
    expect([...results.y!.data].filter((each) => each > 1).length).toBeGreaterThan(0);
    expect(results).not.toEqual(of([{ name: "activation_alpha", floats: [0.1] }]));
  });
});

describe("importOnnx refuses", () => {
  test.each<[what: string, graph: OnnxGraph, sentence: string, version?: number]>([
    ["an operator set before 7", {}, '"m" uses operator set 6; export it with 7 or newer', 6],
    [
      "unknown operators, all of them, and in graphs inside",
      {
        node: [
          { opType: "ConvTranspose", name: "conv1" },
          { opType: "If", attribute: [{ name: "then_branch", g: { node: [{ opType: "Einsum", output: ["e"] }] } }] },
          { opType: "Attention", domain: "com.microsoft", name: "a" },
        ],
      },
      '"m" contains operators that are not supported: node "conv1" (ConvTranspose), node "e" (Einsum), node "a" (Attention) of com.microsoft',
    ],
    [
      "an input that is no tensor of numbers",
      { input: [value("s", ELEMENT_TYPE.string)] },
      '"m": "s" has the type string, which',
    ],
    [
      "a constant in another file",
      { initializer: [{ name: "w", dataType: float, dims: [1], dataLocation: 1 }] },
      '"m": initializer "w" keeps its elements in another file',
    ],
  ])("%s", (_, graph, sentence, version) => {
    expect(() => importOnnx(model(graph, version), "m")).toThrow(FileError);
    expect(() => importOnnx(model(graph, version), "m")).toThrow(sentence);
  });

  test("a file with changed bytes, where it cannot be used, with nothing but errors of the toolkit", () => {
    const node = { opType: "RNN", input: ["x", "W", "R"], output: ["y"], attribute: [{ name: "hidden_size", i: 1 }] };
    const ones = (name: string): OnnxTensor => ({ name, dims: [1, 1, 1], dataType: float, floatData: [1] });
    const graph = { node: [node], initializer: [ones("W"), ones("R")], input: [value("x", float, "t", 1, 1)] };
    const bytes = model({ ...graph, output: [value("y", float)] });
    const attempt = (changed: Uint8Array) => {
      try {
        const { parameters, apply } = importOnnx(changed);
        apply(parameters, { x: tensor([[[1]], [[2]]]) });
      } catch (error) {
        expect(error).toBeInstanceOf(ToolkitError);
      }
    };
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (place, byte) => attempt(bytes.with(place, byte))),
      { numRuns: 500 },
    );
  });

  test("a cut file", () => {
    const bytes = model({ node: [{ opType: "Relu", input: ["x"], output: ["y"] }] });
    expect(() => importOnnx(bytes.subarray(0, bytes.length - 9), "m")).toThrow('"m" is damaged or not an ONNX model: ');
  });
});

describe("a model refuses", () => {
  const fed = tensor([[1, 2]]);
  const text = (name: string, s: string): OnnxAttribute => ({ name, s: new TextEncoder().encode(s) });
  const texts = (name: string, ...all: string[]): OnnxAttribute => ({
    name,
    strings: all.map((each) => new TextEncoder().encode(each)),
  });
  const matrix = (name: string, ...dims: number[]): OnnxTensor => ({
    name,
    dims,
    dataType: float,
    floatData: new Array<number>(dims.reduce((size, length) => size * length, 1)).fill(0),
  });
  const weights = [matrix("W", 1, 3, 2), matrix("R", 1, 3, 3)];
  const rnn = (...attribute: OnnxAttribute[]): OnnxNode => ({
    opType: "RNN",
    name: "r",
    input: ["x", "W", "R"],
    attribute,
  });
  const sequence = tensor([[[1, 2]]]);

  test.each<[what: string, node: OnnxNode, sentence: string, initializer?: OnnxTensor[], input?: Tensor]>([
    [
      "an attribute that an operator does not have",
      { opType: "Relu", name: "r1", attribute: [{ name: "slope", f: 1 }] },
      '"m": node "r1" (Relu) has the attribute "slope", which is not supported',
    ],
    [
      "a name that nothing gives",
      { opType: "Relu", input: ["z"] },
      'node "y" (Relu) reads "z", which nothing before it gives',
    ],
    ["an input left out", { opType: "Add" }, 'node "y" (Add) has no input 1, which the operator needs'],
    [
      "an output that is not there",
      { opType: "Relu", output: ["y", "w"] },
      '(Relu) has an output 1 ("w"), which is not supported',
    ],
    [
      "a shape that is computed from numbers",
      { opType: "Reshape", input: ["x", "x"] },
      "(Reshape) computes its shape from the numbers of an input; it must follow from shapes and constants alone",
    ],
    [
      "shapes that do not fit",
      { opType: "MatMul", input: ["x", "x"] },
      "(MatMul) cannot be computed: matmul: float32[1,2] and",
    ],
    [
      "another way to pad",
      { opType: "Pad", attribute: [text("mode", "mirror")] },
      '(Pad) has mode "mirror", but only constant, reflect, edge, wrap are supported',
    ],
    [
      "a pool whose last window stands out",
      {
        opType: "MaxPool",
        attribute: [
          { name: "kernel_shape", ints: [2] },
          { name: "strides", ints: [2] },
          { name: "ceil_mode", i: 1 },
        ],
      },
      "(MaxPool) has ceil_mode, and a window that stands out of axis 2; that is not supported",
      [],
      tensor([[[1, 2, 3]]]),
    ],
    [
      "a window of other axes than the tensor has",
      { opType: "AveragePool", attribute: [{ name: "kernel_shape", ints: [2, 2] }] },
      "(AveragePool) has a window of 2 axes for float32[1,2]; it needs one for each behind two",
    ],
    [
      "an unknown activation",
      rnn(texts("activations", "Gelu")),
      'node "r" (RNN) has the activation Gelu; known are Relu, ',
      weights,
      sequence,
    ],
    [
      "too many activations",
      rnn(texts("activations", "Tanh", "Relu")),
      "has 2 activations, but needs 1",
      weights,
      sequence,
    ],
    [
      "an activation without its number",
      rnn(texts("activations", "ScaledTanh")),
      "has the activation ScaledTanh, but no activation_alpha for it",
      weights,
      sequence,
    ],
    [
      "an unknown direction",
      rnn(text("direction", "back")),
      'direction "back", but only forward, reverse, bidirectional',
      weights,
      sequence,
    ],
    [
      "weights of another size",
      rnn(),
      "needs W of shape [1,3,2], but was given float32[1,3,4]",
      [matrix("W", 1, 3, 4), weights[1]!],
      sequence,
    ],
    [
      "a loop that only a condition ends",
      { opType: "Loop", input: ["m", "", "x"], attribute: [{ name: "body", g: {} }] },
      "(Loop) has no number of iterations; loops until a condition are not supported",
      [{ name: "m", dataType: int64, rawData: new Uint8Array(BigInt64Array.of(2n ** 63n - 1n).buffer) }],
    ],
    ["an X without time", rnn(), "needs an input X with 3 axes, but was given float32[1,2]", weights],
  ])("%s", (_, node, sentence, initializer = [], input = fed) => {
    const { run } = single(node, initializer);
    expect(() => run({ x: input })).toThrow(FileError);
    expect(() => run({ x: input })).toThrow(sentence);
  });

  test("inputs that it does not have, or that do not fit", () => {
    const { run } = network();
    expect(() => run({ x, X: x })).toThrow(new DataError('"the model" has no input "X"; did you mean "x"?'));
    expect(() => run({})).toThrow(new DataError('"the model" needs the input "x", float64[time,batch,2]'));
    expect(() => run({ x: numbers(1, [3, 2, 1]) })).toThrow(
      new ShapeError('"the model": the input "x" must be float64[time,batch,2], but is float64[3,2,1]'),
    );
  });

  test("parameters that are not its own", () => {
    const { parameters, apply } = network();
    const { W, ...others } = parameters;
    expect(() => apply(others, { x })).toThrow('the parameter "W" must be float64[1,12,2], but is missing');
    expect(() => apply({ ...parameters, W: x }, { x })).toThrow('"W" must be float64[1,12,2], but is float64[3,2,2]');
    expect(() => apply({ ...parameters, w: W as Tensor }, { x })).toThrow('"the model" has no parameter "w"');
  });
});
