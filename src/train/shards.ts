/**
 * A batch in shards: each shard's gradient is computed by itself, over all of time, and then they are added in their order.
 *
 *   ∂L/∂θ = Σ_s (n_s / n) ∂L_s/∂θ        n_s steps of sequences that count in shard s, L_s the average loss over them
 *
 * Shards share nothing while they run, so each can have a thread. The same number of shards gives the same bits on any number of threads.
 */

import { OptionError } from "../core/index.js";
import type { LossSum } from "../nn/index.js";
import { add, divide, maximum, multiply } from "../ops/index.js";
import {
  allocate,
  formatType,
  HostTensor,
  mapTensors,
  type Shape,
  sizeOf,
  type Tensor,
  type TensorTree,
} from "../tensor/index.js";

/** Rows of each shard of a batch. @throws OptionError if they are not equally many */
function rowsPerShard(tensor: Tensor, axis: number, shards: number): number {
  const rows = (tensor.shape[axis] ?? 0) / shards;
  if (Number.isInteger(rows) && rows > 0) return rows;
  throw new OptionError(
    `train: ${formatType(tensor)} cannot be cut into ${shards} equal shards along axis ${axis}; choose a batch size that is a multiple of shards`,
  );
}

/** One shard of every tensor of a tree, along the axis of sequences. @param axis 1 for batches, 0 for carries */
export const takeShard = <T extends TensorTree>(tree: T, axis: 0 | 1, shard: number, shards: number): T =>
  mapTensors((tensor) => {
    const rows = rowsPerShard(tensor, axis, shards);
    const shape: Shape = tensor.shape.with(axis, rows);
    const data = allocate(tensor.dtype, sizeOf(shape));
    forEachRun(tensor.shape, axis, rows, (period, run, index) => {
      const from = index * period + shard * run;
      data.set(tensor.data.subarray(from, from + run), index * run);
    });
    return new HostTensor({ dtype: tensor.dtype, shape }, data);
  }, tree);

/** The tree of which these are the shards, along axis 0. */
export const joinShards = <T extends TensorTree>(shards: readonly T[]): T =>
  mapTensors(
    (first, ...others) => {
      const parts = [first, ...others];
      const rows = (first.shape[0] as number) * parts.length;
      const data = allocate(first.dtype, sizeOf(first.shape) * parts.length);
      parts.forEach((part, index) => {
        data.set(part.data, index * part.data.length);
      });
      return new HostTensor({ dtype: first.dtype, shape: first.shape.with(0, rows) }, data);
    },
    shards[0] as T,
    ...shards.slice(1),
  );

/** Visits each run of neighbouring elements that belongs to one shard: `visit(elements of a period, of a run, index)`. */
function forEachRun(
  shape: Shape,
  axis: number,
  rows: number,
  visit: (period: number, run: number, index: number) => void,
): void {
  const inner = sizeOf(shape.slice(axis + 1));
  for (let index = 0; index < sizeOf(shape.slice(0, axis)); index++)
    visit((shape[axis] as number) * inner, rows * inner, index);
}

/** What the gradients of shards add up to, and their loss; traced. */
export function addShards<Params extends TensorTree>(
  shards: readonly { readonly gradient: Params; readonly loss: LossSum }[],
): { readonly gradient: Params; readonly loss: LossSum } {
  const sum = (terms: readonly Tensor[]) => terms.reduce((total, term) => add(total, term));
  const total = sum(shards.map(({ loss }) => loss.total));
  const count = sum(shards.map(({ loss }) => loss.count));
  const weights = shards.map(({ loss }) => divide(loss.count, maximum(count, 1)));
  const gradient = mapTensors(
    (...terms) => sum(terms.map((term, shard) => multiply(term, weights[shard] as Tensor))),
    (shards[0] as { gradient: Params }).gradient,
    ...shards.slice(1).map((shard) => shard.gradient),
  );
  return { gradient, loss: { total, count } };
}
