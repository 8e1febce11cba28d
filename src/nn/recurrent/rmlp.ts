/** The recurrent multilayer perceptron: a stack of simple recurrent layers. */

import { OptionError, requireKnownKeys } from "../../core/index.js";
import { type ElmanParams, type ElmanState, elman } from "../cells/index.js";
import { type RecurrentLayer, recurrent } from "./recurrent.js";
import { stacked } from "./stacked.js";

/** Sizes of a stack. */
export interface RMLPOptions {
  readonly inputSize: number;
  /** Units of each layer, the first layer first. */
  readonly hiddenSizes: readonly number[];
}

/**
 * Recurrent multilayer perceptron: `stacked` layers of `elman`, a name of its own for what the source trains to model plants.
 * @throws OptionError if there is no layer, or a size is not a whole number of at least 1
 * @see Fernandez, Parlos & Tsai 1990, Nonlinear dynamic system identification using artificial neural networks
 * @example const layer = rmlp({ inputSize: 4, hiddenSizes: [16, 16] });
 */
export function rmlp(options: RMLPOptions): RecurrentLayer<readonly ElmanParams[], readonly ElmanState[]> {
  requireKnownKeys("rmlp", options, ["inputSize", "hiddenSizes"]);
  const { inputSize, hiddenSizes } = options;
  if (hiddenSizes.length === 0) throw new OptionError("rmlp: hiddenSizes is empty; give the size of each layer");
  return stacked(
    hiddenSizes.map((hiddenSize, index) =>
      recurrent(elman({ inputSize: hiddenSizes[index - 1] ?? inputSize, hiddenSize })),
    ),
  );
}
