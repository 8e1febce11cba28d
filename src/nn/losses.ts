/** Losses over sequences, as a sum and a count, so that windows, shards and ragged batches add up exactly. */

import { DTypeError, ShapeError } from "../core/index.js";
import {
  add,
  cast,
  divide,
  fill,
  gather,
  logSumExp,
  maximum,
  mean,
  multiply,
  range,
  reshape,
  select,
  square,
  subtract,
  sum,
} from "../ops/index.js";
import { formatType, HostTensor, type Shape, sameShape, sizeOf, type Tensor } from "../tensor/index.js";

/** Loss added up over real steps, and how many there were; both scalars of the loss's type. */
export type LossSum = { readonly total: Tensor; readonly count: Tensor };

/** total / count, and 0 for no steps at all. */
export const averageLoss = ({ total, count }: LossSum): Tensor => divide(total, maximum(count, 1));

function requireMask(mask: Tensor, shape: Shape): void {
  if (mask.dtype === "int32" && sameShape(mask.shape, shape)) return;
  throw new ShapeError(`loss: the mask must be int32[${shape}], but is ${formatType(mask)}`);
}

/** Adds up `losses` where the mask is 1. Without a mask, all. */
export function sumLosses(losses: Tensor, mask?: Tensor): LossSum {
  if (mask === undefined) return { total: sum(losses), count: fill([], sizeOf(losses.shape), losses.dtype) };
  requireMask(mask, losses.shape);
  return { total: sum(select(mask, losses, 0)), count: cast(sum(mask), losses.dtype) };
}

/**
 * Cross-entropy of class indices under logits, in nats:  Σ logΣⱼexp(zⱼ) - z_target. Its gradient is softmax(z) - onehot.
 * @param logits `[..., classes]`, e.g. `[time, batch, classes]`
 * @param targets int32 `[...]`, each in [0, classes); those of padding may be anything
 * @param mask int32 `[...]`, 1 = counts, 0 = padding. Default: all count
 * @throws ShapeError if the axes do not fit or, when it runs, a target is no class; DTypeError if targets are not int32
 */
export function crossEntropy(logits: Tensor, targets: Tensor, mask?: Tensor): LossSum {
  if (targets.dtype !== "int32")
    throw new DTypeError(`crossEntropy: targets must be int32, but are ${formatType(targets)}`);
  if (!sameShape(targets.shape, logits.shape.slice(0, -1))) {
    throw new ShapeError(
      `crossEntropy: logits ${formatType(logits)} need targets [${logits.shape.slice(0, -1)}], not [${targets.shape}]`,
    );
  }
  if (mask !== undefined) requireMask(mask, targets.shape);
  const classes = logits.shape.at(-1) as number;
  const count = sizeOf(targets.shape);
  const counted = mask === undefined ? targets : select(mask, targets, 0);
  requireClasses(counted, classes);
  // Read from the table of classes, a traced target that is none of them is an error, not the logit of another step.
  const known = gather(range(classes), reshape(counted, [count]));
  const places = add(multiply(range(count), classes), known);
  const chosen = reshape(gather(reshape(logits, [count * classes]), places), targets.shape);
  return sumLosses(subtract(logSumExp(logits, { axes: -1 }), chosen), mask);
}

function requireClasses(targets: Tensor, classes: number): void {
  const odd =
    targets instanceof HostTensor ? targets.data.find((target) => target < 0 || target >= classes) : undefined;
  if (odd === undefined) return;
  throw new ShapeError(`crossEntropy: there is no class ${odd}; the logits have ${classes} classes`);
}

/**
 * Squared error, averaged over the features of each step:  Σ (1/features) Σₖ (yₖ - targetₖ)²
 * @param predictions `[..., features]`
 * @param targets the same shape
 * @param mask int32 `[...]`, 1 = counts, 0 = padding. Default: all count
 */
export function meanSquaredError(predictions: Tensor, targets: Tensor, mask?: Tensor): LossSum {
  if (!sameShape(predictions.shape, targets.shape)) {
    throw new ShapeError(
      `meanSquaredError: predictions are ${formatType(predictions)}, but targets are ${formatType(targets)}`,
    );
  }
  return sumLosses(mean(square(subtract(predictions, targets)), { axes: -1 }), mask);
}
