/** Axes in another order. */

import { transpose } from "../../../ops/index.js";
import type { Tensor } from "../../../tensor/index.js";

/** Neighbouring axes, from `from` on, moved to the place `to`; the others stay in their order. */
export function moveAxes(x: Tensor, from: number, count: number, to: number): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  const moved = axes.splice(from, count);
  const order = axes.toSpliced(to, 0, ...moved);
  return order.every((axis, place) => axis === place) ? x : transpose(x, order);
}
