/** Operators along axes: sums and their relatives, softmax, normalization. */

import { logSoftmax, softmax, standardize } from "../../../nn/index.js";
import {
  add,
  argmax,
  at,
  divide,
  expandDims,
  log,
  logSumExp,
  max,
  mean,
  min,
  multiply,
  negate,
  ones,
  type ReductionOptions,
  reciprocal,
  reshape,
  sqrt,
  square,
  subtract,
  sum,
  zeros,
} from "../../../ops/index.js";
import { scan } from "../../../scan/index.js";
import { normalizeAxis, sizeOf, type Tensor } from "../../../tensor/index.js";
import type { NodeCall, Operator } from "../node-call.js";
import { absolute } from "./arithmetic.js";
import { moveAxes } from "./axes.js";

type Reduction = (x: Tensor, options: ReductionOptions) => Tensor;

/** A reduction whose axes are an attribute in older operator sets and an input since. */
export const reduction =
  (reduce: Reduction): Operator =>
  (node) => {
    const x = node.input(0);
    const axes = node.listed("axes", 1) ?? [];
    const keepAxes = node.int("keepdims", 1) !== 0;
    const nothing = node.int("noop_with_empty_axes", 0) !== 0 && axes.length === 0;
    return reduce(x, { ...((axes.length > 0 || nothing) && { axes }), keepAxes });
  };

/** Product along axes, one factor after the other. */
export const product: Reduction = (x, { axes = x.shape.map((_, axis) => axis), keepAxes }) => {
  const sorted = [axes].flat().map((axis) => normalizeAxis("ReduceProd", axis, x.shape.length));
  return sorted
    .sort((a, b) => b - a)
    .reduce((result, axis) => {
      const factors = Array.from({ length: result.shape[axis] as number }, (_, index) => at(result, index, axis));
      const one = ones(result.shape.toSpliced(axis, 1), x.dtype);
      const all = factors.reduce((partial, factor) => multiply(partial, factor), one);
      return keepAxes === true ? expandDims(all, axis) : all;
    }, x);
};

/** Reductions by the name of their operator. */
export const REDUCTIONS = {
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceMax: max,
  ReduceMin: min,
  ReduceProd: product,
  ReduceL1: (x, options) => sum(absolute(x), options),
  ReduceL2: (x, options) => sqrt(sum(multiply(x, x), options)),
  ReduceSumSquare: (x, options) => sum(multiply(x, x), options),
  ReduceLogSum: (x, options) => log(sum(x, options)),
  ReduceLogSumExp: logSumExp,
} as const satisfies Readonly<Record<string, Reduction>>;

const indexOfLargest = (node: NodeCall, x: Tensor): Tensor => {
  const axis = node.axis(node.int("axis", 0), x.shape.length);
  const keepAxes = node.int("keepdims", 1) !== 0;
  if (node.int("select_last_index", 0) !== 0) throw node.error("has select_last_index, which is not supported");
  const index = argmax(x, axis);
  return keepAxes ? expandDims(index, axis) : index;
};

/** Index of the largest element along an axis. */
export const argMax: Operator = (node) => indexOfLargest(node, node.input(0));
/** Index of the smallest element along an axis. */
export const argMin: Operator = (node) => indexOfLargest(node, negate(node.input(0)));

/** A function along one axis. Before operator set 13 the axis stands for itself and all that follow, as one. */
const alongAxis =
  (apply: (x: Tensor, axis: number) => Tensor): Operator =>
  (node) => {
    const x = node.input(0);
    if (node.opset >= 13) return apply(x, node.int("axis", -1));
    const axis = node.axis(node.int("axis", 1), x.shape.length);
    const flat = reshape(x, [...x.shape.slice(0, axis), sizeOf(x.shape.slice(axis))]);
    return reshape(apply(flat, -1), x.shape);
  };

/** Softmax along the axis, or the axes. */
export const softmaxAlong = alongAxis(softmax);
/** Logarithm of the softmax along the axis, or the axes. */
export const logSoftmaxAlong = alongAxis(logSoftmax);

/** (x - μ) / √(σ² + ε) over the axes from `axis` on, times a gain, plus a shift; also μ and 1 / √(σ² + ε). */
export const layerNormalization: Operator = (node) => {
  const [x, gain, shift] = [node.input(0), node.input(1), node.inputs[2]];
  const axis = node.axis(node.int("axis", -1), x.shape.length);
  const epsilon = node.float("epsilon", 1e-5);
  node.ignore("stash_type");
  const flat = reshape(x, [...x.shape.slice(0, axis), sizeOf(x.shape.slice(axis))]);
  const scaled = multiply(reshape(standardize(flat, { epsilon }), x.shape), gain);
  const centre = mean(flat, { axes: -1, keepAxes: true });
  const variance = mean(square(subtract(flat, centre)), { axes: -1, keepAxes: true });
  const statistics = [centre, reciprocal(sqrt(add(variance, epsilon)))];
  const shape = x.shape.map((length, at) => (at < axis ? length : 1));
  return [
    shift === undefined ? scaled : add(scaled, shift),
    ...statistics.map((statistic) => reshape(statistic, shape)),
  ];
};

/** (x - mean) / √(variance + ε) times a gain, plus a shift, all four of them known for each index of axis 1. */
export const batchNormalization: Operator = (node) => {
  const x = node.input(0);
  const epsilon = node.float("epsilon", 1e-5);
  node.ignore("momentum");
  if (node.int("training_mode", 0) !== 0) throw node.error("is in training mode; export the model in evaluation mode");
  const [gain, shift, centre, variance] = [1, 2, 3, 4].map((index) =>
    reshape(node.input(index), [-1, ...new Array<number>(Math.max(x.shape.length - 2, 0)).fill(1)]),
  ) as [Tensor, Tensor, Tensor, Tensor];
  const factor = divide(gain, sqrt(add(variance, epsilon)));
  return add(multiply(subtract(x, centre), factor), shift);
};

/** (x - μ) / √(σ² + ε) over all axes from the third on, times a gain, plus a shift for each channel. */
export const instanceNormalization: Operator = (node) => {
  const x = node.input(0);
  const flat = reshape(x, [...x.shape.slice(0, 2), sizeOf(x.shape.slice(2))]);
  const scaled = standardize(flat, { epsilon: node.float("epsilon", 1e-5) });
  const [gain, shift] = [1, 2].map((index) => expandDims(node.input(index), 1)) as [Tensor, Tensor];
  return reshape(add(multiply(scaled, gain), shift), x.shape);
};

/** Sums of all elements up to each one along an axis: from the end with `reverse`, without that element itself with `exclusive`. */
export const cumulativeSum: Operator = (node) => {
  const x = node.input(0);
  const axis = node.axis(node.knownNumber(1, "axis"), x.shape.length);
  const [exclusive, reverse] = [node.int("exclusive", 0) !== 0, node.int("reverse", 0) !== 0];
  const step = (before: Tensor, element: Tensor) => {
    const after = add(before, element);
    return [after, exclusive ? before : after] as const;
  };
  const start = zeros(x.shape.toSpliced(axis, 1), x.dtype);
  return moveAxes(scan(step, start, moveAxes(x, axis, 1, 0), { reverse })[1], 0, 1, axis);
};

/** Nothing is dropped when a model is run; the second output, where it is wanted, says so. */
export const dropout: Operator = (node) => {
  const x = node.input(0);
  node.ignore("ratio", "seed");
  return node.outputs.length > 1 ? [x, ones(x.shape, "int32")] : x;
};
