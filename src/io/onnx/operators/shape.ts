/** Operators that move elements: reshape, transpose, join, cut, repeat; and those that speak of shapes. */

import { broadcastTo, concatenate, reshape, reverse, slice, transpose } from "../../../ops/index.js";
import { allocate, broadcastShapes, HostTensor, sizeOf, type Tensor, tensor } from "../../../tensor/index.js";
import type { NodeCall, Operator } from "../node-call.js";

/** Whole numbers that are known, as int32 `[length]`. */
const known = (values: readonly number[]): Tensor => tensor(Int32Array.from(values));

const lengthOf = (x: Tensor, axis: number): number => x.shape[axis] as number;

// ------------------------------------------------------------------------------------------------- what is known

/** The axis lengths of a tensor, or some of them. */
export const shapeOf: Operator = (node) => {
  const { shape } = node.input(0);
  return known(shape.slice(node.int("start", 0), node.int("end", undefined) ?? shape.length));
};

/** The number of elements. */
export const size: Operator = (node) => tensor(sizeOf(node.input(0).shape), { dtype: "int32" });

/** A constant that is written in the node itself. */
export const constant: Operator = (node) => {
  const [float, floats] = [node.float("value_float", undefined), node.floats("value_floats")];
  const [int, ints] = [node.int("value_int", undefined), node.ints("value_ints")];
  const value = node.tensor("value");
  if (value !== undefined) return value;
  if (float !== undefined) return tensor(float);
  if (floats !== undefined) return tensor(Float32Array.from(floats));
  if (int !== undefined) return tensor(int, { dtype: "int32" });
  if (ints !== undefined) return known(ints);
  throw node.error("has no numbers; texts and sparse tensors are not supported");
};

/** One number everywhere, in a shape that is an input. */
export const constantOfShape: Operator = (node) => {
  const shape = node.known(0, "shape");
  const value = node.tensor("value") ?? tensor([0]);
  const data = allocate(value.dtype, sizeOf(shape)).fill(value.data[0] as number);
  return new HostTensor({ dtype: value.dtype, shape }, data);
};

/** Numbers from a start to before a limit. */
export const numberRange: Operator = (node) => {
  const [start, limit, step] = [0, 1, 2].map((index) => node.knownNumber(index, "bounds")) as [number, number, number];
  if (step === 0) throw node.error("has a step of 0");
  const { dtype } = node.input(0);
  const data = allocate(dtype, Math.max(Math.ceil((limit - start) / step), 0));
  for (let k = 0; k < data.length; k++) data[k] = start + k * step;
  return new HostTensor({ dtype, shape: [data.length] }, data);
};

// ------------------------------------------------------------------------------------------------------- reshape

/** The same elements in another shape; 0 stands for the length that the axis had, unless `allowzero`. */
export const reshapeTo: Operator = (node) => {
  const x = node.input(0);
  const keepsZero = node.int("allowzero", 0) !== 0;
  const shape = node.known(1, "shape");
  return reshape(
    x,
    shape.map((length, axis) => (length === 0 && !keepsZero ? (x.shape[axis] ?? 0) : length)),
  );
};

/** Two axes: those before `axis` as one, and the others as one. */
export const flatten: Operator = (node) => {
  const x = node.input(0);
  const axis = node.int("axis", 1);
  const at = axis < 0 ? axis + x.shape.length : axis;
  return reshape(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
};

/** Without some axes of length 1, or without all of them. */
export const squeezeAxes: Operator = (node) => {
  const x = node.input(0);
  const listed = node.listed("axes", 1)?.map((axis) => node.axis(axis, x.shape.length));
  const removed = listed ?? x.shape.flatMap((length, axis) => (length === 1 ? [axis] : []));
  const long = removed.find((axis) => x.shape[axis] !== 1);
  if (long !== undefined) throw node.error(`removes axis ${long}, whose length is ${x.shape[long]}, not 1`);
  return reshape(
    x,
    x.shape.filter((_, axis) => !removed.includes(axis)),
  );
};

/** With new axes of length 1, which count in the result. */
export const unsqueeze: Operator = (node) => {
  const x = node.input(0);
  const axes = node.listed("axes", 1) ?? [];
  const rank = x.shape.length + axes.length;
  const added = axes.map((axis) => node.axis(axis, rank));
  const lengths = [...x.shape];
  return reshape(
    x,
    Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : (lengths.shift() as number))),
  );
};

/** Axes in another order. */
export const permute: Operator = (node) => transpose(node.input(0), node.ints("perm"));

// -------------------------------------------------------------------------------------------------- join and cut

/** Tensors one after the other along an axis. */
export const concat: Operator = (node) =>
  concatenate(
    node.inputs.map((_, index) => node.input(index)),
    node.int("axis", 0),
  );

/** Parts along an axis: of given lengths, or as equal as they can be with the last one shorter. */
export const splitAxis: Operator = (node) => {
  const x = node.input(0);
  const axis = node.axis(node.int("axis", 0), x.shape.length);
  const listed = node.listed("split", 1);
  const count = node.int("num_outputs", undefined) ?? node.outputs.length;
  const length = lengthOf(x, axis);
  const part = Math.ceil(length / count);
  const lengths =
    listed ?? Array.from({ length: count }, (_, index) => Math.max(Math.min(part, length - index * part), 0));
  if (lengths.reduce((sum, each) => sum + each, 0) !== length) {
    throw node.error(`cuts axis ${axis}, whose length is ${length}, into parts of ${lengths.join(", ")}`);
  }
  let start = 0;
  return lengths.map((each) => {
    start += each;
    return slice(x, axis, start - each, start);
  });
};

/** Boxes with steps, backwards where a step is negative; bounds outside the tensor mean its ends. */
export const sliceAxes: Operator = (node) => {
  const x = node.input(0);
  const starts = node.listed("starts", 1);
  const ends = node.listed("ends", 2);
  const axes = node.listed("axes", 3) ?? starts?.map((_, index) => index);
  const steps = node.inputs[4] && node.known(4, "steps");
  if (starts === undefined || ends === undefined || axes === undefined) throw node.error("has no starts and ends");
  return axes.reduce((result, axis, index) => {
    const at = node.axis(axis, x.shape.length);
    return sliceOne(node, result, at, starts[index] as number, ends[index] as number, steps?.[index] ?? 1);
  }, x);
};

function sliceOne(node: NodeCall, x: Tensor, axis: number, start: number, end: number, step: number): Tensor {
  const length = lengthOf(x, axis);
  const fromEnd = (index: number) => (index < 0 ? index + length : index);
  const within = (index: number, lowest: number, highest: number) => Math.min(Math.max(index, lowest), highest);
  if (step === 0) throw node.error("has a step of 0");
  if (step > 0) {
    const first = within(fromEnd(start), 0, length);
    return slice(x, axis, first, Math.max(within(fromEnd(end), 0, length), first), step);
  }
  // Backwards from `first` to above `last`: forwards in the reversed axis.
  const first = within(fromEnd(start), -1, length - 1);
  const last = within(fromEnd(end), -1, length - 1);
  const begin = length - 1 - first;
  return slice(reverse(x, axis), axis, begin, Math.max(length - 1 - last, begin), -step);
}

// ------------------------------------------------------------------------------------------------------- repeat

/** Repeated by NumPy's rule to a shape that is an input; either side may be the one that repeats. */
export const expand: Operator = (node) => {
  const x = node.input(0);
  return broadcastTo(x, broadcastShapes("Expand", x.shape, node.known(1, "shape")));
};

/** Whole copies, one after the other, along each axis. */
export const tile: Operator = (node) => {
  const x = node.input(0);
  const repeats = node.known(1, "repeats");
  if (repeats.length !== x.shape.length) {
    throw node.error(`repeats ${repeats.length} axes of a tensor that has ${x.shape.length}`);
  }
  const copies = x.shape.flatMap((length, axis) => [repeats[axis] as number, length]);
  const single = x.shape.flatMap((length) => [1, length]);
  return reshape(
    broadcastTo(reshape(x, single), copies),
    x.shape.map((length, axis) => length * (repeats[axis] as number)),
  );
};
