/** The likeliest texts of a language model: against scoring, greedy writing and enumeration. */

import { describe, expect, test } from "vitest";
import { int32 } from "../../../test/close.js";
import { crossEntropy } from "../../nn/index.js";
import { randomKey, slice } from "../../ops/index.js";
import { toNumber } from "../../tensor/index.js";
import { generateTokens, languageModel, likeliestTexts, tokenReader } from "./index.js";

const model = languageModel({ vocabularySize: 5, hiddenSize: 6, embeddingSize: 4, numLayers: 2, cell: "gru" });
const params = model.init(randomKey(3));
const prompt = Int32Array.of(2, 0, 4);

/** -log p(tokens | prompt), by scoring. */
function surprise(tokens: readonly number[]): number {
  const text = [...prompt, ...tokens];
  const { logits } = model.logits(params, int32(text.slice(0, -1), [text.length - 1, 1]));
  const read = slice(logits, 0, prompt.length - 1);
  return toNumber(crossEntropy(read, int32([...tokens], [tokens.length, 1])).total);
}

describe("likeliestTexts", () => {
  test("scores its texts as scoring does, within 1e-6", () => {
    const found = likeliestTexts(model, params, prompt, { width: 4, length: 10 });
    expect(found).toHaveLength(4);
    for (const { tokens, logProbability } of found) {
      expect(tokens).toHaveLength(10);
      expect(Math.abs(-logProbability - surprise(tokens)) / surprise(tokens)).toBeLessThan(1e-6);
    }
  });

  test("as wide as the space finds the likeliest of all texts", () => {
    const texts = Array.from({ length: 125 }, (_, n) => [Math.floor(n / 25), Math.floor(n / 5) % 5, n % 5]);
    const best = texts.reduce((left, right) => (surprise(right) < surprise(left) ? right : left));
    expect(likeliestTexts(model, params, prompt, { width: 125, length: 3 })[0]!.tokens).toEqual(best);
  });

  test("of width 1 writes what the coldest sampling writes, from a prompt of one token too", () => {
    for (const start of [prompt, Int32Array.of(1)]) {
      const greedy = generateTokens(tokenReader(model)(params), start, randomKey(1), { temperature: 0, exclude: [3] });
      const expected = Array.from({ length: 12 }, () => greedy.next().value);
      expect(likeliestTexts(model, params, start, { width: 1, length: 12, exclude: [3] })[0]!.tokens).toEqual(expected);
    }
  });

  test("needs a prompt", () => {
    expect(() => likeliestTexts(model, params, new Int32Array(0), { width: 1, length: 1 })).toThrow(
      "likeliestTexts: the length of the prompt must be a whole number of at least 1, but is 0",
    );
  });
});
