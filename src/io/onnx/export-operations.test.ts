/** Every operation as ONNX nodes: ONNX Runtime gives what the reference gives. */

import { describe, expect, test } from "vitest";
import { expectClose } from "../../../test/close.js";
import { type OperationCase, operationCases } from "../../../test/contracts/operation.cases.js";
import { kernelOperations } from "../../../test/kernel-operations.js";
import { openOnnx } from "../../../test/onnx-runtime.js";
import { OptionError } from "../../core/index.js";
import * as ops from "../../ops/index.js";
import { type Tensor, type TensorTree, tensor, tensorsByPath } from "../../tensor/index.js";
import { exportOnnx } from "./export.js";

/** Functions of float32, summed and rounded in another order. */
const ROUNDED = 5e-6;
/** Operations that ONNX cannot express. */
const REFUSED = ["fold", "uniform", "normal", "bernoulli", "splitKey", "foldIn"];
/** Cases with a float64 constant of their own. */
const WITH_DOUBLE = ["with a constant"];

const toFloat32 = (x: Tensor): Tensor => (x.dtype === "float64" ? ops.cast(x, "float32") : x);

const byPath = (tree: TensorTree): Record<string, Tensor> =>
  Object.fromEntries(tensorsByPath(tree).map(([path, value]) => [path === "" ? "output" : path, value]));

const exported = (f: OperationCase["f"], inputs: Readonly<Record<string, Tensor>>): Uint8Array =>
  exportOnnx({ params: {}, inputs, apply: (_, named) => f(...Object.values(named)) });

async function compare(f: OperationCase["f"], given: readonly Tensor[]): Promise<void> {
  const inputs = Object.fromEntries(given.map((x, index) => [`x${index}`, x]));
  const run = await openOnnx(exported(f, inputs));
  expectClose(await run(inputs), byPath(f(...given)), ROUNDED);
}

describe.each(Object.entries(operationCases).filter(([name]) => !REFUSED.includes(name)))("%s", (_, cases) => {
  test.each(cases.map((one) => [one.about, one] as const))("%s", async (about, { f, inputs }) => {
    await compare(f, WITH_DOUBLE.includes(about) ? inputs() : inputs().map(toFloat32));
  });
});

const [a, b] = [tensor([-1.5, 0, 2, 2, 1e-8]), tensor([-1.5, 1, 1, 2, -3])];
const [m, n] = [tensor([[0, 3, 0, -1]], { dtype: "int32" }), tensor([[1, 0, 0, -1]], { dtype: "int32" })];
const odd = tensor([1, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
/** Operations without derivatives. */
const others: Readonly<Record<string, readonly (readonly [OperationCase["f"], ...Tensor[]])[]>> = {
  equal: [
    [ops.equal, a, b],
    [ops.equal, m, n],
  ] as never,
  notEqual: [
    [ops.notEqual, a, b],
    [ops.notEqual, m, n],
  ] as never,
  greater: [
    [ops.greater, a, b],
    [ops.greater, m, n],
  ] as never,
  greaterEqual: [
    [ops.greaterEqual, a, b],
    [ops.greaterEqual, m, n],
  ] as never,
  less: [
    [ops.less, a, b],
    [ops.less, m, n],
  ] as never,
  lessEqual: [
    [ops.lessEqual, a, b],
    [ops.lessEqual, m, n],
  ] as never,
  isFiniteNumber: [[ops.isFiniteNumber as never, odd]],
  logicalAnd: [[ops.logicalAnd, m, n]] as never,
  logicalOr: [[ops.logicalOr, m, n]] as never,
  logicalNot: [[ops.logicalNot as never, m]],
  cast: [
    [(x) => ops.cast(x as Tensor, "int32"), tensor([1.7, -1.7, 0])],
    [(x) => ops.cast(x as Tensor, "float64"), a],
    [(x) => ops.cast(x as Tensor, "float32"), m],
  ],
  stopGradient: [[(x) => ops.stopGradient(x as Tensor), a]],
  argmax: [
    [(x) => ops.argmax(x as Tensor), m],
    [(x) => ops.argmax(x as Tensor, 0), ops.reshape(a, [5, 1])],
  ],
  oneHot: [[(x) => ops.oneHot(x as Tensor, 4), m]],
  fill: [
    [(x) => ops.add(x as Tensor, ops.fill([5], -0.5)), a],
    [() => ops.fill([2, 3], 7, "int32"), a],
  ],
  zeros: [[() => ops.zeros([2]), a]],
  ones: [[() => ops.ones([2], "int32"), a]],
  zerosLike: [[(x) => ops.zerosLike(x as Tensor), m]],
  range: [[() => ops.range(4), a]],
  identity: [[(x) => ops.matmul(ops.identity(5), ops.reshape(x as Tensor, [5, 1])), a]],
};

describe.each(Object.entries(others))("%s", (_, cases) => {
  test("gives what the reference gives", async () => {
    for (const [f, ...inputs] of cases) await compare(f, inputs);
  });
});

test("log1p and expm1 keep the digits of small numbers", async () => {
  const x = tensor([1e-7, -3e-6, 1e-3, -0.4, 0.7, 5, 30, 0]);
  const run = await openOnnx(exported((x) => [ops.log1p(x as Tensor), ops.expm1(x as Tensor)], { x }));
  const outputs = await run({ x });
  for (const [name, f] of [
    ["0", Math.log1p],
    ["1", Math.expm1],
  ] as const) {
    outputs[name]!.data.forEach((value, k) => {
      const wanted = f(x.data[k]!);
      expect(Math.abs(value - wanted), `${name}[${k}]`).toBeLessThanOrEqual(2e-6 * Math.abs(wanted));
    });
  }
});

test("every operation is exported and compared, or refused", () => {
  const compared = [...Object.keys(operationCases), ...Object.keys(others)];
  const all = Object.keys(kernelOperations).filter((name) => name !== "randomKey");
  expect(all.filter((name) => compared.includes(name) === REFUSED.includes(name) && name !== "fold")).toEqual([]);
});

test("what ONNX has no operator for is refused by name", () => {
  const refusal = (f: OperationCase["f"], inputs: Record<string, Tensor>): string => {
    try {
      exported(f, inputs);
    } catch (error) {
      expect(error).toBeInstanceOf(OptionError);
      return (error as Error).message;
    }
    return expect.unreachable("it should have failed");
  };
  const key = ops.randomKey(1);
  expect(refusal((key) => ops.normal(key as Tensor, [3]), { key })).toContain(
    "exportOnnx: normal draws random numbers, which ONNX has no operator for; leave the key out",
  );
  for (const draw of [
    (key: Tensor) => ops.uniform(key, [2]),
    (key: Tensor) => ops.bernoulli(key, 0.5, [2]),
    (key: Tensor) => ops.splitKey(key),
    (key: Tensor) => ops.foldIn(key, 3),
  ]) {
    expect(refusal((key) => draw(key as Tensor), { key })).toContain("draws random numbers");
  }
  const { f, inputs } = operationCases.fold![0] as OperationCase;
  expect(refusal(f, { x: inputs()[0] as Tensor })).toBe(
    "exportOnnx: there is no way to write the operation fold in ONNX; compute it outside of the model",
  );
});
