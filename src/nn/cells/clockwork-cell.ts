/** The clockwork network: modules with clocks of their own. */

import { OptionError, requireInteger, requireKnownKeys } from "../../core/index.js";
import {
  add,
  broadcastTo,
  equal,
  expandDims,
  greaterEqual,
  reshape,
  select,
  splitKey,
  tanh,
  zeros,
} from "../../ops/index.js";
import { HostTensor, type Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { glorotUniform, orthogonal } from "../init.js";
import { linear } from "../linear.js";
import type { CellSizes } from "./cell-options.js";
import type { ElmanParams } from "./elman-cell.js";

/** `h [batch, hiddenSize]`; `clock` int32 `[batch, modules]`: steps since each module was last due, 0 if it is due now */
export type ClockworkState = { readonly h: Tensor; readonly clock: Tensor };

/** Sizes of the cell, hiddenSize a multiple of the number of periods, and the periods of its modules, which are of equal size. */
export interface ClockworkOptions extends CellSizes {
  /** Steps between two updates of each module, at least 1, rising. @default [1, 2, 4, 8] */
  readonly periods?: readonly number[];
}

const DEFAULTS = { periods: [1, 2, 4, 8] } as const;

/**
 * Clockwork network, one time step. Module k has the period T_k, the fastest first; t counts the steps of a sequence from 0:
 *
 *   h_k' = tanh(W_k x + Σ_{j ≥ k} U_kj h_j + b_k)    if t is a multiple of T_k
 *   h_k' = h_k                                       otherwise;        y = h'
 *
 * Connections lead from slower modules to faster ones, and from each to itself: blocks of U below the diagonal are not read, and get no
 * gradient. t is kept as one clock for each module, which never overflows. Starts: W by Glorot's rule, U orthogonal as a whole,
 * b = 0. Parameters as those of `elman`.
 * @throws OptionError if a size or period is no whole number of at least 1, hiddenSize is no multiple of the number of periods,
 * they do not rise, or an option is unknown
 * @see Koutník, Greff, Gomez & Schmidhuber 2014, A clockwork RNN, arXiv:1402.3511
 * @example const cell = clockwork({ inputSize: 8, hiddenSize: 32, periods: [1, 2, 4, 8] });
 */
export function clockwork(options: ClockworkOptions): Cell<ElmanParams, ClockworkState> {
  requireKnownKeys("clockwork", options, ["inputSize", "hiddenSize", "periods"]);
  const { inputSize, hiddenSize, periods } = { ...DEFAULTS, ...options };
  requireInteger("clockwork", "inputSize", inputSize, 1);
  requireInteger("clockwork", "hiddenSize", hiddenSize, 1);
  requirePeriods(periods, hiddenSize);
  const modules = periods.length;
  const period = new HostTensor({ dtype: "int32", shape: [modules] }, Int32Array.from(periods));
  const isConnection = fromSlower(modules, hiddenSize);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => {
      const [keyIh, keyHh] = splitKey(key);
      return {
        weightIh: glorotUniform(keyIh, [hiddenSize, inputSize], dtype),
        weightHh: orthogonal(keyHh, [hiddenSize, hiddenSize], dtype),
        bias: zeros([hiddenSize], dtype),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({
      h: zeros([batchSize, hiddenSize], dtype),
      clock: zeros([batchSize, modules], "int32"),
    }),
    step: ({ weightIh, weightHh, bias }, { h, clock }, x) => {
      const fresh = tanh(add(linear(x, weightIh, bias), linear(h, select(isConnection, weightHh, 0))));
      const next = select(forUnits(equal(clock, 0), hiddenSize), fresh, h);
      const later = add(clock, 1);
      return [{ h: next, clock: select(greaterEqual(later, period), 0, later) }, next];
    },
  };
}

/** What holds for each module, `[batch, modules]`, for each of its units, `[batch, hiddenSize]`. */
function forUnits(ofModules: Tensor, hiddenSize: number): Tensor {
  const [batchSize, modules] = ofModules.shape as [number, number];
  return reshape(broadcastTo(expandDims(ofModules, 2), [batchSize, modules, hiddenSize / modules]), [
    batchSize,
    hiddenSize,
  ]);
}

/** int32 `[hiddenSize, hiddenSize]`: 1 where a weight leads to a unit from one of the same module or a slower one. */
function fromSlower(modules: number, hiddenSize: number): Tensor {
  const moduleOf = (unit: number) => Math.floor((unit * modules) / hiddenSize);
  const data = Int32Array.from({ length: hiddenSize * hiddenSize }, (_, index) =>
    moduleOf(index % hiddenSize) >= moduleOf(Math.floor(index / hiddenSize)) ? 1 : 0,
  );
  return new HostTensor({ dtype: "int32", shape: [hiddenSize, hiddenSize] }, data);
}

function requirePeriods(periods: readonly number[], hiddenSize: number): void {
  if (periods.length === 0) throw new OptionError("clockwork: periods is empty; give at least one");
  for (const period of periods) requireInteger("clockwork", "each of periods", period, 1);
  if (periods.some((period, index) => index > 0 && period <= (periods[index - 1] as number))) {
    throw new OptionError(`clockwork: periods must rise, but are [${periods}]`);
  }
  if (hiddenSize % periods.length !== 0) {
    throw new OptionError(
      `clockwork: hiddenSize must be a multiple of the number of periods, ${periods.length}, but is ${hiddenSize}`,
    );
  }
}
