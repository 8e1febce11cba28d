/** Exported models: what ONNX Runtime and our own importer give for them, which operators they use, and what cannot be exported. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, numbers } from "../../../test/close.js";
import { openOnnx } from "../../../test/onnx-runtime.js";
import { layerNormLstm, peephole } from "../../../test/user-cells.js";
import { OptionError } from "../../core/index.js";
import {
  bidirectional,
  type Cell,
  coupledLstm,
  dense,
  elman,
  gru,
  gruResetBefore,
  irnn,
  linear,
  lstm,
  peepholeLstm,
  type RecurrentLayer,
  recurrent,
  stacked,
} from "../../nn/index.js";
import {
  add,
  concatenate,
  mean,
  multiply,
  randomKey,
  reshape,
  reverse,
  sigmoid,
  split,
  subtract,
  tanh,
} from "../../ops/index.js";
import { scan } from "../../scan/index.js";
import { mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";
import { exportOnnx } from "./export.js";
import { exportLayerOnnx, onnxStates } from "./export-layer.js";
import { readExportedOnnx } from "./export-weights.js";
import { importOnnx } from "./import.js";
import { decodeOnnx, type OnnxGraph } from "./proto.js";

type AnyCell = Cell<TensorTree, TensorTree>;
type AnyLayer = RecurrentLayer<TensorTree, TensorTree>;
type MakeCell = (sizes: { readonly inputSize: number; readonly hiddenSize: number }) => AnyCell;

/** float32, sums in another order, over a handful of steps. */
const CLOSE = 1e-5;

const operatorsOf = (bytes: Uint8Array): string[] => [
  ...new Set((decodeOnnx(bytes, "model").graph as OnnxGraph).node!.map(({ opType }) => opType as string)),
];
/** The recurrent operators of a model. */
const loopsOf = (bytes: Uint8Array): string[] =>
  operatorsOf(bytes).filter((operator) => ["RNN", "LSTM", "GRU", "Scan"].includes(operator));

const asRecord = (tree: TensorTree, prefix: string): Record<string, Tensor> =>
  Object.fromEntries(tensorsByPath(tree).map(([path, value]) => [path === "" ? prefix : `${prefix}.${path}`, value]));

/** Random numbers in the form of a tree, so that nothing is hidden by zeros. */
const randomLike = <T extends TensorTree>(tree: T, seed: number): T => {
  let next = seed;
  return mapTensors(({ shape }) => numbers(next++, shape, "float32"), tree);
};

const withTwoWeights: MakeCell = ({ inputSize, hiddenSize }) => {
  const base = lstm({ inputSize, hiddenSize });
  return {
    ...base,
    // One product of the concatenation [x, h], gates in another order of operations.
    step: ({ weightIh, weightHh, bias }, { h, c }, x) => {
      const gates = linear(concatenate([x, h]), concatenate([weightIh, weightHh]), bias);
      const [i, f, g, o] = split(gates, 4);
      const next = add(multiply(tanh(g), sigmoid(i)), multiply(c, sigmoid(f)));
      const y = multiply(tanh(next), sigmoid(o));
      return [{ h: y, c: next }, y];
    },
  } as typeof base as unknown as AnyCell;
};

const NATIVE: readonly (readonly [string, unknown, string])[] = [
  ["elman", elman, "RNN"],
  ["irnn", irnn, "RNN"],
  ["lstm", lstm, "LSTM"],
  ["peepholeLstm", peepholeLstm, "LSTM"],
  ["coupledLstm", coupledLstm, "LSTM"],
  ["gru", gru, "GRU"],
  ["gruResetBefore", gruResetBefore, "GRU"],
];
const OTHERS: readonly (readonly [string, unknown, string])[] = [["lstm with one product", withTwoWeights, "Scan"]];

describe.each([...NATIVE, ...OTHERS] as readonly (readonly [string, MakeCell, string])[])("%s", (_, make, operator) => {
  const size = fc.integer({ min: 1, max: 5 });
  test(`is ${operator}, and gives our outputs and states for random sizes, layers, directions and lengths`, async () => {
    const sizes = fc.record({
      inputSize: size,
      hiddenSize: size,
      layers: fc.integer({ min: 1, max: 3 }),
      direction: fc.constantFrom("forward", "reverse", "both"),
      time: fc.integer({ min: 1, max: 7 }),
      batch: size,
      ragged: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ inputSize, hiddenSize, layers, direction, time, batch, ragged }) => {
        const width = direction === "both" ? 2 * hiddenSize : hiddenSize;
        const layer = stacked(
          Array.from({ length: layers }, (_, index): AnyLayer => {
            const cell = make({ inputSize: index === 0 ? inputSize : width, hiddenSize });
            return direction === "both"
              ? (bidirectional(cell) as AnyLayer)
              : recurrent(cell, { reverse: direction === "reverse" });
          }),
        ) as AnyLayer;
        const params = randomLike(layer.init(randomKey(1)), 10);
        const bytes = exportLayerOnnx(layer, { params, ragged });
        if (!ragged) expect(loopsOf(bytes)).toEqual([operator]);
        const [x, carry] = [numbers(1, [time, batch, inputSize], "float32"), randomLike(layer.initialCarry(batch), 50)];
        const sequenceLengths = int32(Array.from({ length: batch }, (_, index) => (time * index) % (time + 1)));
        const ours = layer.apply(params, x, { carry, ...(ragged && { sequenceLengths }) });
        const inputs = { x, ...asRecord(carry, "initial"), ...(ragged && { sequenceLengths }) };
        const expected = { y: ours.outputs, ...asRecord(ours.carry, "final") };
        expectClose(await (await openOnnx(bytes))(inputs), expected, CLOSE);
        expectClose(importOnnx(bytes).run(inputs), expected, CLOSE);
        const { params: stored } = readExportedOnnx(bytes, "model");
        expectSame(Object.fromEntries(stored), asRecord(params, "layer"));
      }),
      { numRuns: 6 },
    );
  });
});

describe("cells of users", () => {
  const sample = { x: numbers(1, [4, 2, 3], "float32") };
  const export_ = (layer: unknown, params: TensorTree) => exportLayerOnnx(layer as AnyLayer, { params });

  test("one that happens to be an LSTM with peepholes becomes the operator", async () => {
    const layer = recurrent(peephole);
    const params = randomLike(layer.init(randomKey(1)), 1);
    const bytes = export_(layer, params);
    expect(loopsOf(bytes)).toEqual(["LSTM"]);
    const carry = layer.initialCarry(2);
    const ours = layer.apply(params, sample.x, { carry });
    const theirs = await (await openOnnx(bytes))({ ...sample, ...asRecord(carry, "initial") });
    expectClose(theirs, { y: ours.outputs, ...asRecord(ours.carry, "final") }, CLOSE);
  });

  test("one with layer normalisation becomes Scan, with the products of the inputs before the loop", async () => {
    const layer = recurrent(layerNormLstm);
    const params = randomLike(layer.init(randomKey(1)), 1);
    const bytes = export_(layer, params);
    const { node } = decodeOnnx(bytes, "model").graph as OnnxGraph;
    expect(loopsOf(bytes)).toEqual(["Scan"]);
    expect(node!.filter(({ opType }) => opType === "Gemm").length).toBe(1);
    const carry = randomLike(layer.initialCarry(2), 30);
    const ours = layer.apply(params, sample.x, { carry });
    const theirs = await (await openOnnx(bytes))({ ...sample, ...asRecord(carry, "initial") });
    expectClose(theirs, { y: ours.outputs, ...asRecord(ours.carry, "final") }, CLOSE);
  });

  // Each differs from a cell that has an operator by one detail.
  const base = lstm({ inputSize: 3, hiddenSize: 4 });
  type Step = typeof base.step;
  const gatesOf = ({ weightIh, weightHh, bias }: Parameters<Step>[0], h: Tensor, x: Tensor) =>
    split(add(linear(x, weightIh, bias), linear(h, weightHh)), 4);
  const near: readonly (readonly [string, Step])[] = [
    [
      "shows its cell",
      (params, state, x) => {
        const [next] = base.step(params, state, x);
        return [next, next.c];
      },
    ],
    [
      "has f and i the other way round",
      (params, { h, c }, x) => {
        const [f, i, g, o] = gatesOf(params, h, x);
        const next = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)));
        const y = multiply(sigmoid(o), tanh(next));
        return [{ h: y, c: next }, y];
      },
    ],
    [
      "hands on its cell as h and its h as the cell",
      (params, state, x) => {
        const [{ h, c }, y] = base.step(params, state, x);
        return [{ h: c, c: h }, y];
      },
    ],
    [
      "shows a sigmoid where tanh belongs",
      (params, { h, c }, x) => {
        const [i, f, g, o] = gatesOf(params, h, x);
        const next = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)));
        const y = multiply(sigmoid(o), sigmoid(next));
        return [{ h: y, c: next }, y];
      },
    ],
    [
      "reads the state with the transposed weights of the input",
      ({ weightHh, bias }, { h, c }, x) => {
        const gates = add(
          linear(concatenate([x, x.shape.length > 1 ? mean(x, { axes: -1, keepAxes: true }) : x]), weightHh, bias),
          linear(h, weightHh),
        );
        const [i, f, g, o] = split(multiply(gates, 0.5), 4);
        const next = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)));
        const y = multiply(sigmoid(o), tanh(next));
        return [{ h: y, c: next }, y];
      },
    ],
  ];
  test.each(near)("one that %s is not taken for an LSTM", async (_, step) => {
    const layer = recurrent({ ...base, step });
    const params = randomLike(layer.init(randomKey(1)), 1);
    const bytes = export_(layer, params);
    expect(loopsOf(bytes)).toEqual(["Scan"]);
    const carry = randomLike(layer.initialCarry(2), 30);
    const ours = layer.apply(params, sample.x, { carry });
    const theirs = await (await openOnnx(bytes))({ ...sample, ...asRecord(carry, "initial") });
    expectClose(theirs, { y: ours.outputs, ...asRecord(ours.carry, "final") }, CLOSE);
  });

  test("an LSTM in float64, which the operator does not do, becomes Scan", async () => {
    const layer = recurrent(base);
    const params = layer.init(randomKey(1), "float64");
    const x = numbers(1, [4, 2, 3]);
    const bytes = exportOnnx({
      params,
      inputs: { x: { dtype: "float64", shape: ["time", "batch", 3] } },
      apply: (params, { x }) => layer.apply(params, x as Tensor).outputs,
    });
    expect(loopsOf(bytes)).toEqual(["Scan"]);
    expectClose(await (await openOnnx(bytes))({ x }), { output: layer.apply(params, x).outputs }, 1e-12);
  });

  test("weights that are computed from parameters stay computed: Scan", async () => {
    const layer = recurrent(base);
    const params = layer.init(randomKey(1));
    const bytes = exportOnnx({
      params,
      inputs: { x: { shape: ["time", "batch", 3] } },
      apply: (params, { x }) =>
        layer.apply({ ...params, weightHh: multiply(params.weightHh, 0.5) }, x as Tensor).outputs,
    });
    const halved = { ...params, weightHh: multiply(params.weightHh, 0.5) };
    expect(loopsOf(bytes)).toEqual(["Scan"]);
    expectClose(await (await openOnnx(bytes))(sample), { output: layer.apply(halved, sample.x).outputs }, CLOSE);
  });
});

describe("exportLayerOnnx", () => {
  const layer = stacked([
    recurrent(lstm({ inputSize: 3, hiddenSize: 4 })),
    recurrent(lstm({ inputSize: 4, hiddenSize: 4 })),
  ]);
  const params = layer.init(randomKey(2));

  test("names states by their paths, and says in the metadata which output continues which input", () => {
    const model = decodeOnnx(exportLayerOnnx(layer, { params, metadata: { about: "a test" } }), "model");
    const [inputs, outputs] = [model.graph!.input!, model.graph!.output!].map((all) =>
      all.map(
        ({ name, type }) =>
          `${name} ${type!.tensorType!.shape!.dim!.map(({ dimParam, dimValue }) => dimParam ?? dimValue)}`,
      ),
    );
    expect(inputs).toEqual([
      "x time,batch,3",
      ...["0.c", "0.h", "1.c", "1.h"].map((path) => `initial.${path} batch,4`),
    ]);
    expect(outputs).toEqual([...["0.c", "0.h", "1.c", "1.h"].map((path) => `final.${path} batch,4`), "y time,batch,4"]);
    const metadata = Object.fromEntries(model.metadataProps!.map(({ key, value }) => [key, value as string]));
    expect(metadata.about).toBe("a test");
    expect(JSON.parse(metadata["through-time.states"]!)).toMatchObject({ "initial.1.c": "final.1.c" });
  });

  test("two pieces with the states handed on give what one run gives", async () => {
    const readout = {
      ...dense({ inputSize: 4, outputSize: 2 }),
      params: dense({ inputSize: 4, outputSize: 2 }).init(randomKey(3)),
    };
    const run = await openOnnx(exportLayerOnnx(layer, { params, readout }));
    const x = numbers(1, [9, 2, 3], "float32");
    const part = (from: number, to: number) => reshape(x, [9, 6]).data.slice(6 * from, 6 * to);
    const piece = (from: number, to: number): Tensor => ({
      dtype: "float32",
      shape: [to - from, 2, 3],
      data: part(from, to),
    });
    const start = asRecord(layer.initialCarry(2), "initial");
    const first = await run({ x: piece(0, 5), ...start });
    const states = Object.fromEntries(
      Object.keys(start).map((name) => [name, first[name.replace("initial", "final")]!]),
    );
    const second = await run({ x: piece(5, 9), ...states });
    const whole = readout.apply(readout.params, layer.apply(params, x).outputs);
    expectClose(concatenate([first.y!, second.y!], 0), whole, CLOSE);
  });
});

describe("exportOnnx", () => {
  test("shapes may be sums and products of names, counts and repeated numbers included", async () => {
    const bytes = exportOnnx({
      params: {},
      inputs: { x: { shape: ["time", "batch", 2] } },
      apply: (_, { x }) => {
        const [time, batch] = (x as Tensor).shape as [number, number, number];
        const flat = reshape(x as Tensor, [2 * time * batch]);
        const [total, sums] = scan((sum: Tensor, y: Tensor) => [add(sum, y), add(sum, y)], mean(flat), flat);
        return { total, sums, mean: mean(x as Tensor, { axes: [0, 1] }), both: concatenate([flat, flat]) };
      },
    });
    const run = await openOnnx(bytes);
    for (const [time, batch] of [
      [3, 2],
      [1, 1],
      [101, 5],
    ] as const) {
      const x = numbers(4, [time, batch, 2], "float32");
      const flat = reshape(x, [2 * time * batch]);
      const [total, sums] = scan((sum: Tensor, y: Tensor) => [add(sum, y), add(sum, y)], mean(flat), flat);
      const expected = { total, sums, mean: mean(x, { axes: [0, 1] }), both: concatenate([flat, flat]) };
      expectClose(await run({ x }), expected, CLOSE);
    }
  });

  test("a loop without sequences, and a loop inside a loop", async () => {
    const inner = (sum: Tensor, y: Tensor) => [add(sum, y), {}] as const;
    const f = (x: Tensor): Tensor => {
      const step = (total: Tensor) => [tanh(scan(inner, total, x)[0]), total] as const;
      const [last, all] = scan(step, multiply(x.shape.length === 2 ? mean(x, { axes: 0 }) : x, 1), {}, { length: 3 });
      return concatenate([reshape(last, [1, 2]), all], 0);
    };
    const bytes = exportOnnx({
      params: {},
      inputs: { x: { shape: ["time", 2] } },
      apply: (_, { x }) => f(x as Tensor),
    });
    const x = numbers(5, [4, 2], "float32");
    expectClose(await (await openOnnx(bytes))({ x }), { output: f(x) }, CLOSE);
  });

  const refusal = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      expect(error).toBeInstanceOf(OptionError);
      return (error as Error).message;
    }
    return expect.unreachable("it should have failed");
  };

  test("refuses what depends on a length in another way, and functions that differ from size to size", () => {
    const tryOut = (apply: (x: Tensor) => TensorTree) =>
      refusal(() =>
        exportOnnx({ params: {}, inputs: { x: { shape: ["time"] } }, apply: (_, { x }) => apply(x as Tensor) }),
      );
    expect(tryOut((x) => multiply(x, 1 / x.shape[0]!))).toContain(
      "exportOnnx: fill depends on time in another way than by sums and products",
    );
    expect(tryOut((x) => (x.shape[0]! > 150 ? tanh(x) : sigmoid(x)))).toContain(
      "the function does other operations at other sizes of time (near ",
    );
    expect(tryOut((x) => (x.shape[0]! > 150 ? subtract(tanh(x), x) : subtract(x, tanh(x))))).toContain(
      "the function does other operations at other sizes of time (near subtract)",
    );
    const steps = (x: Tensor) => reshape(x, [1, -1]);
    expect(tryOut((x) => (x.shape[0]! > 150 ? reverse(steps(x), 0) : reverse(steps(x), 1)))).toContain(
      "(near reverse)",
    );
    expect(tryOut((x) => add(x, numbers(1, x.shape, "float32")))).toContain(
      "a constant float32 tensor has other numbers at other sizes of time; make it an input",
    );
  });

  test("refuses names that clash, unknown options, and states that do not fit", () => {
    const x = { shape: [2] };
    const apply = (_: TensorTree, inputs: Readonly<Record<string, Tensor>>) => ({ y: tanh(inputs.x as Tensor) });
    expect(refusal(() => exportOnnx({ params: {}, inputs: { x, y: x }, apply }))).toContain(
      '"y" is the name of two inputs or outputs',
    );
    expect(refusal(() => exportOnnx({ params: {}, inputs: { x }, apply, opset: 9 } as never))).toContain(
      'there is no option "opset"',
    );
    const clash = { "through-time.weights": "?" };
    expect(refusal(() => exportOnnx({ params: {}, inputs: { x }, apply, metadata: clash }))).toContain(
      'metadata cannot have the key "through-time.weights"',
    );
    expect(refusal(() => exportOnnx({ params: {}, inputs: { x: { shape: ["a b"] } }, apply }))).toContain(
      '"a b" is no name for a length',
    );
    const paired = (states: Record<string, string>) =>
      refusal(() => exportOnnx({ params: {}, inputs: { x, z: { shape: [3] } }, apply, states }));
    expect(paired({ x: "h" })).toContain('states pairs "x" with "h", but there is no such output');
    expect(paired({ z: "y" })).toContain('the state "z" and the output "y" differ in type or shape');
    expect(refusal(() => onnxStates(() => numbers(1, [3], "float32")))).toContain("its first axis must be the batch");
  });
});
