/** The experiments of 1997 as experiments of this package: present, learn, ask whether it is over. */

import type { Experiment, Figure, Figures, RunSettings, Source } from "../experiment.js";
import type { Learner } from "./learner.js";
import { meanError, type Sequence } from "./sequence.js";
import type { StoppingRule } from "./stopping.js";

/** One run: what learns, what it is shown, and when it is over. */
export interface Trial {
  readonly learner: Learner;
  next(): Sequence;
  readonly isSolved: StoppingRule;
  /** What goes on in the learner's place when the error has stopped decreasing. */
  grow?(): Learner;
  /** What is measured in the end, beside the presentations. @default nothing */
  measure?(learner: Learner): Figures;
}

/** A row of one of the paper's tables. */
export interface Row {
  readonly id: string;
  readonly title: string;
  /** Section and table. */
  readonly where: string;
  readonly notes: string;
  /** Id of the row as the paper describes it, where this one reaches the paper's figures, and that one does not. */
  readonly inPlaceOf?: string;
  /** The mean number of presentations that the paper gives. */
  readonly presentations?: number;
  /** Presentations after which a run has failed. */
  readonly limit: number;
  /** Figures beside those that all rows have. */
  readonly figures?: Readonly<Record<string, Figure>>;
  /** @default ["lstm-1997"] */
  readonly cells?: Experiment["cells"];
  readonly methods?: Experiment["methods"];
  /** Begins a run. */
  trial(settings: RunSettings): Trial;
}

const SOURCE: Omit<Source, "where"> = {
  authors: "Hochreiter & Schmidhuber",
  year: 1997,
  title: "Long short-term memory",
  link: "doi:10.1162/neco.1997.9.8.1735",
};

/** Presentations for which there is one report of progress, and over which an error is averaged that has to decrease. */
const INTERVAL = 100;
/** The error has stopped decreasing when it is larger than this part of the error of the interval before. */
const STALLED = 0.95;

/** The experiment of a row. */
export function experimentOf({ cells = ["lstm-1997"], methods, ...row }: Row): Experiment {
  const { id, title, where, notes, inPlaceOf, presentations, limit, figures, trial } = row;
  return {
    id,
    title,
    source: { ...SOURCE, where },
    notes,
    ...(inPlaceOf !== undefined && { inPlaceOf }),
    figures: {
      solved: { name: "solved: 1, or not: 0", aim: { from: 1 } },
      presentations: {
        name: "sequences presented until then",
        ofSuccesses: true,
        ...(presentations !== undefined && { paper: presentations }),
      },
      ...figures,
    },
    error: `mean of |target - output|, over ${INTERVAL} sequences`,
    cells,
    ...(methods && { methods }),
    async *run(settings) {
      const { learner, next, isSolved, grow, measure } = trial(settings);
      let current = learner;
      const most = Math.ceil(settings.effort * limit);
      let [presented, solved, canGrow] = [0, false, grow !== undefined];
      let [error, errorBefore] = [0, Number.POSITIVE_INFINITY];
      while (presented < most && !solved) {
        const sequence = next();
        const answers = current.learn(sequence);
        presented += 1;
        error += meanError(answers, sequence) / INTERVAL;
        solved = isSolved(current, answers, sequence);
        if (presented % INTERVAL !== 0) continue;
        yield { done: presented / most, error };
        if (grow && canGrow && error > STALLED * errorBefore) {
          current = grow();
          canGrow = false;
        }
        [error, errorBefore] = [0, error];
      }
      return { solved: Number(solved), presentations: presented, ...measure?.(current) };
    },
  };
}
