/** One sequence of a batch, for diagnostics that look at the carry as a vector. */

import { OptionError, requireInteger, requireKnownKeys } from "../../core/index.js";
import { slice } from "../../ops/index.js";
import { mapTensors, type TensorTree } from "../../tensor/index.js";
import type { SequenceProblem } from "../methods/method.js";
import { sequencesIn } from "../methods/windows.js";

/** What to look at. */
export interface OneSequenceOptions<Carry extends TensorTree> {
  /** The carry before the first step. @default the problem's initial carry */
  readonly carry?: Carry;
  /** Which sequence of the batch. @default 0 */
  readonly sequence?: number;
}

/** The sequence that was asked for, tensors `[time, 1, ...]`, and the carry before it, tensors `[1, ...]`. */
export function oneSequence<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  where: string,
  problem: SequenceProblem<Params, Carry, Batch>,
  batch: Batch,
  options: OneSequenceOptions<Carry>,
): { readonly carry: Carry; readonly batch: Batch } {
  requireKnownKeys(where, options, ["carry", "sequence"]);
  const { carry = problem.initialCarry(batch), sequence = 0 } = options;
  requireInteger(where, "sequence", sequence, 0);
  if (sequence >= sequencesIn(batch))
    throw new OptionError(`${where}: there is no sequence ${sequence}; the batch has ${sequencesIn(batch)}`);
  return {
    carry: mapTensors((leaf) => slice(leaf, 0, sequence, sequence + 1), carry),
    batch: mapTensors((leaf) => slice(leaf, 1, sequence, sequence + 1), batch),
  };
}
