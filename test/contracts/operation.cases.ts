/**
 * Every differentiable operation with arguments for it, away from kinks: the gradient check and the compiled twin run
 * over this one table. A new operation belongs here, or, with a reason, into `withoutGradientCheck`.
 */

import * as ops from "../../src/ops/index.js";
import type { Tensor, TensorTree } from "../../src/tensor/index.js";
import { float64, int32, scalar, spread } from "../scalar-loops.js";

export interface OperationCase {
  /** What is special about this case; together with the name of the operation it is the name of the test. */
  readonly about: string;
  readonly f: (...inputs: Tensor[]) => TensorTree;
  /** Float64 arguments are differentiated, int32 ones are not. */
  readonly inputs: () => Tensor[];
}

const of = (about: string, f: OperationCase["f"], inputs: () => Tensor[]): OperationCase => ({ about, f, inputs });

const unary = (f: (x: Tensor) => Tensor, from = -2, to = 2): OperationCase[] => [
  of("of a matrix", f, () => [spread([2, 3], from, to)]),
  of("of a scalar", f, () => [scalar(from + 0.7 * (to - from))]),
  of("of nothing", f, () => [spread([0, 3])]),
];

type Binary = (a: Tensor | number, b: Tensor | number) => Tensor;

const binary = (f: Binary, [fromA, toA] = [-2, 2], [fromB, toB] = [-1.7, 2.5]): OperationCase[] => {
  const a = (...shape: number[]) => spread(shape, fromA, toA);
  const b = (...shape: number[]) => spread(shape, fromB, toB, 1);
  return [
    of("of one shape", f as OperationCase["f"], () => [a(2, 3), b(2, 3)]),
    of("that repeats the first", f as OperationCase["f"], () => [a(3), b(2, 3)]),
    of("that repeats both", f as OperationCase["f"], () => [a(2, 1), b(1, 3)]),
    of("that repeats a scalar", f as OperationCase["f"], () => [a(2, 2), scalar(1.3)]),
    of(
      "of a tensor with itself",
      (x) => f(x as Tensor, x as Tensor),
      () => [spread([4], 0.5, 2)],
    ),
    of(
      "with a number on the right",
      (x) => f(x as Tensor, 1.25),
      () => [a(4)],
    ),
    of(
      "with a number on the left",
      (x) => f(1.25, x as Tensor),
      () => [b(4)],
    ),
    of("of nothing", f as OperationCase["f"], () => [a(0, 3), b(3)]),
  ];
};

const reduction = (f: (x: Tensor, options?: ops.ReductionOptions) => Tensor): OperationCase[] => [
  of(
    "over all axes",
    (x) => f(x as Tensor),
    () => [spread([2, 3])],
  ),
  of(
    "over the first axis",
    (x) => f(x as Tensor, { axes: 0 }),
    () => [spread([2, 3])],
  ),
  of(
    "over the middle axis",
    (x) => f(x as Tensor, { axes: 1 }),
    () => [spread([2, 3, 2])],
  ),
  of(
    "over two axes that stay",
    (x) => f(x as Tensor, { axes: [0, -1], keepAxes: true }),
    () => [spread([2, 3, 2])],
  ),
  of(
    "over no axis",
    (x) => f(x as Tensor, { axes: [] }),
    () => [spread([3])],
  ),
  of(
    "over length 1",
    (x) => f(x as Tensor, { axes: 1 }),
    () => [spread([3, 1])],
  ),
];

const product = (about: string, shapeA: number[], shapeB: number[], options?: ops.MatmulOptions): OperationCase =>
  of(
    about,
    (a, b) => ops.matmul(a as Tensor, b as Tensor, options),
    () => [spread(shapeA), spread(shapeB, -1, 1.5, 1)],
  );

const mask = () => int32(1, 0, 1, 0, 1, 1);

/** Name of the exported operation -> cases. */
export const operationCases: Readonly<Record<string, readonly OperationCase[]>> = {
  negate: unary(ops.negate),
  abs: unary(ops.abs),
  sign: unary(ops.sign),
  floor: [
    of(
      "between whole numbers",
      (x) => ops.floor(x as Tensor),
      () => [float64(-1.6, -0.3, 0.4, 2.5)],
    ),
  ],
  exp: unary(ops.exp),
  log: unary(ops.log, 0.4, 3),
  log1p: unary(ops.log1p, -0.6, 2),
  expm1: unary(ops.expm1),
  sqrt: unary(ops.sqrt, 0.4, 3),
  reciprocal: [...unary(ops.reciprocal, 0.4, 3), ...unary(ops.reciprocal, -3, -0.4)],
  square: unary(ops.square),
  sin: unary(ops.sin),
  cos: unary(ops.cos),
  tanh: unary(ops.tanh),
  sigmoid: unary(ops.sigmoid),
  relu: unary(ops.relu),
  softplus: [
    ...unary(ops.softplus),
    of(
      "at 0",
      (x) => ops.softplus(x as Tensor),
      () => [float64(0, 30, -30)],
    ),
  ],

  add: binary(ops.add),
  subtract: binary(ops.subtract),
  multiply: binary(ops.multiply),
  divide: binary(ops.divide, [-2, 2], [0.5, 2.5]),
  power: binary(ops.power, [0.5, 2.5], [-1.7, 2.5]),
  maximum: binary(ops.maximum, [-2, 2], [-1.77, 2.45]),
  minimum: binary(ops.minimum, [-2, 2], [-1.77, 2.45]),
  select: [
    of(
      "between tensors",
      (c, a, b) => ops.select(c as Tensor, a as Tensor, b as Tensor),
      () => [mask(), spread([6]), spread([6], -1, 2, 1)],
    ),
    of(
      "that repeats all three",
      (c, a, b) => ops.select(c as Tensor, a as Tensor, b as Tensor),
      () => [mask(), spread([2, 1]), scalar(0.7)],
    ),
    of(
      "between a tensor and a number",
      (c, a) => ops.select(c as Tensor, a as Tensor, 3),
      () => [mask(), spread([6])],
    ),
    of(
      "between a number and a tensor",
      (c, b) => ops.select(c as Tensor, 3, b as Tensor),
      () => [mask(), spread([6])],
    ),
  ],
  clamp: [
    of(
      "inside and outside",
      (x) => ops.clamp(x as Tensor, -0.9, 1.1),
      () => [spread([8])],
    ),
  ],

  broadcastTo: [
    of(
      "a missing axis",
      (x) => ops.broadcastTo(x as Tensor, [2, 3]),
      () => [spread([3])],
    ),
    of(
      "an axis of length 1",
      (x) => ops.broadcastTo(x as Tensor, [2, 3, 2]),
      () => [spread([2, 1, 2])],
    ),
    of(
      "to nothing",
      (x) => ops.broadcastTo(x as Tensor, [0, 3]),
      () => [spread([1, 3])],
    ),
  ],
  sum: [
    ...reduction(ops.sum),
    of(
      "of nothing",
      (x) => ops.sum(x as Tensor, { axes: 0 }),
      () => [spread([0, 3])],
    ),
  ],
  mean: reduction(ops.mean),
  max: reduction(ops.max),
  min: reduction(ops.min),
  logSumExp: reduction(ops.logSumExp),

  matmul: [
    product("of matrices", [2, 3], [3, 4]),
    product("with the first transposed", [3, 2], [3, 4], { transposeA: true }),
    product("with the second transposed", [2, 3], [4, 3], { transposeB: true }),
    product("with both transposed", [3, 2], [4, 3], { transposeA: true, transposeB: true }),
    product("of blocks of four and a rest", [5, 6], [6, 9]),
    product("of batches", [2, 3, 2], [2, 2, 4]),
    product("of batches with the first transposed", [2, 2, 3], [2, 2, 4], { transposeA: true }),
    product("of batches with the second transposed", [2, 3, 2], [2, 4, 2], { transposeB: true }),
    product("of batches with both transposed", [2, 2, 3], [2, 4, 2], { transposeA: true, transposeB: true }),
    product("of three axes by two", [2, 3, 2], [2, 4]),
    product("of three axes by two transposed", [2, 3, 2], [4, 2], { transposeB: true }),
    product("of three axes transposed by two", [2, 2, 3], [2, 4], { transposeA: true }),
    product("of two axes by three", [3, 2], [2, 2, 4]),
    product("of batches that repeat", [2, 1, 2, 3], [3, 3, 2]),
    product("over an inner length of 0", [2, 0], [0, 3]),
    of(
      "of a matrix with itself",
      (x) => ops.matmul(x as Tensor, x as Tensor, { transposeB: true }),
      () => [spread([2, 3])],
    ),
  ],

  reshape: [
    of(
      "to other lengths",
      (x) => ops.reshape(x as Tensor, [3, 2]),
      () => [spread([2, 3])],
    ),
    of(
      "to a computed length",
      (x) => ops.reshape(x as Tensor, [-1]),
      () => [spread([2, 3])],
    ),
  ],
  expandDims: [
    of(
      "in the middle",
      (x) => ops.expandDims(x as Tensor, 1),
      () => [spread([2, 3])],
    ),
  ],
  squeeze: [
    of(
      "in the middle",
      (x) => ops.squeeze(x as Tensor, 1),
      () => [spread([2, 1, 3])],
    ),
  ],
  transpose: [
    of(
      "that reverses the axes",
      (x) => ops.transpose(x as Tensor),
      () => [spread([2, 3])],
    ),
    of(
      "that turns three axes around",
      (x) => ops.transpose(x as Tensor, [2, 0, 1]),
      () => [spread([2, 3, 4])],
    ),
  ],
  slice: [
    of(
      "with a start and an end",
      (x) => ops.slice(x as Tensor, 0, 1, 3),
      () => [spread([4, 2])],
    ),
    of(
      "with a step",
      (x) => ops.slice(x as Tensor, 1, 1, 5, 3),
      () => [spread([2, 6])],
    ),
    of(
      "of nothing",
      (x) => ops.slice(x as Tensor, 0, 2, 2),
      () => [spread([4])],
    ),
  ],
  split: [
    of(
      "in three",
      (x) => ops.split(x as Tensor, 3),
      () => [spread([2, 6])],
    ),
  ],
  at: [
    of(
      "from the end",
      (x) => ops.at(x as Tensor, -2, 1),
      () => [spread([2, 3])],
    ),
  ],
  pad: [
    of(
      "on both sides",
      (x) => ops.pad(x as Tensor, 1, 2, 1),
      () => [spread([2, 3])],
    ),
    of(
      "around nothing",
      (x) => ops.pad(x as Tensor, 0, 2, 1),
      () => [spread([0, 2])],
    ),
  ],
  concatenate: [
    of(
      "along the last axis",
      (...x) => ops.concatenate(x),
      () => [spread([2, 1]), spread([2, 3], -1, 1)],
    ),
    of(
      "of a tensor with itself",
      (x) => ops.concatenate([x as Tensor, x as Tensor], 0),
      () => [spread([2, 3])],
    ),
    of(
      "with a constant",
      (x) => ops.concatenate([ops.ones([2], "float64"), x as Tensor]),
      () => [spread([3])],
    ),
  ],
  stack: [
    of(
      "along a new middle axis",
      (...x) => ops.stack(x, 1),
      () => [spread([2, 3]), spread([2, 3], -1, 1)],
    ),
  ],
  reverse: [
    of(
      "along the last axis",
      (x) => ops.reverse(x as Tensor, -1),
      () => [spread([2, 3])],
    ),
  ],
  unfold: [
    of(
      "with overlap",
      (x) => ops.unfold(x as Tensor, 0, { size: 3, stride: 2 }),
      () => [spread([6, 2])],
    ),
    of(
      "with holes, into the last axis",
      (x) => ops.unfold(x as Tensor, 1, { size: 2, dilation: 2, into: -1 }),
      () => [spread([2, 5, 2])],
    ),
    of(
      "side by side",
      (x) => ops.unfold(x as Tensor, 0, { size: 2, stride: 2 }),
      () => [spread([5, 2])],
    ),
    of(
      "of what is shorter than a window",
      (x) => ops.unfold(x as Tensor, 0, { size: 3 }),
      () => [spread([2, 2])],
    ),
  ],
  fold: [
    of(
      "with overlap",
      (x) => ops.fold(x as Tensor, 0, 6, { stride: 2 }),
      () => [spread([2, 3, 2])],
    ),
    of(
      "with holes, from the last axis",
      (x) => ops.fold(x as Tensor, 1, 5, { dilation: 2, into: -1 }),
      () => [spread([2, 3, 2, 2])],
    ),
  ],
  conv1d: [
    of(
      "with a stride and zeros",
      (x, w) => ops.conv1d(x as Tensor, w as Tensor, { stride: 2, padding: "same" }),
      () => [spread([5, 2, 2]), spread([3, 3, 2], -1, 1, 1)],
    ),
    of(
      "in two groups, with holes",
      (x, w) => ops.conv1d(x as Tensor, w as Tensor, { groups: 2, dilation: 2, padding: "causal" }),
      () => [spread([4, 1, 4]), spread([2, 2, 2], -1, 1, 1)],
    ),
    of(
      "of each feature",
      (x, w) => ops.conv1d(x as Tensor, w as Tensor, { groups: 3 }),
      () => [spread([4, 2, 3]), spread([3, 2, 1], -1, 1, 1)],
    ),
  ],
  conv2d: [
    of(
      "with strides and zeros",
      (x, w) => ops.conv2d(x as Tensor, w as Tensor, { stride: [2, 1], padding: { height: "same", width: [0, 1] } }),
      () => [spread([2, 3, 3, 1]), spread([2, 3, 2, 1], -1, 1, 1)],
    ),
    of(
      "of each channel",
      (x, w) => ops.conv2d(x as Tensor, w as Tensor, { groups: 2 }),
      () => [spread([1, 3, 3, 2]), spread([2, 2, 2, 1], -1, 1, 1)],
    ),
  ],

  gather: [
    of(
      "with a row that comes twice",
      (table, k) => ops.gather(table as Tensor, k as Tensor),
      () => [spread([4, 2]), int32(3, 0, 3)],
    ),
  ],
  scatterAdd: [
    of(
      "with a row that comes twice",
      (table, k, rows) => ops.scatterAdd(table as Tensor, k as Tensor, rows as Tensor),
      () => [spread([4, 2]), int32(3, 0, 3), spread([3, 2], -1, 1)],
    ),
  ],
  dynamicSlice: [
    of(
      "inside",
      (x, start) => ops.dynamicSlice(x as Tensor, start as Tensor, 2),
      () => [spread([5, 2]), scalar(2, "int32")],
    ),
    of(
      "moved inside, along the last axis",
      (x, start) => ops.dynamicSlice(x as Tensor, start as Tensor, 2, 1),
      () => [spread([2, 3]), scalar(9, "int32")],
    ),
  ],
  dynamicUpdate: [
    of(
      "inside",
      (x, window, start) => ops.dynamicUpdate(x as Tensor, window as Tensor, start as Tensor),
      () => [spread([5, 2]), spread([2, 2], -1, 1), scalar(2, "int32")],
    ),
    of(
      "moved inside, along the last axis",
      (x, window, start) => ops.dynamicUpdate(x as Tensor, window as Tensor, start as Tensor, 1),
      () => [spread([2, 4]), spread([2, 2], -1, 1), scalar(-3, "int32")],
    ),
  ],
};

const constant = "makes constants: there is no float argument";
const whole = "the result is int32, which has no gradient";

/** Exported functions that the gradient check leaves out, with the reason. */
export const withoutGradientCheck: Readonly<Record<string, string>> = {
  fill: constant,
  zeros: constant,
  ones: constant,
  zerosLike: constant,
  range: constant,
  identity: constant,
  oneHot: constant,
  randomKey: constant,
  splitKey: constant,
  foldIn: constant,
  uniform: constant,
  normal: constant,
  bernoulli: constant,
  equal: whole,
  notEqual: whole,
  greater: whole,
  greaterEqual: whole,
  less: whole,
  lessEqual: whole,
  isFiniteNumber: whole,
  logicalAnd: whole,
  logicalOr: whole,
  logicalNot: whole,
  argmax: whole,
  cast: "differences of numbers rounded to float32 are noise; its gradient is tested by value in elementwise.test.ts",
  stopGradient: "its derivative is not that of its value, on purpose; tested in derivatives.test.ts",
  defineOperation: "makes operations, is none",
  paddingOf: "a pair of numbers, no tensor",
  windowCount: "a number, no tensor",
  addDerivatives: "adds up terms of derivative rules, some of them undefined",
};
