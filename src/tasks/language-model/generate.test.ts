import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type Learnt, learnText } from "../../../test/small-language-model.js";
import { OptionError } from "../../core/index.js";
import type { Unit } from "../../data/index.js";
import { logSumExp, randomKey, subtract, uniform } from "../../ops/index.js";
import { tensor } from "../../tensor/index.js";
import { generateTokens, type SamplingOptions, sampleToken, textEvaluator, tokenReader } from "./index.js";

/** The next tokens after a prompt. */
function write(
  { model, params }: Learnt,
  prompt: ArrayLike<number>,
  length: number,
  options: SamplingOptions,
  seed = 1,
): number[] {
  const tokens = generateTokens(tokenReader(model)(params), prompt, randomKey(seed), options);
  return Array.from({ length }, () => tokens.next().value);
}

describe("a character model", () => {
  test("learns the line 天地悠悠过客匆匆潮起又潮落 by heart in seconds, and says it from its first character", async () => {
    // 悠, 匆 and 潮 come twice with different successors, so the context decides.
    const line = "天地悠悠过客匆匆潮起又潮落";
    const started = performance.now();
    const learnt = await learnText(line, {
      steps: 120,
      windowLength: 12,
      learningRate: 0.03,
      model: { cell: "lstm", hiddenSize: 24 },
    });
    expect((performance.now() - started) / 1000).toBeLessThan(10);
    const { accuracy, loss } = textEvaluator(learnt.model, learnt.tokens, { batchSize: 1, windowLength: 12 })(
      learnt.params,
    );
    expect(accuracy).toBe(1);
    expect(loss).toBeLessThan(0.1);
    const rest = write(learnt, learnt.vocabulary.encode("天"), 12, { temperature: 0 });
    expect(`天${learnt.vocabulary.decode(rest)}`).toBe(line);
  });
});

describe.each<Unit>(["character", "byte", "word"])("with the unit %s", (unit) => {
  test("learns a Chinese and English text, and writes it on", async () => {
    const text = "潮起 again, 潮落 again. ".repeat(6);
    const learnt = await learnText(text, { unit, steps: 150, windowLength: 24, model: { hiddenSize: 24 } });
    expect(learnt.losses.at(-1)!).toBeLessThan(0.5 * learnt.losses[0]!);
    const prompt = learnt.vocabulary.encode("潮起 again,");
    const wanted = Array.from(learnt.vocabulary.encode(" 潮落"));
    expect(write(learnt, prompt, wanted.length, { temperature: 0 })).toEqual(wanted);
  });
});

describe("writing", () => {
  let learnt: Learnt;
  beforeAll(async () => {
    learnt = await learnText("the cat sat on the mat. a dog lay on the log. ".repeat(2), {
      steps: 60,
      windowLength: 16,
    });
  });

  test("gives the same text for the same seed, and another one for another", () => {
    const prompt = learnt.vocabulary.encode("the ");
    expect(write(learnt, prompt, 40, {}, 3)).toEqual(write(learnt, prompt, 40, {}, 3));
    expect(write(learnt, prompt, 40, {}, 3)).not.toEqual(write(learnt, prompt, 40, {}, 4));
  });

  test("at temperature 0 takes the likeliest token, whatever the seed", () => {
    const prompt = learnt.vocabulary.encode("a d");
    const greedy = write(learnt, prompt, 30, { temperature: 0 }, 1);
    expect(write(learnt, prompt, 30, { temperature: 0 }, 2)).toEqual(greedy);
    expect(write(learnt, prompt, 30, { topK: 1 }, 3)).toEqual(greedy);
    const read = tokenReader(learnt.model)(learnt.params);
    let logits: ArrayLike<number> = [];
    for (const token of prompt) logits = read(token);
    for (const token of greedy) {
      expect(token).toBe(Array.from(logits).indexOf(Math.max(...Array.from(logits))));
      logits = read(token);
    }
  });

  test("the log-probability of a sampled text, read token by token, is that of scoring it in one pass", () => {
    const prompt = learnt.vocabulary.encode("t");
    const text = Int32Array.from([...prompt, ...write(learnt, prompt, 60, { temperature: 1 }, 5)]);
    const read = tokenReader(learnt.model)(learnt.params);
    const { logits } = learnt.model.logits(learnt.params, tensor(text.slice(0, -1), { shape: [text.length - 1, 1] }));
    const scores = subtract(logits, logSumExp(logits, { axes: -1, keepAxes: true })).data;
    const classes = learnt.model.options.vocabularySize;
    let [stepwise, atOnce] = [0, 0];
    for (let time = 0; time + 1 < text.length; time++) {
      const own = Array.from(read(text[time]!));
      const next = text[time + 1]!;
      stepwise += own[next]! - Math.log(own.reduce((sum, score) => sum + Math.exp(score), 0));
      atOnce += scores[time * classes + next]!;
    }
    expect(stepwise).toBeLessThan(-1);
    expect(Math.abs(stepwise / atOnce - 1)).toBeLessThan(1e-5);
    // And by the evaluator.
    const { loss, tokens } = textEvaluator(learnt.model, text, { batchSize: 1, windowLength: 9 })(learnt.params);
    expect(Math.abs((-loss * tokens) / stepwise - 1)).toBeLessThan(1e-5);
  });

  test("each reader starts afresh and keeps its own carry", () => {
    const start = tokenReader(learnt.model);
    const [one, other] = [start(learnt.params), start(learnt.params)];
    const first = Array.from(one(3));
    one(4);
    expect(Array.from(other(3))).toEqual(first);
    expect(Array.from(one(3))).not.toEqual(first);
  });

  test("refuses settings that make no sense", () => {
    const wrong: [SamplingOptions, string][] = [
      [{ temperature: -1 }, "sampling: temperature must be a number at least 0, but is -1"],
      [{ topK: 0 }, "sampling: topK must be a whole number of at least 1, but is 0"],
      [{ topP: 0 }, "sampling: topP must be a number greater than 0 and at most 1, but is 0"],
      [{ topP: 1.1 }, "sampling: topP must be"],
    ];
    for (const [options, sentence] of wrong) {
      expect(() => write(learnt, [1], 1, options)).toThrow(OptionError);
      expect(() => write(learnt, [1], 1, options)).toThrow(sentence);
    }
  });
});

describe("sampleToken", () => {
  const logitsAndChance = fc.tuple(
    fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 12 }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  );
  const argmaxOf = (logits: readonly number[]) => logits.indexOf(Math.max(...logits));

  test("with temperature 0 or topK 1, and in the limit of a small temperature, takes the first largest", () => {
    fc.assert(
      fc.property(logitsAndChance, ([logits, chance]) => {
        expect(sampleToken(logits, { temperature: 0 }, chance)).toBe(argmaxOf(logits));
        expect(sampleToken(logits, { topK: 1 }, chance)).toBe(argmaxOf(logits));
        expect(sampleToken(logits, { topP: 1e-12 }, chance)).toBe(argmaxOf(logits));
        const rounded = logits.map((logit) => Math.round(logit) + 0); // no -0
        const cold = sampleToken(rounded, { temperature: 1e-3 }, chance);
        expect(rounded[cold]).toBe(Math.max(...rounded));
      }),
    );
  });

  /** How often each token comes, over evenly many chances of a random key. */
  function frequencies(logits: readonly number[], options: SamplingOptions, draws = 40_000): number[] {
    const counts = logits.map(() => 0);
    for (const chance of uniform(randomKey(9), [draws], "float64").data)
      counts[sampleToken(logits, options, chance)]! += 1;
    return counts.map((count) => count / draws);
  }

  /** Each frequency within four standard errors of its probability, and none at all where that is 0. */
  function expectFrequencies(found: readonly number[], weights: readonly number[], draws = 40_000): void {
    const total = weights.reduce((a, b) => a + b);
    weights.forEach((weight, token) => {
      const p = weight / total;
      expect(Math.abs(found[token]! - p), `token ${token}`).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / draws));
    });
  }

  const LOGITS = [0.3, -1.2, 2, 0.3, 1.1];
  const weights = LOGITS.map(Math.exp);

  test("draws each token with the probability of the softmax", () => {
    expectFrequencies(frequencies(LOGITS, {}), weights);
    expectFrequencies(
      frequencies(LOGITS, { temperature: 0.5 }),
      LOGITS.map((logit) => Math.exp(2 * logit)),
    );
    expectFrequencies(
      frequencies(LOGITS, { temperature: 3 }),
      LOGITS.map((logit) => Math.exp(logit / 3)),
    );
  });

  test("with topK draws among the likeliest; of equal ones, the first", () => {
    const only = (tokens: number[]) => weights.map((weight, token) => (tokens.includes(token) ? weight : 0));
    expectFrequencies(frequencies(LOGITS, { topK: 2 }), only([2, 4]));
    expectFrequencies(frequencies(LOGITS, { topK: 3 }), only([2, 4, 0]));
    expectFrequencies(frequencies(LOGITS, { topK: 99 }), weights);
  });

  test("with topP draws among as few of the likeliest as make up that probability", () => {
    const logits = [0.5, 0.2, 0.3].map(Math.log);
    expectFrequencies(frequencies(logits, { topP: 0.49 }), [1, 0, 0]);
    expectFrequencies(frequencies(logits, { topP: 0.6 }), [0.5, 0, 0.3]);
    expectFrequencies(frequencies(logits, { topP: 0.9 }), [0.5, 0.2, 0.3]);
    // Of the tokens that topK leaves.
    expectFrequencies(frequencies(logits, { topK: 2, topP: 0.6 }), [1, 0, 0]);
  });

  test("never chooses what is excluded", () => {
    const without = (token: number) => weights.map((weight, index) => (index === token ? 0 : weight));
    expectFrequencies(frequencies(LOGITS, { exclude: [2] }), without(2));
    expect(sampleToken(LOGITS, { exclude: [2], temperature: 0 }, 0.5)).toBe(4);
    expect(sampleToken(LOGITS, { exclude: [2, 4], topK: 1 }, 0.99)).toBe(0);
  });

  test("takes the first token at chance 0 and the last at chance just below 1, also for huge logits", () => {
    expect(sampleToken([1e4, 1e4, -1e4], {}, 0)).toBe(0);
    expect(sampleToken([1e4, 1e4, -1e4], {}, 1 - 2 ** -53)).toBe(1);
    expect(sampleToken([Number.NEGATIVE_INFINITY, 0], {}, 1 - 2 ** -53)).toBe(1);
  });
});
