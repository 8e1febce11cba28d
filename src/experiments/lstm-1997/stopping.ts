/** When learning is over: the two kinds of rules of 1997. */

import type { Learner } from "./learner.js";
import { largestError, meanError, type Sequence } from "./sequence.js";

/** Asked after each presentation, with the answers that were given before the update. */
export type StoppingRule = (learner: Learner, answers: ArrayLike<number>, sequence: Sequence) => boolean;

/** When the sequences presented last are well enough answered. */
export interface RecentOptions {
  /** An answer is wrong if an output is off by more than this. */
  readonly tolerance: number;
  /** Fewer of them than this are wrong. @default 1 */
  readonly wrongBelow?: number;
  /** Their mean error is below this. @default not asked */
  readonly meanBelow?: number;
  /** How many presentations count. @default 2000 */
  readonly window?: number;
}

/** Judges by the sequences that were presented last, each answered before it was learnt from. */
export function recentlyCorrect(options: RecentOptions): StoppingRule {
  const { tolerance, wrongBelow = 1, meanBelow = Number.POSITIVE_INFINITY, window = 2000 } = options;
  const errors = new Float64Array(window);
  const wrong = new Uint8Array(window);
  let [presented, wrongNow] = [0, 0];
  return (_, answers, sequence) => {
    const place = presented++ % window;
    const isWrong = Number(largestError(answers, sequence) > tolerance);
    wrongNow += isWrong - (wrong[place] as number);
    wrong[place] = isWrong;
    errors[place] = meanError(answers, sequence);
    // The mean is taken anew each time that the rest is fulfilled: a running sum would gather rounding errors.
    return (
      presented >= window && wrongNow < wrongBelow && errors.reduce((sum, error) => sum + error, 0) < meanBelow * window
    );
  };
}

/** Judges by a test, now and then. @param interval presentations from test to test */
export function whenTested(interval: number, passes: (learner: Learner) => boolean): StoppingRule {
  let presented = 0;
  return (learner) => ++presented % interval === 0 && passes(learner);
}

/** What a test asks. */
export interface TestOptions {
  /** Sequences. */
  readonly count: number;
  /** The error of each must be below this. */
  readonly tolerance: number;
  /** @default largestError */
  readonly error?: (answers: ArrayLike<number>, sequence: Sequence) => number;
}

/** Whether so many sequences are all answered well enough; ends at the first that is not. */
export function allWithin(
  learner: Learner,
  next: () => Sequence,
  { count, tolerance, error = largestError }: TestOptions,
): boolean {
  for (let k = 0; k < count; k++) {
    const sequence = next();
    if (!(error(learner.answer(sequence), sequence) < tolerance)) return false;
  }
  return true;
}

/** How sequences are answered. */
export interface Score {
  /** How many have an output that is off by more than the tolerance. */
  readonly wrong: number;
  /** Mean of |target - output|. */
  readonly error: number;
}

/** Scores the answers to so many sequences. */
export function scoreOf(learner: Learner, next: () => Sequence, count: number, tolerance: number): Score {
  let [wrong, error] = [0, 0];
  for (let k = 0; k < count; k++) {
    const sequence = next();
    const answers = learner.answer(sequence);
    wrong += Number(largestError(answers, sequence) > tolerance);
    error += meanError(answers, sequence) / count;
  }
  return { wrong, error };
}
