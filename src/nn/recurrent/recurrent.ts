/** A cell over time. */

import { requireKnownKeys } from "../../core/index.js";
import { zeros } from "../../ops/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { type Rates, ratedTensors, requireRates } from "../regularization/rates.js";
import { type RecurrentDropout, requireDropout } from "../regularization/recurrent-dropout.js";
import { prepareSteps } from "./layer-step.js";
import { firstOverTime } from "./over-time.js";
import type { RecurrentLayer, RecurrentOptions, RecurrentResult, RecurrentReturn } from "./recurrent-layer.js";
import { runSteps } from "./run-steps.js";
import { sequenceBatch } from "./sequence-batch.js";

export type * from "./recurrent-layer.js";

/** How a cell is run over time. */
export interface RecurrentSettings {
  /** From the last step to the first; outputs stay at their step. Ragged sequences start at their own last step. @default false */
  readonly reverse?: boolean;
  /** Steps between kept carries, for gradients of long sequences in little memory; see `scan`. @default all is kept */
  readonly checkpoint?: number;
  /** Dropout inside the recurrence, when `apply` is given a key. @default none */
  readonly dropout?: RecurrentDropout;
  /**
   * Probability, in [0, 1], that a unit of the carry keeps its old value at a step: one for all parts, or by name, `{ h: 0.05, c: 0.5 }`.
   * Without a key, old and new value are mixed by it, which is the expectation (so it acts without a key, too). See `zoneout`.
   * @default 0
   */
  readonly zoneout?: Rates;
}

const SETTING_NAMES = ["reverse", "checkpoint", "dropout", "zoneout"] as const;

/**
 * A cell over time.
 * @throws OptionError if a setting is unknown, out of range, or names a part that the carry has not
 * @example const layer = recurrent(lstm({ inputSize: 8, hiddenSize: 32 })); const { outputs } = layer.apply(params, xs);
 */
export function recurrent<Params extends TensorTree, Carry extends TensorTree>(
  cell: Cell<Params, Carry>,
  settings: RecurrentSettings = {},
): RecurrentLayer<Params, Carry> {
  requireKnownKeys("recurrent", settings, SETTING_NAMES);
  const { inputSize, outputSize } = cell;
  const zoneoutRates = settings.zoneout ?? 0;
  requireRates("recurrent", "zoneout", zoneoutRates, { from: 0, to: 1 });
  ratedTensors("recurrent: zoneout", cell.initialCarry(1), zoneoutRates);
  if (settings.dropout) requireDropout(settings.dropout, cell.initialCarry(1));
  return {
    inputSize,
    outputSize,
    init: (key, dtype) => cell.init(key, dtype),
    initialCarry: (batchSize, dtype) => cell.initialCarry(batchSize, dtype),
    ...(settings.reverse && { lastOf: firstOverTime }),
    apply: <Return extends RecurrentReturn>(
      params: Params,
      xs: Tensor,
      options: RecurrentOptions<Carry, Return> = {},
    ) => {
      const { reverse = false, checkpoint } = settings;
      const { batchSize, dtype, inputs, real, restart } = sequenceBatch(
        "recurrent",
        { inputSize, reverse },
        xs,
        options,
      );
      const start = cell.initialCarry(batchSize, dtype);
      const { step, sequences } = prepareSteps(cell, settings, {
        params,
        carry: start,
        x: inputs,
        ...(options.key && { key: options.key }),
      });
      const result = runSteps(
        step,
        { carry: options.carry ?? start, sequences, none: zeros([batchSize, outputSize], dtype) },
        {
          reverse,
          ...(checkpoint !== undefined && { checkpoint }),
          ...(real && { mask: real }),
          ...(restart && { resetMask: restart, resetCarry: start }),
        },
        options.return ?? "sequence",
      );
      return result as RecurrentResult<Carry, Return>;
    },
  };
}
