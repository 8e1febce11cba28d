/**
 * Random round trips with PyTorch, in both directions of travel: our weights in its modules, its weights in our layers, on sequences of
 * different lengths; and the ONNX models of the same layers in onnxruntime-node.
 *
 *     npm run test:interop
 *
 * Needs python3 with PyTorch (1.13 or newer); PYTHON names another interpreter. onnxruntime-node is used where it is installed:
 * `npm install --no-save onnxruntime-node`.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodePyTorch,
  encodePyTorch,
  exportLayerOnnx,
  fromPyTorch,
  type PyTorchLayer,
  type PyTorchModule,
  toPyTorch,
} from "../../src/io/index.js";
import {
  bidirectional,
  type Cell,
  elman,
  gru,
  lstm,
  type RecurrentLayer,
  recurrent,
  stacked,
} from "../../src/nn/index.js";
import { randomKey } from "../../src/ops/index.js";
import { mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../../src/tensor/index.js";
import { int32, largestError, numbers } from "../close.js";

interface Case {
  readonly module: PyTorchModule;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly both: boolean;
  readonly time: number;
  readonly batch: number;
}

const CELLS = { RNN: elman, LSTM: lstm, GRU: gru } as unknown as Readonly<
  Record<PyTorchModule, (sizes: { inputSize: number; hiddenSize: number }) => Cell<TensorTree, TensorTree>>
>;
const CASES = 60;
const CLOSE = 1e-5;

function layerOf({ module, inputSize, hiddenSize, layers, both }: Case): RecurrentLayer<TensorTree, TensorTree> {
  const make = (index: number): RecurrentLayer<TensorTree, TensorTree> => {
    const cell = CELLS[module]({ inputSize: index === 0 ? inputSize : hiddenSize * (both ? 2 : 1), hiddenSize });
    return both ? (bidirectional(cell) as unknown as RecurrentLayer<TensorTree, TensorTree>) : recurrent(cell);
  };
  return stacked(Array.from({ length: layers }, (_, index) => make(index))) as RecurrentLayer<TensorTree, TensorTree>;
}

/** Our last states as PyTorch has them: `[layers * directions, batch, hiddenSize]`, as plain numbers. */
const statesOf = (carry: TensorTree, name: string): number[] =>
  (carry as readonly TensorTree[]).flatMap((layer) => {
    const record = layer as Record<string, Record<string, Tensor>>;
    const cells = "forward" in record ? [record.forward, record.backward] : [record];
    return cells.flatMap((cell) => [...((cell as Record<string, Tensor>)[name] as Tensor).data]);
  });

const errorOf = (actual: Tensor, expected: Tensor): number => largestError(actual, expected).error;

test("PyTorch gives our outputs and states, and we give its", async () => {
  const folder = mkdtempSync(join(tmpdir(), "through-time-interop-"));
  const size = fc.integer({ min: 1, max: 7 });
  const cases = fc.sample(
    fc.record({
      module: fc.constantFrom<PyTorchModule>("RNN", "LSTM", "GRU"),
      inputSize: size,
      hiddenSize: size,
      layers: fc.integer({ min: 1, max: 3 }),
      both: fc.boolean(),
      time: fc.integer({ min: 1, max: 12 }),
      batch: size,
    }),
    CASES,
  );
  const made = cases.map((one, k) => {
    const layer = layerOf(one);
    let seed = 100 * k;
    const params = mapTensors(({ shape }) => numbers(seed++, shape, "float32"), layer.init(randomKey(k)));
    const x = numbers(k, [one.time, one.batch, one.inputSize], "float32");
    const lengths = int32(Array.from({ length: one.batch }, (_, row) => 1 + ((7 * row + k) % one.time)));
    const dictionary = toPyTorch(one.module, params as readonly PyTorchLayer<PyTorchModule>[]);
    writeFileSync(join(folder, `${k}.pt`), encodePyTorch(new Map([...dictionary, ["x", x], ["lengths", lengths]])));
    return { layer, params, x, lengths };
  });
  writeFileSync(join(folder, "cases.json"), JSON.stringify(cases));
  const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
  const version = execFileSync(process.env.PYTHON ?? "python3", [script, folder], { encoding: "utf8" }).trim();

  const worst = new Map<string, { cases: number; ours: number; theirs: number; onnx: number }>();
  const runtime = await onnxRuntime();
  for (const [k, one] of cases.entries()) {
    const { layer, params, x, lengths } = made[k]!;
    const { tensors } = decodePyTorch(readFileSync(join(folder, `${k}-out.pt`)), `${k}-out.pt`);
    const ours = layer.apply(params, x, { sequenceLengths: lengths });
    const states = (one.module === "LSTM" ? ["h", "c"] : ["h"]).map((name) => {
      const expected = tensors.get(name) as Tensor;
      return errorOf({ ...expected, data: Float32Array.from(statesOf(ours.carry, name)) }, expected);
    });
    const weights = new Map(
      [...tensors].filter(([name]) => /^theirs\..*_l\d/.test(name)).map(([name, value]) => [name, value]),
    );
    const theirs = fromPyTorch(one.module, weights, "theirs.");
    const again = layer.apply(theirs as TensorTree, x, { sequenceLengths: lengths });
    const onnx = await runtime?.(layer, params, x);
    const row = worst.get(one.module) ?? { cases: 0, ours: 0, theirs: 0, onnx: 0 };
    worst.set(one.module, {
      cases: row.cases + 1,
      ours: Math.max(row.ours, errorOf(ours.outputs, tensors.get("y") as Tensor), ...states),
      theirs: Math.max(row.theirs, errorOf(again.outputs, tensors.get("theirs.y") as Tensor)),
      onnx: Math.max(row.onnx, onnx ?? Number.NaN),
    });
  }
  rmSync(folder, { recursive: true });
  const table = [...worst].map(([module, { cases: count, ours, theirs, onnx }]) => ({
    module,
    cases: count,
    "our weights there": ours.toExponential(1),
    "its weights here": theirs.toExponential(1),
    "onnxruntime-node": Number.isNaN(onnx) ? "not installed" : onnx.toExponential(1),
  }));
  console.log(`PyTorch ${version}: largest |difference| / (1 + |value|)`);
  console.table(table);
  for (const row of worst.values()) {
    expect(Math.max(row.ours, row.theirs)).toBeLessThan(CLOSE);
    expect(Number.isNaN(row.onnx) || row.onnx < CLOSE).toBe(true);
  }
});

type Compare = (layer: RecurrentLayer<TensorTree, TensorTree>, params: TensorTree, x: Tensor) => Promise<number>;

/** Compares an exported layer in onnxruntime-node; nothing if that is not installed. */
async function onnxRuntime(): Promise<Compare | undefined> {
  const require = createRequire(import.meta.url);
  let ort: typeof import("onnxruntime-web");
  try {
    ort = require(process.env.ONNXRUNTIME_NODE ?? "onnxruntime-node");
  } catch {
    return undefined;
  }
  return async (layer, params, x) => {
    const session = await ort.InferenceSession.create(exportLayerOnnx(layer, { params }));
    const carry = layer.initialCarry(x.shape[1] as number);
    const feeds = [
      ["x", x] as const,
      ...tensorsByPath(carry).map(([path, value]) => [`initial.${path}`, value] as const),
    ];
    const results = await session.run(
      Object.fromEntries(
        feeds.map(([name, { data, shape }]) => [name, new ort.Tensor("float32", data as Float32Array, shape)]),
      ),
    );
    const ours = layer.apply(params, x, { carry });
    const final = tensorsByPath(ours.carry).map(([path, value]) => [`final.${path}`, value] as const);
    return Math.max(
      ...[["y", ours.outputs] as const, ...final].map(([name, value]) =>
        errorOf({ ...value, data: results[name]!.data as Float32Array }, value),
      ),
    );
  };
}
