/** Batches as methods see them: windows of sequences, every tensor `[time, batch, ...]`. */

import { ShapeError } from "../../core/index.js";
import { transpose } from "../../ops/index.js";
import { formatType, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";

const lengthOf = (batch: TensorTree, axis: number): number =>
  (tensorsByPath(batch)[0] as [string, Tensor])[1].shape[axis] as number;

/** Steps of a window. */
export const timeOf = (batch: TensorTree): number => lengthOf(batch, 0);

/** Sequences side by side. */
export const sequencesIn = (batch: TensorTree): number => lengthOf(batch, 1);

/**
 * For methods that take windows apart.
 * @throws ShapeError naming a tensor that has not the time steps and sequences of the others
 */
export function requireWindows(where: string, batch: TensorTree): void {
  const [time, sequences] = [timeOf(batch), sequencesIn(batch)];
  const odd = tensorsByPath(batch).find(([, { shape }]) => shape[0] !== time || shape[1] !== sequences);
  if (odd === undefined) return;
  throw new ShapeError(
    `${where}: ${odd[0]} of the batch is ${formatType(odd[1])}, but others are [${time},${sequences},...]; this method goes through time step by ` +
      "step, so every tensor needs the same time and batch axes",
  );
}

/** `[time, batch, ...]` to `[batch, time, ...]`, and back. */
export const swapTimeAndBatch = (x: Tensor): Tensor =>
  transpose(x, [1, 0, ...x.shape.slice(2).map((_, axis) => axis + 2)]);
