/** Operators on windows that move along the axes behind batch and channel: convolution and pooling. */

import { add, conv1d, conv2d, divide, max, mean, reshape, sum, unfold, windowCount } from "../../../ops/index.js";
import { isFloat, type Shape, type Tensor, tensor } from "../../../tensor/index.js";
import type { NodeCall, Operator } from "../node-call.js";
import { moveAxes } from "./axes.js";
import { surround } from "./padding.js";

/** How a window moves along one axis. */
interface Axis {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: readonly [before: number, after: number];
}

/** What a node says of each axis that its window, of given sizes, moves along. */
function axesOf(node: NodeCall, x: Tensor, sizes: Shape): Axis[] {
  const lengths = x.shape.slice(2);
  if (lengths.length === 0 || sizes.length !== lengths.length || !isFloat(x.dtype)) {
    throw node.error(
      `has a window of ${sizes.length} axes for ${x.dtype}[${x.shape}]; it needs one for each behind two`,
    );
  }
  const [strides, dilations, pads] = [node.ints("strides"), node.ints("dilations"), node.ints("pads")];
  const automatic = node.choice("auto_pad", ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]);
  return lengths.map((length, k) => {
    const [size, stride, dilation] = [sizes[k] as number, strides?.[k] ?? 1, dilations?.[k] ?? 1];
    const span = (size - 1) * dilation + 1;
    const padding = (): [number, number] => {
      if (automatic === "NOTSET") return [pads?.[k] ?? 0, pads?.[k + lengths.length] ?? 0];
      if (automatic === "VALID") return [0, 0];
      const missing = Math.max((Math.ceil(length / stride) - 1) * stride + span - length, 0);
      const [less, more] = [Math.floor(missing / 2), Math.ceil(missing / 2)];
      return automatic === "SAME_UPPER" ? [less, more] : [more, less];
    };
    return { size, stride, dilation, padding: padding() };
  });
}

/** Convolution along one axis or two, of channels all together or in groups; plus a bias, if there is one. */
export const convolution: Operator = (node) => {
  const [x, weight, bias] = [node.input(0), node.input(1), node.inputs[2]];
  const groups = node.int("group", 1);
  const sizes = weight.shape.slice(2);
  if (sizes.length > 2) throw node.error(`moves along ${sizes.length} axes; one or two are supported`);
  node.ignore("kernel_shape"); // the weight has it, too
  const axes = axesOf(node, x, sizes);
  const withBias = (y: Tensor): Tensor => (bias === undefined ? y : add(y, bias));
  const kernel = moveAxes(weight, 1, 1, sizes.length + 1);
  const [first, second = first] = axes as [Axis, Axis?];
  if (axes.length === 1) {
    const { size: _, ...moves } = first;
    return moveAxes(withBias(conv1d(moveAxes(x, 2, 1, 0), kernel, { ...moves, groups })), 0, 1, 2);
  }
  const moves = {
    stride: [first.stride, second.stride],
    dilation: [first.dilation, second.dilation],
    padding: { height: first.padding, width: second.padding },
  } as const;
  return moveAxes(withBias(conv2d(moveAxes(x, 1, 1, 3), kernel, { ...moves, groups })), 3, 1, 1);
};

/** A window that moves along all axes, one after the other: what is made of it along one axis is made of that along the next. */
function pool(node: NodeCall, outside: number, reduce: (windows: Tensor, at: number, axis: Axis) => Tensor): Tensor {
  const x = node.input(0);
  const axes = axesOf(node, x, node.ints("kernel_shape") ?? []);
  const roundsUp = node.int("ceil_mode", 0) !== 0;
  return axes.reduce((y, axis, k) => {
    const [before, after] = axis.padding;
    const padded = before + after > 0 ? surround(y, k + 2, before, after, outside) : y;
    const length = padded.shape[k + 2] as number;
    const rest = (length - (axis.size - 1) * axis.dilation - 1) % axis.stride;
    if (roundsUp && rest !== 0) {
      throw node.error(`has ceil_mode, and a window that stands out of axis ${k + 2}; that is not supported`);
    }
    const { size, stride, dilation } = axis;
    return reduce(unfold(padded, k + 2, { size, stride, dilation }), k + 3, axis);
  }, x);
}

/** The largest element of each window; what is around the tensor does not count. */
export const maxPool: Operator = (node) => {
  node.ignore("storage_order"); // of the indices, an output that is not supported
  return pool(node, -Infinity, (windows, at) => max(windows, { axes: at }));
};

/** The mean of each window; zeros around the tensor count where `count_include_pad` says so. */
export const averagePool: Operator = (node) => {
  const { shape, dtype } = node.input(0);
  const countsPadding = node.int("count_include_pad", 0) !== 0;
  return pool(node, 0, (windows, at, axis) => {
    const [before, after] = axis.padding;
    if (countsPadding || before + after === 0) return mean(windows, { axes: at });
    const length = shape[at - 1] as number;
    const counts = Array.from({ length: windowCount(before + length + after, axis) }, (_, window) => {
      const places = Array.from({ length: axis.size }, (_, k) => window * axis.stride + k * axis.dilation - before);
      return places.filter((place) => place >= 0 && place < length).length;
    });
    const divisors = reshape(tensor(counts, { dtype }), [-1, ...shape.slice(at).map(() => 1)]);
    return divide(sum(windows, { axes: at }), divisors);
  });
};

/** One number of all elements of a channel. */
export const globalPool =
  (reduce: typeof mean | typeof max): Operator =>
  (node) => {
    const x = node.input(0);
    return reduce(x, { axes: x.shape.slice(2).map((_, k) => k + 2), keepAxes: true });
  };
