/** Operators that read at places given by indices; an index below 0 counts from the end. */

import {
  add,
  at,
  cast,
  equal,
  expandDims,
  gather,
  less,
  multiply,
  reshape,
  select,
  subtract,
} from "../../../ops/index.js";
import { HostTensor, type Shape, sizeOf, stridesOf, type Tensor, tensor } from "../../../tensor/index.js";
import type { Operator } from "../node-call.js";
import { moveAxes } from "./axes.js";

/** Indices that all count from the start. */
const fromStart = (indices: Tensor, length: number): Tensor =>
  indices instanceof HostTensor && indices.data.every((index) => index >= 0)
    ? indices
    : select(less(indices, 0), add(indices, length), indices);

/** Whole slices along one axis, which the axes of the indices replace. */
export const gatherSlices: Operator = (node) => {
  const [x, indices] = [node.input(0), node.input(1)];
  const axis = node.axis(node.int("axis", 0), x.shape.length);
  if (indices instanceof HostTensor && indices.shape.length === 0) return at(x, indices.data[0] as number, axis);
  const rows = gather(moveAxes(x, axis, 1, 0), fromStart(indices, x.shape[axis] as number));
  return moveAxes(rows, 0, indices.shape.length, axis);
};

/** Place of each element of a shape along an axis, times a factor, as int32 of that shape. */
function places(shape: Shape, factors: readonly number[]): Tensor {
  const strides = stridesOf(shape);
  const data = new Int32Array(sizeOf(shape));
  for (let k = 0; k < data.length; k++) {
    data[k] = factors.reduce((sum, factor, axis) => {
      const index = Math.floor(k / (strides[axis] as number)) % (shape[axis] as number);
      return sum + factor * index;
    }, 0);
  }
  return tensor(data, { shape });
}

/** Single elements: the index replaces the place along one axis. */
export const gatherElements: Operator = (node) => {
  const [x, indices] = [node.input(0), node.input(1)];
  const axis = node.axis(node.int("axis", 0), x.shape.length);
  const strides = stridesOf(x.shape);
  const others = places(indices.shape, strides.with(axis, 0));
  const along = multiply(fromStart(indices, x.shape[axis] as number), strides[axis] as number);
  return gather(reshape(x, [sizeOf(x.shape)]), add(along, others));
};

/** Slices at places that the last axis of the indices names, one number for each leading axis. */
export const gatherPlaces: Operator = (node) => {
  const [x, indices] = [node.input(0), node.input(1)];
  if (node.int("batch_dims", 0) !== 0) throw node.error("has batch_dims, which are not supported");
  const depth = indices.shape.at(-1) ?? 0;
  const leading = x.shape.slice(0, depth);
  const strides = stridesOf(leading);
  const row = leading
    .map((length, axis) => multiply(fromStart(at(indices, axis, -1), length), strides[axis] as number))
    .reduce((sum, term) => add(sum, term));
  return gather(reshape(x, [sizeOf(leading), ...x.shape.slice(depth)]), row);
};

/** One value where the new axis equals the index, another elsewhere. */
export const oneHotAxis: Operator = (node) => {
  const [indices, values] = [cast(node.input(0), "int32"), node.input(2)];
  const depth = node.knownNumber(1, "depth");
  const axis = node.axis(node.int("axis", -1), indices.shape.length + 1);
  const shape = new Array<number>(indices.shape.length + 1).fill(1).with(axis, depth);
  const along = tensor(
    Int32Array.from({ length: depth }, (_, index) => index),
    { shape },
  );
  const chosen = equal(expandDims(fromStart(indices, depth), axis), along);
  const [off, on] = [at(values, 0), at(values, 1)];
  return add(multiply(cast(chosen, values.dtype), subtract(on, off)), off);
};

/** The first elements of each sequence of a batch in reverse order, the others in place. */
export const reverseSequences: Operator = (node) => {
  const [x, lengths] = [node.input(0), node.input(1)];
  const timeAxis = node.int("time_axis", 0);
  if (timeAxis + node.int("batch_axis", 1) !== 1) throw node.error("needs the axes of time and batch to be 0 and 1");
  const sequences = timeAxis === 0 ? x : moveAxes(x, 1, 1, 0);
  const [time, batch] = sequences.shape as [number, number];
  const [step, row] = [places([time, batch], [1, 0]), places([time, batch], [0, 1])];
  const opposite = subtract(subtract(expandDims(lengths, 0), 1), step);
  const source = select(less(opposite, 0), step, opposite);
  const rows = gather(reshape(sequences, [time * batch, ...x.shape.slice(2)]), add(multiply(source, batch), row));
  return timeAxis === 0 ? rows : moveAxes(rows, 1, 1, 0);
};
