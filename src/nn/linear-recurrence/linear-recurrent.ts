/** A linear cell over time, all steps at once. */

import { requireKnownKeys } from "../../core/index.js";
import { at, expandDims, select, zeros } from "../../ops/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import { firstOverTime } from "../recurrent/over-time.js";
import type {
  RecurrentLayer,
  RecurrentOptions,
  RecurrentResult,
  RecurrentReturn,
} from "../recurrent/recurrent-layer.js";
import { runSteps } from "../recurrent/run-steps.js";
import { type SequenceBatch, sequenceBatch } from "../recurrent/sequence-batch.js";
import { fromCarry, type LinearCarry, type LinearCell, toCarry } from "./linear-cell.js";
import { type Linear, type LinearMethod, linearRecurrence } from "./linear-recurrence.js";

/** How a linear cell is run over time. */
export interface LinearRecurrentSettings {
  /** From the last step to the first; outputs stay at their step. Ragged sequences start at their own last step. @default false */
  readonly reverse?: boolean;
  /** How the states are computed; see `linearRecurrence`. @default "sequential" */
  readonly method?: LinearMethod;
}

/**
 * A linear cell over time: the coefficients of all steps, then all states by `linearRecurrence`, then all outputs. Parameters,
 * carries and options are those of `recurrent(cell)`, and so are the results, to rounding.
 * @throws OptionError if a setting is unknown
 * @example const layer = linearRecurrent(minGru({ inputSize: 8, hiddenSize: 32 })); const { outputs } = layer.apply(params, xs);
 */
export function linearRecurrent<Params extends TensorTree, Carry extends LinearCarry>(
  cell: LinearCell<Params, Carry>,
  settings: LinearRecurrentSettings = {},
): RecurrentLayer<Params, Carry> {
  requireKnownKeys("linearRecurrent", settings, ["reverse", "method"]);
  const { reverse = false, method } = settings;
  const { inputSize, outputSize } = cell;
  return {
    inputSize,
    outputSize,
    init: (key, dtype) => cell.init(key, dtype),
    initialCarry: (batchSize, dtype) => cell.initialCarry(batchSize, dtype),
    ...(reverse && { lastOf: firstOverTime }),
    apply: <Return extends RecurrentReturn>(
      params: Params,
      xs: Tensor,
      options: RecurrentOptions<Carry, Return> = {},
    ) => {
      const batch = sequenceBatch("linearRecurrent", { inputSize, reverse }, xs, options);
      const { real, restart, inputs } = batch;
      const start = cell.initialCarry(batch.batchSize, batch.dtype);
      const { a, b } = cell.coefficients(params, inputs);
      const [last, values] = linearRecurrence<Linear>(a, b, fromCarry(options.carry ?? start), {
        reverse,
        ...(method && { method }),
        ...(real && { mask: real }),
        ...(restart && { resetMask: restart, resetState: fromCarry(start) }),
      });
      const states = toCarry<Carry>(values);
      const outputs = withoutPadding(cell.readout(params, states, inputs), real);
      const result = {
        outputs: options.return === "last" ? lastOutput(outputs, batch, reverse) : outputs,
        carry: toCarry<Carry>(last),
        ...(options.return === "states" && { states: withoutPadding(states, real) }),
      };
      return result as RecurrentResult<Carry, Return>;
    },
  };
}

/** Zeros at padded steps. */
const withoutPadding = <T extends TensorTree>(tree: T, real: Tensor | undefined): T =>
  real ? mapTensors((leaf) => select(expandDims(real, -1), leaf, 0), tree) : tree;

/** The output of the real step that was taken last. */
function lastOutput(
  outputs: Tensor,
  { time, batchSize, dtype, real, restart }: SequenceBatch,
  reverse: boolean,
): Tensor {
  const none = zeros([batchSize, outputs.shape[2] as number], dtype);
  if (time === 0) return none;
  if (real === undefined) return at(outputs, reverse ? 0 : -1);
  const carry = {};
  const options = { reverse, mask: real, ...(restart && { resetMask: restart, resetCarry: carry }) };
  return runSteps((_, y: Tensor) => [carry, y], { carry, sequences: outputs, none }, options, "last").outputs;
}
