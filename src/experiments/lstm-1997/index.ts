/** The experiments of Hochreiter & Schmidhuber 1997, in the order of the paper. */

import type { Experiment } from "../experiment.js";
import { delayedXorExperiment } from "./delayed-xor.js";
import { reberRows } from "./experiment-1.js";
import { longLagRows } from "./experiment-2.js";
import { triggeredRows } from "./experiment-2c.js";
import { twoClassesRows } from "./experiment-3.js";
import { addingRows, multiplyingRows } from "./experiment-4-5.js";
import { orderRows } from "./experiment-6.js";

/** All of them. */
export const lstm1997Experiments: readonly Experiment[] = [
  ...reberRows,
  ...longLagRows,
  ...triggeredRows,
  ...twoClassesRows,
  ...addingRows,
  ...multiplyingRows,
  ...orderRows,
  delayedXorExperiment,
];
