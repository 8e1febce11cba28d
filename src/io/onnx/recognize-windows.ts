/** Finds windows that lie side by side: a reshape that makes two axes of one, of which a slice may have cut what fills no window. */

import { ToolkitError } from "../../core/index.js";
import { bind, inline, type Primitive, type Program, trace } from "../../program/index.js";
import type { Shape, Tensor, TensorType } from "../../tensor/index.js";

/** Windows of `window` elements along an axis; the axis of their elements is the next one. */
export interface BlockParams {
  readonly axis: number;
  readonly window: number;
}

const refuse = (): never => {
  throw new ToolkitError("trace", "onnxBlocks: exists only while a Program is exported");
};

/** Stands in the Program for such windows: one form, whether or not something was cut at the size that the Program is traced at. */
export const blocksPrimitive: Primitive<BlockParams> = {
  name: "onnxBlocks",
  infer: ([x], { axis, window }) => {
    const { dtype, shape } = x as TensorType;
    const count = Math.floor((shape[axis] as number) / window);
    return [{ dtype, shape: shape.with(axis, count).toSpliced(axis + 1, 0, window) }];
  },
  evaluate: refuse,
  vjp: refuse,
  jvp: refuse,
};

/** The axis that a reshape makes two of, the first of them longer than 1. */
function splitAxis(from: Shape, to: Shape): number | undefined {
  if (to.length !== from.length + 1) return undefined;
  const axis = from.findIndex((length, index) => length !== to[index]);
  const isSplit = axis >= 0 && from.every((_, k) => k <= axis || from[k] === to[k + 1]);
  return isSplit && to[axis] !== 1 && from[axis] === (to[axis] as number) * (to[axis + 1] as number) ? axis : undefined;
}

/** The Program with all windows side by side as `blocksPrimitive`; what was cut is whole again. */
export function recognizeWindows(program: Program): Program {
  return trace(
    (...tracers) => {
      const whole = new Map<Tensor, Tensor>();
      const apply: typeof bind = (primitive, inputs, params) => {
        const [x] = inputs as readonly [Tensor];
        if (primitive.name === "reshape") {
          const found = blocksOf(x, whole.get(x) ?? x, (params as { readonly shape: Shape }).shape);
          if (found !== undefined) return bind(blocksPrimitive, [found.source], found.params);
        }
        const outputs = bind(primitive, inputs, params);
        if (primitive.name === "slice") whole.set(outputs[0] as Tensor, x);
        return outputs;
      };
      return inline(program, tracers, apply);
    },
    program.inputs.map(({ type }) => type),
  ).program;
}

/** What a reshape of `kept`, a slice of `whole`, cuts into windows. */
function blocksOf(kept: Tensor, whole: Tensor, shape: Shape) {
  const axis = splitAxis(kept.shape, shape);
  if (axis === undefined) return undefined;
  const window = shape[axis + 1] as number;
  const isRest = whole.shape.every((length, k) => kept.shape[k] === (k === axis ? length - (length % window) : length));
  return { source: isRest ? whole : kept, params: { axis, window } };
}
