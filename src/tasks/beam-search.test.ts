/** Beam search against the enumeration of all sequences, greedy choice, and scoring. */

import { describe, expect, test } from "vitest";
import { f64, numbers } from "../../test/close.js";
import { NonFiniteError, OptionError } from "../core/index.js";
import { linear, logSoftmax } from "../nn/index.js";
import { add, gather, multiply, tanh, zeros } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import { type BeamSearchOptions, beamSearch } from "./index.js";

const CLASSES = 4;
const END = 0;

type Context = { readonly embedding: Tensor; readonly recurrent: Tensor; readonly readout: Tensor };
type Options = BeamSearchOptions<Context, Tensor>;

/** A small recurrent model, in float64; another one for each seed. */
const contextOf = (seed: number): Context => ({
  embedding: multiply(numbers(seed, [CLASSES, 3]), 2),
  recurrent: multiply(numbers(seed + 1, [3, 3]), 2),
  readout: multiply(numbers(seed + 2, [CLASSES, 3]), 3),
});
const step: Options["step"] = ({ embedding, recurrent, readout }, carry, tokens) => {
  const next = tanh(add(gather(embedding, tokens), linear(carry, recurrent)));
  return { logProbabilities: logSoftmax(linear(next, readout)), carry: next };
};
const search = (context: Context, options: Partial<Options> = {}) =>
  beamSearch({ step, width: 3, maxLength: 4, end: END, ...options })(context, zeros([1, 3], "float64"), 1);

/** log p of a sequence, step by step in plain loops. */
function scoreOf({ embedding, recurrent, readout }: Context, tokens: readonly number[]): number {
  const row = (x: Tensor, k: number) => Array.from(x.data.subarray(3 * k, 3 * k + 3));
  const dot = (a: number[], b: number[]) => a.reduce((total, value, k) => total + value * b[k]!, 0);
  let [carry, before, total] = [[0, 0, 0], 1, 0];
  for (const token of tokens) {
    const state = carry;
    carry = [0, 1, 2].map((k) => Math.tanh(row(embedding, before)[k]! + dot(row(recurrent, k), state)));
    const weights = Array.from({ length: CLASSES }, (_, k) => Math.exp(dot(row(readout, k), carry)));
    total += Math.log(weights[token]! / weights.reduce((left, right) => left + right));
    before = token;
  }
  return total;
}

/** Every sequence that ends with END or has the greatest length. */
function all(maxLength: number, prefix: readonly number[] = []): (readonly number[])[] {
  if (prefix.length === maxLength || prefix.at(-1) === END) return [prefix];
  return Array.from({ length: CLASSES }, (_, token) => all(maxLength, [...prefix, token])).flat();
}

describe("beamSearch", () => {
  test.each([0, 0.7])(
    "as wide as the space finds what enumeration finds, in its order, with length penalty %d",
    (alpha) => {
      for (const seed of [1, 11, 21]) {
        const context = contextOf(seed);
        const sequences = all(4)
          .map((tokens) => ({ tokens, score: scoreOf(context, tokens) / ((5 + tokens.length) / 6) ** alpha }))
          .sort((a, b) => b.score - a.score);
        const found = search(context, { width: CLASSES ** 4, lengthPenalty: alpha });
        expect(found.map(({ tokens }) => tokens)).toEqual(sequences.map(({ tokens }) => tokens));
        for (const [rank, { score }] of found.entries()) expect(score).toBeCloseTo(sequences[rank]!.score, 10);
      }
    },
  );

  test("of width 1 is greedy", () => {
    for (const seed of [1, 11, 21, 31]) {
      const context = contextOf(seed);
      const greedy: number[] = [];
      while (greedy.length < 6 && greedy.at(-1) !== END) {
        const scores = [0, 1, 2, 3].map((token) => scoreOf(context, [...greedy, token]));
        greedy.push(scores.indexOf(Math.max(...scores)));
      }
      expect(search(context, { width: 1, maxLength: 6 })).toMatchObject([{ tokens: greedy }]);
    }
  });

  test("scores what it finds as scoring does, best first", () => {
    const context = contextOf(5);
    const found = search(context, { width: 5, maxLength: 8, lengthPenalty: 1 });
    expect(found).toHaveLength(5);
    for (const { tokens, logProbability, score, finished } of found) {
      expect(logProbability).toBeCloseTo(scoreOf(context, tokens), 10);
      expect(score).toBeCloseTo(logProbability / ((5 + tokens.length) / 6), 10);
      expect(finished).toBe(tokens.at(-1) === END);
      expect(tokens.slice(0, -1)).not.toContain(END);
      expect(tokens.length === 8 || finished).toBe(true);
    }
    expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
  });

  test("favours longer sequences the more the length penalty is", () => {
    const context = contextOf(5);
    const lengths = [0, 1, 3].map((lengthPenalty) => {
      const found = search(context, { width: CLASSES ** 4, lengthPenalty }).slice(0, 20);
      return found.reduce((total, { tokens }) => total + tokens.length, 0);
    });
    expect(lengths[0]).toBeLessThan(lengths[1]!);
    expect(lengths[1]).toBeLessThan(lengths[2]!);
  });

  test("without an end writes as much as it may, and never what is excluded", () => {
    const found = beamSearch({ step, width: 3, maxLength: 5, exclude: [0, 2] })(
      contextOf(1),
      zeros([1, 3], "float64"),
      1,
    );
    expect(found.map(({ tokens, finished }) => [tokens.length, finished])).toEqual(new Array(3).fill([5, false]));
    expect(new Set(found.flatMap(({ tokens }) => tokens))).toEqual(new Set([1, 3]));
  });

  test("finds fewer than it may where there are fewer", () => {
    const certain: Options["step"] = (_, carry) => ({
      logProbabilities: add(zeros([3, 2], "float64"), f64([0, Number.NEGATIVE_INFINITY])),
      carry,
    });
    const found = beamSearch<readonly [], Tensor>({ step: certain as never, width: 3, maxLength: 2 })(
      [],
      zeros([1, 1]),
      0,
    );
    expect(found).toEqual([{ tokens: [0, 0], logProbability: 0, score: 0, finished: false }]);
  });

  test("refuses options out of range, unknown ones, and NaN", () => {
    const context = contextOf(1);
    expect(() => search(context, { width: 0 })).toThrow(OptionError);
    expect(() => search(context, { width: 0 })).toThrow(
      "beamSearch: width must be a whole number of at least 1, but is 0",
    );
    expect(() => search(context, { maxLength: 0 })).toThrow("beamSearch: maxLength");
    expect(() => search(context, { lengthPenalty: -1 })).toThrow("beamSearch: lengthPenalty");
    expect(() => search(context, { beams: 3 } as never)).toThrow('there is no option "beams"');
    expect(() => search({ ...context, readout: multiply(context.readout, Number.NaN) })).toThrow(NonFiniteError);
  });
});
