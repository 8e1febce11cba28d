/** Elman 1990: letters in sequence. */

import { expandDims, randomKey, slice, splitKey } from "../../ops/index.js";
import { LETTERS, letterFeatures, syllables } from "../data/letters.js";
import type { Experiment } from "../experiment.js";
import { elmanNet } from "./net.js";

const SYLLABLES = 1000;
const PASSES = 200;
const FEATURES = 6;

/** Each random consonant brings its vowels, ba, dii or guuu: told, vowels can be foreseen, and that a consonant comes, but not which. */
export const elmanLetters: Experiment = {
  id: "elman-1990/letters",
  title: "Letters in sequence",
  source: {
    authors: "Elman",
    year: 1990,
    title: "Finding structure in time",
    where: "the section on structure in letter sequences",
    link: "doi:10.1207/s15516709cog1402_1",
  },
  notes:
    "The paper shows the errors in figures, without numbers. Of a consonant's six features, four are the same for all three consonants; the " +
    "other two nobody can tell, at 2/9 each: .074 a feature at least. Errors are those of the last pass. Learning rate .1.",
  figures: {
    vowels: { name: "squared error of a feature, at vowels", derived: 0, aim: { below: 0.02 } },
    consonants: { name: "squared error of a feature, at consonants", derived: 2 / 27, aim: { above: 0.06 } },
    kind: { name: "squared error at consonants, of the feature consonant alone", derived: 0, aim: { below: 0.02 } },
  },
  error: "squared error of a feature, averaged over a pass",
  cells: ["elman"],
  async *run({ seed, effort }) {
    const [dataKey, netKey] = splitKey(randomKey(seed));
    const text = syllables(dataKey, SYLLABLES);
    const features = expandDims(letterFeatures(text), 1);
    const [xs, targets] = [slice(features, 0, 0, -1), slice(features, 0, 1)];
    const net = elmanNet({ inputSize: FEATURES, hiddenSize: 20, outputSize: FEATURES, learningRate: 0.1 });

    const passes = Math.ceil(effort * PASSES);
    let state = net.init(netKey);
    let figures = measure(text, []);
    for (let pass = 1; pass <= passes; pass++) {
      const [next, errors] = net.pass(state, xs, targets);
      state = next;
      figures = measure(text, errors.data);
      yield { done: pass / passes, error: figures.all };
    }
    const { vowels, consonants, kind } = figures;
    return { vowels, consonants, kind };
  },
};

/** Mean errors by the kind of letter that was to be foreseen. @param errors `[time, 6]`, from the second letter on */
function measure(text: string, errors: ArrayLike<number>) {
  const total = { vowels: 0, consonants: 0, kind: 0, vowelCount: 0 };
  const count = text.length - 1;
  for (let t = 0; t < count; t++) {
    let error = 0;
    for (let k = 0; k < FEATURES; k++) error += errors[t * FEATURES + k]! / FEATURES;
    const isVowel = LETTERS[text[t + 1]!]![1] === 1;
    if (isVowel) {
      total.vowels += error;
      total.vowelCount += 1;
    } else {
      total.consonants += error;
      total.kind += errors[t * FEATURES]!;
    }
  }
  const consonantCount = count - total.vowelCount;
  return {
    all: (total.vowels + total.consonants) / count,
    vowels: total.vowels / total.vowelCount,
    consonants: total.consonants / consonantCount,
    kind: total.kind / consonantCount,
  };
}
