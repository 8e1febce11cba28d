/** The one step that cells and layers over time have in common. */

import { OptionError } from "../core/index.js";
import type { Cell, RecurrentLayer } from "../nn/index.js";
import { at, expandDims, normal, randomKey, slice } from "../ops/index.js";
import { type FloatDType, type Tensor, type TensorTree, tensorsByPath } from "../tensor/index.js";

/** What can be run step by step: a cell, or a layer over time that does not read ahead. */
export type StepperModel<Params extends TensorTree, Carry extends TensorTree> =
  | Cell<Params, Carry>
  | RecurrentLayer<Params, Carry>;

/** One time step of a model: from a carry and `[batch, inputSize]` to the next carry and the output. */
export type Step<Carry extends TensorTree> = (carry: Carry, x: Tensor) => readonly [carry: Carry, y: Tensor];

/** @throws OptionError for a layer whose outputs depend on later inputs */
export function stepOf<Params extends TensorTree, Carry extends TensorTree>(
  model: StepperModel<Params, Carry>,
  params: Params,
  dtype: FloatDType,
): Step<Carry> {
  if ("step" in model) return (carry, x) => model.step(params, carry, x);
  requireCausal(model, params, dtype);
  return (carry, x) => {
    const { outputs, carry: next } = model.apply(params, expandDims(x, 0), { carry });
    return [next, at(outputs, 0)];
  };
}

/** A layer that reads ahead gives other numbers when it does not see two steps at once: an order of magnitude above rounding. */
const TOLERANCE = 1e-4;

/** Two steps of some input, at once and one after the other. */
function requireCausal<Params extends TensorTree, Carry extends TensorTree>(
  layer: RecurrentLayer<Params, Carry>,
  params: Params,
  dtype: FloatDType,
): void {
  const xs = normal(randomKey(0), [2, 1, layer.inputSize], dtype);
  const run = (from: number, to: number, carry: Carry) => layer.apply(params, slice(xs, 0, from, to), { carry });
  const whole = run(0, 2, layer.initialCarry(1, dtype));
  const first = run(0, 1, layer.initialCarry(1, dtype));
  const second = run(1, 2, first.carry);
  const differ = (a: Tensor, b: Tensor) =>
    a.data.some((value, k) => Math.abs(value - (b.data[k] as number)) > TOLERANCE * (1 + Math.abs(value)));
  const carries = tensorsByPath(second.carry);
  if (
    differ(at(whole.outputs, 0), at(first.outputs, 0)) ||
    differ(at(whole.outputs, 1), at(second.outputs, 0)) ||
    tensorsByPath(whole.carry).some(([, part], index) => differ(part, (carries[index] as [string, Tensor])[1]))
  ) {
    throw new OptionError(
      "stepper: the layer reads ahead, as reverse and bidirectional layers do: what it gives at a step depends on later " +
        "ones; run it over whole sequences, or stream a layer of one direction",
    );
  }
}
