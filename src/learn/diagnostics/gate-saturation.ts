/** How far gates are open: read from any cell, by the logistic functions that its step computes. */

import { OptionError, requireKnownKeys, requireNumber, unflattenTree } from "../../core/index.js";
import type { Cell } from "../../nn/index.js";
import { sigmoid } from "../../ops/index.js";
import { bind, inline, type Primitive } from "../../program/index.js";
import { compile } from "../../runtime/index.js";
import { scan } from "../../scan/index.js";
import type { FloatDType, Tensor, TensorTree } from "../../tensor/index.js";
import { traceTree } from "../../transforms/index.js";

/** What counts as saturated. */
export interface GateSaturationOptions<Carry extends TensorTree> {
  /** The carry before the first step. @default the cell's initial carry */
  readonly carry?: Carry;
  /** Below this a gate is shut, in (0, 1). @default 0.1 */
  readonly shutBelow?: number;
  /** From this on a gate is open, in [shutBelow, 1). @default 0.9 */
  readonly openFrom?: number;
}

/** One gate of a cell; every list has a number for each of its units. */
export interface GateSaturation {
  /** Part of all steps and sequences at which the gate is shut. */
  readonly shut: readonly number[];
  /** Part at which it is open. */
  readonly open: readonly number[];
  /** Mean over steps and sequences. */
  readonly mean: readonly number[];
}

/**
 * How often the gates of a cell are saturated over a batch of sequences. Gates that are nearly always shut or open do not pass gradients on to
 * what drives them.
 * @param xs `[time, batch, inputSize]`
 * @returns the gates in the order in which the step computes their σ: f, i, o for `lstm`, z, r for `gru`
 * @throws OptionError if the step computes no σ, or a threshold is out of range
 * @see Karpathy, Johnson & Fei-Fei 2015, arXiv:1506.02078, section 4.2
 * @example const [forget] = gateSaturation(cell, params, xs); Math.max(...forget.open)
 */
export function gateSaturation<Params extends TensorTree, Carry extends TensorTree>(
  cell: Cell<Params, Carry>,
  params: Params,
  xs: Tensor,
  options: GateSaturationOptions<Carry> = {},
): GateSaturation[] {
  requireKnownKeys("gateSaturation", options, ["carry", "shutBelow", "openFrom"]);
  const { shutBelow = 0.1, openFrom = 0.9 } = options;
  requireNumber("gateSaturation", "shutBelow", shutBelow, { above: 0, below: 1 });
  requireNumber("gateSaturation", "openFrom", openFrom, { from: shutBelow, below: 1 });
  const start = options.carry ?? cell.initialCarry(xs.shape[1] as number, xs.dtype as FloatDType);
  const gates = compile((at: Params, carry: Carry, inputs: Tensor) => {
    const [, values] = scan((before: Carry, x: Tensor) => stepShowingGates(cell, at, before, x), carry, inputs);
    return values;
  })(params, start, xs);
  if (gates.length === 0) throw new OptionError("gateSaturation: the step of the cell computes no sigmoid");
  return gates.map(({ data, shape }) => {
    const units = shape.at(-1) as number;
    const part = (value: (gate: number) => number) => {
      const totals = new Array<number>(units).fill(0);
      data.forEach((gate, place) => {
        totals[place % units] = (totals[place % units] as number) + value(gate);
      });
      return totals.map((total) => (total * units) / data.length);
    };
    return {
      shut: part((gate) => (gate < shutBelow ? 1 : 0)),
      open: part((gate) => (gate >= openFrom ? 1 : 0)),
      mean: part((gate) => gate),
    };
  });
}

/** A step, with its gates as the output. */
function stepShowingGates<Params extends TensorTree, Carry extends TensorTree>(
  cell: Cell<Params, Carry>,
  params: Params,
  carry: Carry,
  x: Tensor,
): readonly [Carry, readonly Tensor[]] {
  const { program, inputs, result } = traceTree(
    (...args: [Params, Carry, Tensor]) => cell.step(...args)[0],
    [params, carry, x],
  );
  const gates: Tensor[] = [];
  const bindShowing: typeof bind = (primitive, operands, settings) => {
    const outputs = bind(primitive, operands, settings);
    if ((primitive as Primitive) === sigmoid.primitive) gates.push(...outputs);
    return outputs;
  };
  const next = unflattenTree<Tensor>(result, inline(program, inputs, bindShowing)) as Carry;
  return [next, gates];
}
