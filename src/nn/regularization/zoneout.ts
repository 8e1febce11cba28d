/** Zoneout: units that keep their old state now and then. */

import { flattenTree, unflattenTree } from "../../core/index.js";
import { add, bernoulli, foldIn, multiply, select } from "../../ops/index.js";
import { isTensor, type Tensor, type TensorTree } from "../../tensor/index.js";
import { type Rates, ratedTensors } from "./rates.js";

/** int32 masks, 1 = keeps its old state, for parts of the carry by their paths: `[time, ...]`, or of one step. */
export type ZoneoutMasks = Readonly<Record<string, Tensor>>;

/** Draws the masks of all steps. */
export function drawZoneout(rates: Rates, key: Tensor, carry: TensorTree, time: number): ZoneoutMasks {
  return Object.fromEntries(
    ratedTensors("zoneout", carry, rates).map(({ path, tensor, rate }, index) => [
      path,
      bernoulli(foldIn(key, index), rate, [time, ...tensor.shape]),
    ]),
  );
}

/**
 * What is handed on after a step. With masks, units keep their old state where the mask is 1; without, the expectation is taken:
 *
 *   h_t = z ⊙ h_{t-1} + (1 - z) ⊙ proposed        z: the mask, or its rate
 *
 * An output that is the proposed part of a carry itself, as the y = h of LSTM and GRU, becomes h_t.
 * @see Krueger et al. 2017, Zoneout, arXiv:1606.01305
 */
export function zoneout<Carry extends TensorTree>(
  rates: Rates,
  before: Carry,
  [next, y]: readonly [carry: Carry, y: Tensor],
  masks: ZoneoutMasks | undefined,
): readonly [carry: Carry, y: Tensor] {
  const { leaves, paths, definition } = flattenTree(next, isTensor);
  let output = y;
  for (const { path, tensor: old, rate } of ratedTensors("zoneout", before, rates)) {
    const index = paths.indexOf(path);
    const proposed = leaves[index] as Tensor;
    const mask = masks?.[path];
    const mixed = mask ? select(mask, old, proposed) : add(multiply(old, rate), multiply(proposed, 1 - rate));
    leaves[index] = mixed;
    if (proposed === y) output = mixed;
  }
  return [unflattenTree(definition, leaves) as Carry, output];
}
