/** Operations that only say where elements are found: as an offset and strides into the memory of their source. */

import type { Equation, Variable } from "../program/index.js";
import { type Shape, sizeOf, stridesOf } from "../tensor/index.js";

/** Where the elements of a shape lie in memory: element (i, j, ...) at `offset + i strides[0] + j strides[1] + ...`. */
export interface StridedView {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** A tensor in row-major order. */
export const wholeView = (shape: Shape): StridedView => ({ offset: 0, strides: stridesOf(shape) });

type Rule = (view: StridedView, from: Shape, to: Shape, params: unknown) => StridedView | undefined;

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, k) => sum + value * (b[k] as number), 0);

const RULES: Readonly<Record<string, Rule>> = {
  slice: ({ offset, strides }, _, __, params) => {
    const { starts, steps } = params as { starts: readonly number[]; steps: readonly number[] };
    return {
      offset: offset + dot(starts, strides),
      strides: strides.map((stride, k) => stride * (steps[k] as number)),
    };
  },
  transpose: ({ offset, strides }, _, __, params) => ({
    offset,
    strides: (params as { axes: readonly number[] }).axes.map((axis) => strides[axis] as number),
  }),
  reverse: ({ offset, strides }, from, _, params) => {
    const { axis } = params as { axis: number };
    const stride = strides[axis] as number;
    return { offset: offset + Math.max((from[axis] as number) - 1, 0) * stride, strides: strides.with(axis, -stride) };
  },
  broadcast: ({ offset, strides }, _, to, params) => {
    const { axes } = params as { axes: readonly number[] };
    return {
      offset,
      strides: to.map((_, axis) => (axes.includes(axis) ? (strides[axes.indexOf(axis)] as number) : 0)),
    };
  },
  unfold: ({ offset, strides }, _, __, params) => {
    const { axis, into, stride, dilation } = params as Readonly<
      Record<"axis" | "into" | "stride" | "dilation", number>
    >;
    const own = strides[axis] as number;
    return { offset, strides: strides.with(axis, own * stride).toSpliced(into, 0, own * dilation) };
  },
  reshape: ({ offset, strides }, from, to) => {
    const reshaped = reshapeStrides(from, strides, to);
    return reshaped && { offset, strides: reshaped };
  },
};

/** Whether an operation is such a one. (A change of shape may still turn out to need a copy.) */
export const isViewOperation = ({ primitive }: Pick<Equation, "primitive">): boolean => primitive.name in RULES;

/** What an operation makes of a view of its operand; undefined if the result is no view. */
export function viewThrough(
  { primitive, params, inputs, outputs }: Equation,
  view: StridedView,
): StridedView | undefined {
  const [from, to] = [inputs[0] as Variable, outputs[0] as Variable];
  return RULES[primitive.name]?.(view, from.type.shape, to.type.shape, params);
}

/** Strides of the same elements under another shape, if there are such. */
function reshapeStrides(from: Shape, strides: readonly number[], to: Shape): number[] | undefined {
  if (sizeOf(to) === 0) return to.map(() => 0);
  // Axes that lie one inside the other are one axis; axes of length 1 are none.
  const runs: { size: number; stride: number }[] = [];
  from.forEach((size, axis) => {
    if (size === 1) return;
    const stride = strides[axis] as number;
    const last = runs.at(-1);
    if (last !== undefined && last.stride === stride * size) runs[runs.length - 1] = { size: last.size * size, stride };
    else runs.push({ size, stride });
  });
  const result = new Array<number>(to.length).fill(0);
  let run = runs.pop();
  let used = 1;
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const size = to[axis] as number;
    if (size === 1) continue;
    if (run === undefined || run.size % (used * size) !== 0) return undefined;
    result[axis] = run.stride * used;
    used *= size;
    if (used === run.size) [run, used] = [runs.pop(), 1];
  }
  return result;
}
