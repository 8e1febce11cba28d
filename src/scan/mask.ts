/** Padding and restarts: masks over time and batch. */

import { ShapeError } from "../core/index.js";
import { expandDims, less, multiply, range, reshape, select, zerosLike } from "../ops/index.js";
import { formatType, HostTensor, mapTensors, type Tensor, type TensorTree } from "../tensor/index.js";

/** Gives a mask over the leading axes of `like` the axes it lacks. */
const alignMask = (where: string, mask: Tensor, like: Tensor): Tensor => {
  if (!mask.shape.every((length, axis) => length === like.shape[axis])) {
    throw new ShapeError(
      `scan: at each step, ${where} has shape [${mask.shape}], which is no beginning of ${formatType(like)}; ` +
        "with masks, the axes of every carry and result must begin with those of the mask (the batch)",
    );
  }
  return reshape(mask, [...mask.shape, ...new Array<number>(like.shape.length - mask.shape.length).fill(1)]);
};

/** `chosen` where the mask of this step is 1, else `other`, for every tensor of two trees. */
export const selectTree = <T extends TensorTree>(where: string, mask: Tensor, chosen: T, other: T): T =>
  mapTensors((a, b) => select(alignMask(where, mask, a), a, b as Tensor), chosen, other);

/** The tree where the mask is 1, zeros elsewhere. */
export const maskTree = <T extends TensorTree>(where: string, mask: Tensor, tree: T): T =>
  mapTensors((a) => select(alignMask(where, mask, a), a, zerosLike(a)), tree);

/**
 * Mask of a ragged batch: 1 at the first `sequenceLengths[b]` steps of sequence b.
 * @param sequenceLengths int32 `[batch]`, each in [0, time]
 * @returns int32 `[time, batch]`
 * @throws ShapeError if a length is outside [0, time]
 */
export function lengthMask(sequenceLengths: Tensor, time: number): Tensor {
  if (sequenceLengths.dtype !== "int32" || sequenceLengths.shape.length !== 1) {
    throw new ShapeError(`sequenceLengths must be int32[batch], but is ${formatType(sequenceLengths)}`);
  }
  if (sequenceLengths instanceof HostTensor) {
    const wrong = sequenceLengths.data.find((length) => length < 0 || length > time);
    if (wrong !== undefined)
      throw new ShapeError(`sequenceLengths: ${wrong} is outside [0, ${time}], the number of time steps`);
  }
  return less(expandDims(range(time), 1), expandDims(sequenceLengths, 0));
}

/** One mask from the two ways to say what is padding; `undefined` if nothing is. */
export function paddingMask(
  { mask, sequenceLengths }: { readonly mask?: Tensor; readonly sequenceLengths?: Tensor },
  time: number,
): Tensor | undefined {
  if (mask !== undefined) requireMask("mask", mask, time);
  if (sequenceLengths === undefined) return mask;
  const ragged = lengthMask(sequenceLengths, time);
  return mask === undefined ? ragged : multiply(mask, ragged);
}

/** @throws ShapeError unless a mask is int32 with one row for each step */
export function requireMask(name: string, mask: Tensor, time: number): void {
  if (mask.dtype === "int32" && mask.shape[0] === time) return;
  throw new ShapeError(`scan: ${name} must be int32[${time},batch], but is ${formatType(mask)}`);
}
