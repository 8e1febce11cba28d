/** All experiments, by their names. */

import { nearestName, OptionError } from "../core/index.js";
import { addingExperiments } from "./adding.js";
import { addingDownsampled } from "./adding-downsampled.js";
import { addingIndrnn } from "./adding-indrnn.js";
import { copyMemoryExperiments } from "./copy-memory.js";
import { elmanLetters } from "./elman-1990/letters.js";
import { elmanXor } from "./elman-1990/xor.js";
import { dateFormat } from "./encoder-decoder/date-format.js";
import { reverseString } from "./encoder-decoder/reverse-string.js";
import type { Experiment } from "./experiment.js";
import { latchExperiment } from "./latch.js";
import { lstm1997Experiments } from "./lstm-1997/index.js";
import { outputRecurrence } from "./output-recurrence.js";
import { temporalOrderExperiments } from "./temporal-order.js";
import { windowBaseline } from "./window-baseline.js";

/** All experiments, in the order they are listed. */
export const EXPERIMENTS: readonly Experiment[] = [
  windowBaseline,
  elmanXor,
  elmanLetters,
  outputRecurrence,
  reverseString,
  dateFormat,
  ...addingExperiments,
  addingIndrnn,
  addingDownsampled,
  latchExperiment,
  ...temporalOrderExperiments,
  ...copyMemoryExperiments,
  ...lstm1997Experiments,
];

/**
 * An experiment by its id.
 * @throws OptionError naming the nearest one if there is none of that id
 */
export function experimentById(id: string): Experiment {
  const found = EXPERIMENTS.find((experiment) => experiment.id === id);
  if (found !== undefined) return found;
  const ids = EXPERIMENTS.map((experiment) => experiment.id);
  throw new OptionError(
    `there is no experiment "${id}"; did you mean ${nearestName(id, ids)}? The experiments are ${ids.join(", ")}`,
  );
}
