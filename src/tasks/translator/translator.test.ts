/** Translators: losses by scoring, scheduled sampling, search, and learning to reverse. */

import { describe, expect, test } from "vitest";
import { numbers } from "../../../test/close.js";
import { DataError, OptionError } from "../../core/index.js";
import { adam, clipByNorm, linearForcing } from "../../learn/index.js";
import { averageLoss, logSoftmax } from "../../nn/index.js";
import { randomKey } from "../../ops/index.js";
import { tensorsByPath, toNested, toNumber } from "../../tensor/index.js";
import { initialState, train } from "../../train/index.js";
import {
  type Translator,
  type TranslatorOptions,
  type TranslatorParams,
  translate,
  translationBatch,
  translator,
} from "../index.js";

const SIZES = { sourceVocabularySize: 4, targetVocabularySize: 5, hiddenSize: 6, embeddingSize: 3 };
const PAIRS = [
  { source: [1, 2, 3], target: [3, 2, 1] },
  { source: [0], target: [] },
  { source: [2, 2, 1, 0, 3], target: [4] },
];
const batch = translationBatch(PAIRS, { end: 0 });

/** log p of a target with its end, by feeding the truth. */
function logProbability(
  model: Translator,
  params: TranslatorParams,
  source: ArrayLike<number>,
  target: readonly number[],
): number {
  const one = translationBatch([{ source, target }], { end: model.options.end });
  const { outputs } = model.decoder.decode(params.model, model.encode(params, one.source, one.sourceMask), {
    targets: one.targets,
  });
  const logs = logSoftmax(outputs).data;
  return Array.from(one.targets.data).reduce(
    (total, token, t) => total + logs[t * SIZES.targetVocabularySize + token]!,
    0,
  );
}

describe("translationBatch", () => {
  test("pads sources and targets, with the end behind every target", () => {
    expect(toNested(batch.source)).toEqual([
      [1, 0, 2],
      [2, 0, 2],
      [3, 0, 1],
      [0, 0, 0],
      [0, 0, 3],
    ]);
    expect(toNested(batch.sourceMask)).toEqual([
      [1, 1, 1],
      [1, 0, 1],
      [1, 0, 1],
      [0, 0, 1],
      [0, 0, 1],
    ]);
    const ended = translationBatch(PAIRS, { end: 9, targetLength: 5, teacherForcing: 0.25 });
    expect(toNested(ended.targets)).toEqual([
      [3, 9, 4],
      [2, 0, 9],
      [1, 0, 0],
      [9, 0, 0],
      [0, 0, 0],
    ]);
    expect(toNested(ended.targetMask)).toEqual([
      [1, 1, 1],
      [1, 0, 1],
      [1, 0, 0],
      [1, 0, 0],
      [0, 0, 0],
    ]);
    expect(toNested(ended.teacherForcing!)).toEqual([[0.25, 0.25, 0.25]]);
  });

  test("refuses the end inside a target, and what is no probability", () => {
    expect(() => translationBatch([{ source: [1], target: [2, 0] }], { end: 0 })).toThrow(DataError);
    expect(() => translationBatch(PAIRS, { end: 0, teacherForcing: 2 })).toThrow("teacherForcing must be a number");
  });
});

describe.each<[string, Partial<TranslatorOptions>]>([
  ["additive attention", {}],
  ["general attention, lstm", { attention: "general", cell: "lstm" }],
  ["dot attention, one direction", { attention: "dot" }],
  ["no attention", { attention: "none", bidirectional: false }],
])("a translator with %s", (_, options) => {
  const model = translator({ ...SIZES, ...options });
  const params = model.init(randomKey(1));

  test("has as loss the sum of -log p of its pairs, each scored alone", () => {
    const { total, count } = model.problem.loss(params, [], batch).loss;
    const expected = PAIRS.reduce((sum, { source, target }) => sum - logProbability(model, params, source, target), 0);
    expect(toNumber(total)).toBeCloseTo(expected, 4);
    expect(toNumber(count)).toBe(4 + 1 + 2);
  });

  test("feeds back its own tokens as the batch says, in training only", () => {
    const loss = (teacherForcing: number, key?: number) => {
      const own = translationBatch(PAIRS, { end: 0, teacherForcing });
      return toNumber(model.problem.loss(params, [], own, key === undefined ? undefined : randomKey(key)).loss.total);
    };
    const truth = toNumber(model.problem.loss(params, [], batch).loss.total);
    expect(loss(1, 3)).toBeCloseTo(truth, 5);
    expect(loss(0)).toBe(truth);
    expect(loss(0, 3)).not.toBeCloseTo(truth, 3);
    expect(loss(0, 3)).toBe(loss(0, 4));
  });

  test("finds what enumeration finds if it searches widely enough, with the probability of scoring", () => {
    const sources = PAIRS.map(({ source }) => source);
    const found = translate(model, { maxLength: 2, width: 25 })(params, sources);
    const targets = [[], [1], [2], [3], [4]]; // what has its end within two tokens
    sources.forEach((source, row) => {
      const finished = found[row]!.filter((one) => one.finished);
      const scores = targets.map((target) => logProbability(model, params, source, target));
      expect(finished).toHaveLength(targets.length);
      expect(finished[0]!.tokens).toEqual([...targets[scores.indexOf(Math.max(...scores))]!, 0]);
      expect(finished[0]!.logProbability).toBeCloseTo(Math.max(...scores), 5);
    });
  });

  test("translates a source among others as alone", () => {
    const run = translate(model, { maxLength: 6, width: 2 });
    const together = run(
      params,
      PAIRS.map(({ source }) => source),
    );
    PAIRS.forEach(({ source }, row) => {
      const [alone] = run(params, [source]);
      expect(alone!.map(({ tokens }) => tokens)).toEqual(together[row]!.map(({ tokens }) => tokens));
    });
  });
});

test("learns to reverse, with its own tokens fed back more and more", async () => {
  const model = translator({ sourceVocabularySize: 6, targetVocabularySize: 6, hiddenSize: 32, embeddingSize: 16 });
  const forcing = linearForcing({ updates: 300, final: 0.5 });
  const pairs = (seed: number, count: number) => {
    const { data } = numbers(seed, [count * 6]);
    return Array.from({ length: count }, (_, row) => {
      const draw = (k: number, from: number, to: number) =>
        from + Math.floor(((data[6 * row + k]! + 1) / 2) * (to - from));
      const source = Array.from({ length: draw(0, 1, 5) }, (_, t) => draw(t + 1, 1, 6));
      return { source, target: source.toReversed() };
    });
  };
  const run = {
    problem: model.problem,
    optimizer: adam({ learningRate: 0.01 }),
    transforms: [clipByNorm(1)],
    batch: (update: number) =>
      translationBatch(pairs(update, 32), {
        end: 0,
        sourceLength: 4,
        targetLength: 5,
        teacherForcing: forcing(update),
      }),
  };
  let state = initialState({ ...run, params: model.init(randomKey(1)), key: randomKey(2) });
  for await (const report of train({ ...run, state, steps: 300 })) state = report.state;
  const test = pairs(99999, 200);
  const { loss } = model.problem.loss(state.params, [], translationBatch(test, { end: 0 }));
  expect(toNumber(averageLoss(loss))).toBeLessThan(0.05);
  const found = translate(model, { maxLength: 7, width: 1 })(
    state.params,
    test.map(({ source }) => source),
  );
  const right = test.filter(({ target }, row) => String(found[row]![0]!.tokens) === String([...target, 0]));
  expect(right.length).toBeGreaterThanOrEqual(198);
});

describe("translator", () => {
  test("has the parameters that its options say", () => {
    const params = translator({ sourceVocabularySize: 50, targetVocabularySize: 70 }).init(randomKey(1));
    const shapes = Object.fromEntries(tensorsByPath(params).map(([path, { shape }]) => [path, shape]));
    expect(shapes["source.table"]).toEqual([50, 32]);
    expect(shapes["model.decoder.embedding.table"]).toEqual([70, 32]);
    expect(shapes["model.decoder.cell.cell.0.weightIh"]).toEqual([192, 32 + 128]);
    expect(shapes["model.decoder.readout.weight"]).toEqual([70, 64 + 128]);
  });

  test("has layers with dropout between them, which act where it is learnt", () => {
    const model = translator({ ...SIZES, numLayers: 2, dropout: 0.5 });
    const params = model.init(randomKey(1));
    const shapes = Object.fromEntries(tensorsByPath(params).map(([path, { shape }]) => [path, shape]));
    const { hiddenSize } = model.options;
    expect(shapes["model.encoder.1.forward.weightIh"]).toEqual([3 * hiddenSize, 2 * hiddenSize]);
    expect(shapes["model.decoder.cell.cell.1.weightIh"]).toEqual([3 * hiddenSize, hiddenSize]);
    const batch = translationBatch([{ source: [1, 2, 3], target: [2, 1] }], { end: 0 });
    const loss = (key?: number) =>
      toNumber(model.problem.loss(params, [], batch, key === undefined ? undefined : randomKey(key)).loss.total);
    expect(loss(1)).toBe(loss(1));
    expect(new Set([loss(), loss(1), loss(2)]).size).toBe(3);
    expect(translate(model, { maxLength: 3, width: 2 })(params, [[1, 2]])[0]!.length).toBe(2);
  });

  test.each<[object, string]>([
    [{ end: 5 }, "end must be a target token, below 5, but is 5"],
    [{ attention: "dot", bidirectional: true }, 'attention "dot" needs bidirectional: false'],
    [{ attention: "soft" }, 'attention must be "additive", "general", "dot" or "none", but is "soft"'],
    [{ hiddenSize: 0 }, "translator: hiddenSize must be a whole number of at least 1, but is 0"],
    [{ beam: 3 }, 'there is no option "beam"'],
  ])("refuses %j", (options, message) => {
    const make = () => translator({ ...SIZES, ...options } as TranslatorOptions);
    expect(make).toThrow(OptionError);
    expect(make).toThrow(message);
    expect(() => translate(translator(SIZES), { maxLength: 3, beam: 2 } as never)).toThrow('there is no option "beam"');
  });
});
