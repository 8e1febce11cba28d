/** Batches as methods see them: windows of sequences, every tensor `[time, batch, ...]`. */

import { transpose } from "../../ops/index.js";
import { type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";

const lengthOf = (batch: TensorTree, axis: number): number =>
  (tensorsByPath(batch)[0] as [string, Tensor])[1].shape[axis] as number;

/** Steps of a window. */
export const timeOf = (batch: TensorTree): number => lengthOf(batch, 0);

/** Sequences side by side. */
export const sequencesIn = (batch: TensorTree): number => lengthOf(batch, 1);

/** `[time, batch, ...]` to `[batch, time, ...]`, and back. */
export const swapTimeAndBatch = (x: Tensor): Tensor =>
  transpose(x, [1, 0, ...x.shape.slice(2).map((_, axis) => axis + 2)]);
