/** The loop over the steps of a layer, and what is kept of it. */

import { type ScanOptions, type ScanStep, scan } from "../../scan/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import type { RecurrentReturn } from "./recurrent-layer.js";

/** Outputs, the carry after the last step, and for "states" the carries after all. */
export interface StepsResult<Carry extends TensorTree> {
  readonly outputs: Tensor;
  readonly carry: Carry;
  readonly states?: Carry;
}

/**
 * Runs steps over slices. For "last", the loop hands the newest output on instead of keeping all.
 * @param none the output of a sequence that has no step: zeros
 */
export function runSteps<Carry extends TensorTree, Slices extends TensorTree>(
  step: ScanStep<Carry, Slices, Tensor>,
  { carry, sequences, none }: { readonly carry: Carry; readonly sequences: Slices; readonly none: Tensor },
  options: ScanOptions<Carry>,
  wanted: RecurrentReturn,
): StepsResult<Carry> {
  if (wanted === "sequence") {
    const [after, outputs] = scan(step, carry, sequences, options);
    return { outputs, carry: after };
  }
  if (wanted === "states") {
    const withState: ScanStep<Carry, Slices, { outputs: Tensor; states: Carry }> = (before, now) => {
      const [states, outputs] = step(before, now);
      return [states, { outputs, states }];
    };
    const [after, kept] = scan(withState, carry, sequences, options);
    return { ...kept, carry: after };
  }
  type WithLast = { readonly carry: Carry; readonly last: Tensor };
  const onlyLast: ScanStep<WithLast, Slices, TensorTree> = (before, now) => {
    const [after, last] = step(before.carry, now);
    return [{ carry: after, last }, {}];
  };
  const { resetCarry, ...others } = options;
  const [after] = scan(onlyLast, { carry, last: none }, sequences, {
    ...others,
    ...(resetCarry && { resetCarry: { carry: resetCarry, last: none } }),
  });
  return { outputs: after.last, carry: after.carry };
}
