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
  return found ?? noExperiment(id, "experiment", namesOf(EXPERIMENTS));
}

/**
 * The experiment of that id; or, for the name of a group, those right inside it: `lstm-1997` has `lstm-1997/5` and `lstm-1997/6b`, but not
 * `lstm-1997/5/13`. Where another one stands for one of them, it takes its place: `lstm-1997/4/linear` that of `lstm-1997/4`.
 * @throws OptionError naming the nearest one if there is none of that name
 */
export function experimentsByName(name: string): readonly Experiment[] {
  const one = EXPERIMENTS.filter(({ id }) => id === name);
  if (one.length > 0) return one;
  const inside = EXPERIMENTS.filter(({ id }) => groupOf(id) === name);
  if (inside.length > 0) return inside.map((one) => EXPERIMENTS.find(({ inPlaceOf }) => inPlaceOf === one.id) ?? one);
  const groups = new Set(EXPERIMENTS.flatMap(({ id }) => groupOf(id) ?? []));
  return noExperiment(name, "experiment or group of them", [...namesOf(EXPERIMENTS), ...groups]);
}

const namesOf = (experiments: readonly Experiment[]) => experiments.map(({ id }) => id);

/** `lstm-1997` for `lstm-1997/4` and for no other; nothing for what is in no group. */
const groupOf = (id: string): string | undefined => /^([^/]+)\/[^/]+$/.exec(id)?.[1];

function noExperiment(name: string, what: string, names: readonly string[]): never {
  throw new OptionError(
    `there is no ${what} "${name}"; did you mean ${nearestName(name, names)}? "through-time experiment list" shows them all`,
  );
}
