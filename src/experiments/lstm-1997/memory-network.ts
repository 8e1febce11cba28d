/** The memory-cell networks of table 10. */

import { type LSTM1997Options, type LSTM1997Params, lstm1997 } from "../../nn/index.js";
import { type Network, networkOf, type ReadoutOptions, type ReadoutParams } from "./network.js";

/** A row of table 10: the memory cells, and the output layer, which sees the cells alone. */
export type MemoryNetworkOptions = Omit<LSTM1997Options, "truncateGradient"> & ReadoutOptions;

/**
 * Memory cells whose gates and inputs see input units, gates and cells; outputs that see the cells.
 * @param exact whether the gradient is exact; else errors are truncated as in the paper. Without recurrent weights there is nothing to truncate
 */
export function memoryNetwork(options: MemoryNetworkOptions, exact = false): Network<ReadoutParams<LSTM1997Params>> {
  const { outputSize, answers, outputBias, output, ...cell } = options;
  const truncateGradient = !exact && cell.recurrentWeights !== false;
  return networkOf(lstm1997({ ...cell, truncateGradient }), options);
}
