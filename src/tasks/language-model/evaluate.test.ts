import { beforeAll, describe, expect, test } from "vitest";
import { type Learnt, learnText } from "../../../test/small-language-model.js";
import { DataError } from "../../core/index.js";
import { argmax } from "../../ops/index.js";
import { tensor } from "../../tensor/index.js";
import { bitsPerToken, perplexity, textEvaluator } from "./index.js";

const TEXT = "der schnelle braune fuchs springt ueber den faulen hund. ";

let learnt: Learnt;
beforeAll(async () => {
  learnt = await learnText(TEXT.repeat(3), { steps: 40, windowLength: 16, batchSize: 2, model: { dropout: 0.3 } });
});

/** Loss and accuracy of one stream by plain loops on the logits of the whole text at once. */
function byHand({ model, params }: Learnt, tokens: Int32Array): { loss: number; accuracy: number } {
  const inputs = tensor(tokens.slice(0, -1), { shape: [tokens.length - 1, 1] });
  const { logits } = model.logits(params, inputs);
  const likeliest = argmax(logits).data;
  const classes = model.options.vocabularySize;
  let [total, right] = [0, 0];
  for (let time = 0; time + 1 < tokens.length; time++) {
    const scores = Array.from(logits.data.subarray(time * classes, (time + 1) * classes));
    const largest = Math.max(...scores);
    const sum = scores.reduce((partial, score) => partial + Math.exp(score - largest), 0);
    total += Math.log(sum) + largest - scores[tokens[time + 1]!]!;
    const best = scores.indexOf(largest);
    expect(best).toBe(likeliest[time]);
    if (best === tokens[time + 1]) right += 1;
  }
  return { loss: total / (tokens.length - 1), accuracy: right / (tokens.length - 1) };
}

/** Sums of some hundred float32 losses. */
const FLOAT32 = 2e-6;

describe("textEvaluator", () => {
  test("gives the cross-entropy and the accuracy that plain loops give on the logits", () => {
    const tokens = learnt.vocabulary.encode(TEXT);
    const {
      loss,
      accuracy,
      tokens: count,
    } = textEvaluator(learnt.model, tokens, { batchSize: 1, windowLength: 16 })(learnt.params);
    const expected = byHand(learnt, tokens);
    expect(Math.abs(loss - expected.loss)).toBeLessThan(FLOAT32 * (1 + expected.loss));
    expect(accuracy).toBe(expected.accuracy);
    expect(count).toBe(TEXT.length - 1);
  });

  test("with one stream does not depend on the length of the windows", () => {
    const measure = (windowLength: number) =>
      textEvaluator(learnt.model, learnt.tokens, { batchSize: 1, windowLength })(learnt.params);
    const long = measure(64);
    for (const windowLength of [1, 7, 1000]) {
      const { loss, accuracy, tokens } = measure(windowLength);
      expect(Math.abs(loss - long.loss)).toBeLessThan(FLOAT32 * (1 + long.loss));
      expect([accuracy, tokens]).toEqual([long.accuracy, long.tokens]);
    }
  });

  test("with more streams predicts every token once, each stream from its own beginning", () => {
    const tokens = learnt.tokens;
    const { loss, tokens: count } = textEvaluator(learnt.model, tokens, { batchSize: 3, windowLength: 5 })(
      learnt.params,
    );
    const targets = tokens.length - 1;
    const starts = [0, 1, 2, 3].map((row) => Math.floor((row * targets) / 3));
    const streams = [0, 1, 2].map((row) => tokens.slice(starts[row]!, starts[row + 1]! + 1));
    const total = streams.reduce((sum, stream) => sum + byHand(learnt, stream).loss * (stream.length - 1), 0);
    expect(count).toBe(targets);
    expect(Math.abs(loss - total / targets)).toBeLessThan(FLOAT32 * (1 + loss));
  });

  test("may have more streams than tokens, and measures only some if asked", () => {
    const few = learnt.tokens.slice(0, 4);
    expect(textEvaluator(learnt.model, few, { batchSize: 99, windowLength: 8 })(learnt.params).tokens).toBe(3);
    const some = textEvaluator(learnt.model, learnt.tokens, { batchSize: 1, windowLength: 8, maxTokens: 20 });
    expect(some(learnt.params).tokens).toBe(24); // the first windows that make up 20
  });

  test("gives the same numbers every time: dropout is off, and nothing is remembered", () => {
    const evaluate = textEvaluator(learnt.model, learnt.tokens, { batchSize: 2, windowLength: 8 });
    expect(evaluate(learnt.params)).toEqual(evaluate(learnt.params));
  });

  test("refuses a text with nothing to predict", () => {
    for (const length of [0, 1]) {
      const make = () => textEvaluator(learnt.model, new Int32Array(length), { batchSize: 1, windowLength: 8 });
      expect(make).toThrow(DataError);
      expect(make).toThrow("has nothing to predict; at least 2 are needed");
    }
  });

  test("bits and perplexity are the loss in other units", () => {
    expect(bitsPerToken(Math.log(8))).toBeCloseTo(3, 12);
    expect(perplexity(Math.log(8))).toBeCloseTo(8, 12);
  });
});
