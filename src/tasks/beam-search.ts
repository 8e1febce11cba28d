/** Beam search: the likeliest sequences of tokens of a model that reads its own output. */

import { NonFiniteError, requireInteger, requireKnownKeys, requireNumber } from "../core/index.js";
import { gather } from "../ops/index.js";
import { compile, type Kernels } from "../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree, tensor } from "../tensor/index.js";

/** What is searched, and how widely. */
export interface BeamSearchOptions<Context extends TensorTree, Carry extends TensorTree> {
  /**
   * One step of the model: reads the newest token of each hypothesis and says how likely each next one is. Traced once.
   * @param context what does not change during a search: parameters, an encoded sentence
   * @param carry every tensor `[hypotheses, ...]`
   * @param tokens int32 `[hypotheses]`
   * @returns log-probabilities `[hypotheses, tokens]`, and the next carry, of the same form
   */
  readonly step: (
    context: Context,
    carry: Carry,
    tokens: Tensor,
  ) => { readonly logProbabilities: Tensor; readonly carry: Carry };
  /** Hypotheses that are kept after each step, at least 1. 1 is greedy: always the likeliest next token. */
  readonly width: number;
  /** Most tokens of a hypothesis, `end` included. */
  readonly maxLength: number;
  /** The token that finishes a hypothesis. @default none: all have `maxLength` tokens */
  readonly end?: number;
  /** α of the score, at least 0: how much longer hypotheses are favoured. @default 0 */
  readonly lengthPenalty?: number;
  /** Tokens that are never chosen. @default none */
  readonly exclude?: readonly number[];
  /** @default the fastest here */
  readonly kernels?: Kernels;
}

const OPTION_NAMES = ["step", "width", "maxLength", "end", "lengthPenalty", "exclude", "kernels"] as const;

/** A sequence that was found. */
export interface Hypothesis {
  /** Without the start token, with the end token. */
  readonly tokens: readonly number[];
  /** Σ log p(token | those before it), in nats. */
  readonly logProbability: number;
  /** The log-probability over the length penalty; what hypotheses are ordered by. */
  readonly score: number;
  /** Whether it ends with `end`. */
  readonly finished: boolean;
}

/**
 * Searches from a carry, whose tensors are `[1, ...]`, and the token that is read first.
 * @returns at most `width` hypotheses, best first
 */
export type BeamSearch<Context extends TensorTree, Carry extends TensorTree> = (
  context: Context,
  carry: Carry,
  start: number,
) => Hypothesis[];

/** An extension of a hypothesis by a token, or a finished hypothesis as it is. */
interface Candidate {
  readonly from: Hypothesis;
  readonly row: number;
  readonly token: number | undefined;
  readonly logProbability: number;
  readonly score: number;
}

/**
 * Prepares a search. After each step the `width` hypotheses of the highest score go on, among all extensions by one token and those
 * that are finished:
 *
 *   score(y) = log p(y) / ((5 + |y|) / 6)^α        with α = `lengthPenalty`
 *
 * Approximate, unless `width` is the number of all sequences. Time: `maxLength` steps of `width` rows.
 * @throws OptionError if an option is unknown or out of range
 * @see Graves 2012, arXiv:1211.3711; length penalty: Wu et al. 2016, arXiv:1609.08144, equation 14
 * @example
 * const search = beamSearch({ step, width: 4, maxLength: 20, end: 0 });
 * const [best] = search(params, carry, startToken);
 */
export function beamSearch<Context extends TensorTree, Carry extends TensorTree>(
  options: BeamSearchOptions<Context, Carry>,
): BeamSearch<Context, Carry> {
  requireKnownKeys("beamSearch", options, OPTION_NAMES);
  const { step, width, maxLength, end, lengthPenalty = 0, exclude = [], kernels } = options;
  requireInteger("beamSearch", "width", width, 1);
  requireInteger("beamSearch", "maxLength", maxLength, 1);
  requireNumber("beamSearch", "lengthPenalty", lengthPenalty, { from: 0 });
  if (end !== undefined) requireInteger("beamSearch", "end", end, 0);
  const excluded = new Set(exclude);

  /** A step of the hypotheses that went on: row k follows row `parents[k]` of the step before. */
  const advance = compile(
    (context: Context, carry: Carry, parents: Tensor, tokens: Tensor) => {
      const result = step(context, rowsOf(carry, parents), tokens);
      return [result.logProbabilities, result.carry] as const;
    },
    kernels ? { kernels } : {},
  );
  const scoreOf = (logProbability: number, length: number): number =>
    logProbability / ((5 + length) / 6) ** lengthPenalty;

  return (context, start, startToken) => {
    const [parents, tokens] = [new Int32Array(width), new Int32Array(width).fill(startToken)];
    let carry = rowsOf(start, tensor(parents));
    let beam: Hypothesis[] = [{ tokens: [], logProbability: 0, score: 0, finished: false }];
    for (let length = 1; length <= maxLength && beam.some(({ finished }) => !finished); length++) {
      const [logProbabilities, next] = advance(context, carry, tensor(parents), tensor(tokens));
      const classes = logProbabilities.shape[1] as number;
      const best: Candidate[] = [];
      let row = 0;
      for (const from of beam) {
        if (from.finished) {
          keepBest(best, width, { ...from, from, row: 0, token: undefined });
          continue;
        }
        const likely = logProbabilities.data.subarray(row * classes, (row + 1) * classes);
        for (let token = 0; token < classes; token++) {
          if (excluded.has(token)) continue;
          const logProbability = from.logProbability + (likely[token] as number);
          if (Number.isNaN(logProbability))
            throw new NonFiniteError(`beamSearch: the log-probability of token ${token} is NaN`);
          const score = scoreOf(logProbability, length);
          keepBest(best, width, { from, row, token, logProbability, score });
        }
        row += 1;
      }
      beam = best.map(({ from, token, logProbability, score }) =>
        token === undefined
          ? from
          : { tokens: [...from.tokens, token], logProbability, score, finished: token === end },
      );
      // The live ones take the first rows; the others repeat row 0 and are not read.
      best
        .filter(({ token }) => token !== undefined && token !== end)
        .forEach((candidate, place) => {
          parents[place] = candidate.row;
          tokens[place] = candidate.token as number;
        });
      carry = next;
    }
    return beam;
  };
}

const rowsOf = <Carry extends TensorTree>(carry: Carry, rows: Tensor): Carry =>
  mapTensors((x) => gather(x, rows), carry);

/** Inserts a candidate into a list of the best, in order; of equals the first stays ahead. -∞ is never kept. */
function keepBest(best: Candidate[], width: number, candidate: Candidate): void {
  const { score } = candidate;
  if (score === Number.NEGATIVE_INFINITY) return;
  if (best.length === width && score <= (best.at(-1) as Candidate).score) return;
  let place = best.length;
  while (place > 0 && (best[place - 1] as Candidate).score < score) place -= 1;
  best.splice(place, 0, candidate);
  if (best.length > width) best.pop();
}
