/** Operators that put something around a tensor. */

import { broadcastTo, concatenate, gather, pad, reshape, slice } from "../../../ops/index.js";
import { type Shape, type Tensor, tensor } from "../../../tensor/index.js";
import type { Operator } from "../node-call.js";
import { moveAxes } from "./axes.js";

/** One number before and after an axis. Default 0 */
export function surround(x: Tensor, axis: number, before: number, after: number, value: Tensor | number = 0): Tensor {
  if (value === 0) return pad(x, axis, before, after);
  const filler = typeof value === "number" ? tensor([value], { dtype: x.dtype }) : value;
  const filled = (width: number): Tensor => {
    const shape: Shape = x.shape.with(axis, width);
    return broadcastTo(reshape(filler, new Array<number>(shape.length).fill(1)), shape);
  };
  return concatenate([filled(before), x, filled(after)], axis);
}

const modulo = (a: number, b: number): number => ((a % b) + b) % b;

/** Which element stands at a place, perhaps outside of an axis: mirrored at the ends, the last one again, or from the other end. */
const PLACES = {
  reflect: (place, length) => {
    const turn = Math.max(2 * (length - 1), 1);
    const within = modulo(place, turn);
    return Math.min(within, turn - within);
  },
  edge: (place, length) => Math.min(Math.max(place, 0), length - 1),
  wrap: modulo,
} as const satisfies Readonly<Record<string, (place: number, length: number) => number>>;

/** One number, or elements of the tensor again, around a tensor; a negative width cuts. */
export const padAxes: Operator = (node) => {
  const x = node.input(0);
  const mode = node.choice("mode", ["constant", "reflect", "edge", "wrap"]);
  const widths = node.listed("pads", 1) ?? [];
  const value = node.float("value", undefined) ?? node.inputs[2];
  const axes = node.inputs[3] === undefined ? x.shape.map((_, axis) => axis) : node.known(3, "axes");
  return axes.reduce((result, axis, index) => {
    const at = node.axis(axis, x.shape.length);
    const [before, after] = [widths[index], widths[index + axes.length]] as [number, number];
    const length = x.shape[at] as number;
    if (mode !== "constant") {
      const places = Array.from({ length: before + length + after }, (_, k) => PLACES[mode](k - before, length));
      return moveAxes(gather(moveAxes(result, at, 1, 0), tensor(Int32Array.from(places))), 0, 1, at);
    }
    const kept = slice(result, at, Math.max(-before, 0), length - Math.max(-after, 0));
    return surround(kept, at, Math.max(before, 0), Math.max(after, 0), value);
  }, x);
};
