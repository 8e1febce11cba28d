/** Classifiers and taggers: ragged batches, pooling by plain loops, losses, dropout, learning. */

import { describe, expect, test } from "vitest";
import { expectClose, int32, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError } from "../../core/index.js";
import { raggedBatch } from "../../data/index.js";
import { adam } from "../../learn/index.js";
import { averageLoss, crossEntropy } from "../../nn/index.js";
import { argmax, identity, randomKey, slice, zeros } from "../../ops/index.js";
import { type Tensor, tensorsByPath, toNumber } from "../../tensor/index.js";
import { initialState, train } from "../../train/index.js";
import { type SequenceClassifierOptions, sequenceClassifier, sequenceTagger } from "../index.js";

const LENGTHS = [3, 7, 5];
const TOKENS = raggedBatch([
  [3, 1, 2],
  [0, 4, 4, 1, 2, 3, 0],
  [1, 1, 4, 0, 2],
]);
const FEATURES = { values: numbers(1, [7, 3, 2], "float32"), mask: TOKENS.mask };
const own = (x: Tensor, row: number) => slice(slice(x, 1, row, row + 1), 0, 0, LENGTHS[row]!);

const VARIANTS: [string, SequenceClassifierOptions, typeof FEATURES][] = [
  ["lstm of tokens", { classes: 3, vocabularySize: 5, hiddenSize: 4 }, TOKENS],
  ["gru of features, two layers", { classes: 3, inputSize: 2, cell: "gru", hiddenSize: 4, numLayers: 2 }, FEATURES],
  [
    "elman of tokens in both directions, two layers",
    {
      classes: 3,
      vocabularySize: 5,
      cell: "elman",
      hiddenSize: 4,
      numLayers: 2,
      bidirectional: true,
      embeddingSize: 3,
    },
    TOKENS,
  ],
];

describe.each(VARIANTS)("%s", (_, options, { values: inputs, mask }) => {
  test.each(["last", "mean"] as const)(
    "classifies a ragged batch as its sequences alone, from the %s of outputs",
    (pooling) => {
      const model = sequenceClassifier({ ...options, pooling });
      const params = model.init(randomKey(1));
      const together = model.logits(params, { inputs, mask });
      for (let row = 0; row < 3; row++) {
        const alone = model.logits(params, { inputs: own(inputs, row), mask: own(mask, row) });
        expectClose(slice(together, 0, row, row + 1), alone, TOLERANCES.float32);
      }
    },
  );

  test("tags a ragged batch as its sequences alone; its loss is the mean over real steps", () => {
    const model = sequenceTagger(options);
    const params = model.init(randomKey(1));
    const targets = int32(
      Array.from({ length: 21 }, (_, k) => k % 3),
      [7, 3],
    );
    const together = model.logits(params, { inputs, mask });
    const batch = { inputs, mask, targets };
    const { total, count } = model.problem.loss(params, [], batch).loss;
    let expected = 0;
    for (let row = 0; row < 3; row++) {
      const alone = model.logits(params, { inputs: own(inputs, row), mask: own(mask, row) });
      expectClose(own(together, row), alone, TOLERANCES.float32);
      expected += toNumber(crossEntropy(alone, own(targets, row)).total);
    }
    expect(toNumber(total)).toBeCloseTo(expected, 4);
    expect(toNumber(count)).toBe(15);
  });

  test("drops with a key only, at a rate of its own", () => {
    const params = sequenceClassifier(options).init(randomKey(1));
    const logits = (dropout: number, key?: number) =>
      sequenceClassifier({ ...options, dropout }).logits(
        params,
        { inputs, mask },
        key === undefined ? undefined : randomKey(key),
      ).data;
    expect(logits(0.5)).toEqual(logits(0));
    expect(logits(0, 1)).toEqual(logits(0));
    expect(logits(0.5, 1)).toEqual(logits(0.5, 1));
    expect(logits(0.5, 1)).not.toEqual(logits(0.5, 2));
  });
});

test("mean and last differ by what is read out, in plain loops over the outputs", () => {
  const options = { classes: 2, inputSize: 2, hiddenSize: 3, cell: "gru" };
  const [mean, last] = [sequenceClassifier({ ...options, pooling: "mean" }), sequenceClassifier(options)];
  const params = mean.init(randomKey(2));
  const states = sequenceTagger({ ...options, classes: 3 });
  const eye = { weight: identity(3), bias: zeros([3]) };
  const h = states.logits(
    { reader: params.reader, readout: eye },
    { inputs: FEATURES.values, mask: FEATURES.mask },
  ).data;
  const { weight, bias } = params.readout;
  const readout = (features: number[], k: number) =>
    features.reduce((total, value, j) => total + value * weight.data[3 * k + j]!, bias.data[k]!);
  LENGTHS.forEach((length, row) => {
    const step = (t: number) => [0, 1, 2].map((j) => h[(3 * t + row) * 3 + j]!);
    const average = [0, 1, 2].map(
      (j) => Array.from({ length }, (_, t) => step(t)[j]!).reduce((a, b) => a + b) / length,
    );
    for (const k of [0, 1]) {
      const of = (model: typeof mean) =>
        model.logits(params, { inputs: FEATURES.values, mask: FEATURES.mask }).data[2 * row + k]!;
      expect(of(mean)).toBeCloseTo(readout(average, k), 5);
      expect(of(last)).toBeCloseTo(readout(step(length - 1), k), 5);
    }
  });
});

test("learns which of two tokens came first, far from the end, on shards of ragged batches", async () => {
  const model = sequenceClassifier({ classes: 2, vocabularySize: 4, hiddenSize: 16, cell: "gru" });
  const draw = (seed: number) => {
    const { data } = numbers(seed, [16 * 12]);
    const sequences = Array.from({ length: 16 }, (_, row) => {
      const bits = Array.from(data.subarray(12 * row, 12 * row + 12));
      const length = 4 + Math.floor(4 * (bits[0]! + 1));
      return [bits[1]! < 0 ? 0 : 1, ...Array.from({ length: length - 1 }, (_, t) => (bits[t]! < 0 ? 2 : 3))];
    });
    const { values: inputs, mask } = raggedBatch(sequences, { length: 12 });
    return {
      inputs,
      mask,
      targets: int32(
        sequences.map(([first]) => first!),
        [1, 16],
      ),
    };
  };
  const run = { problem: model.problem, optimizer: adam({ learningRate: 0.02 }), batch: draw };
  let state = initialState({ ...run, params: model.init(randomKey(1)), key: randomKey(2) });
  for await (const report of train({ ...run, state, steps: 150, shards: 2 })) state = report.state;
  const { targets, ...test } = draw(9999);
  const { loss } = model.problem.loss(state.params, [], { ...test, targets });
  expect(toNumber(averageLoss(loss))).toBeLessThan(0.1);
  expect(Array.from(argmax(model.logits(state.params, test)).data)).toEqual(Array.from(targets.data));
});

describe("sequenceClassifier", () => {
  test("has the parameters that its options say", () => {
    const params = sequenceClassifier({ classes: 3, vocabularySize: 100, numLayers: 2, bidirectional: true }).init(
      randomKey(1),
    );
    const shapes = Object.fromEntries(tensorsByPath(params).map(([path, { shape }]) => [path, shape]));
    expect(shapes["reader.embedding.table"]).toEqual([100, 64]);
    expect(shapes["reader.layers.0.forward.weightIh"]).toEqual([256, 64]);
    expect(shapes["reader.layers.1.backward.weightIh"]).toEqual([256, 128]);
    expect(shapes["readout.weight"]).toEqual([3, 128]);
  });

  test.each<[object, string]>([
    [{ classes: 1, inputSize: 2 }, "sequenceClassifier: classes must be a whole number of at least 2, but is 1"],
    [{ classes: 2 }, "give either vocabularySize, for tokens, or inputSize, for features"],
    [
      { classes: 2, inputSize: 2, vocabularySize: 3 },
      "give either vocabularySize, for tokens, or inputSize, for features",
    ],
    [{ classes: 2, inputSize: 2, embeddingSize: 3 }, "embeddingSize has no effect without vocabularySize"],
    [{ classes: 2, inputSize: 2, pooling: "max" }, 'pooling must be "last" or "mean", but is "max"'],
    [{ classes: 2, inputSize: 2, cell: "gur" }, 'there is no cell "gur"; did you mean gru?'],
    [{ classes: 2, inputSize: 2, dropout: 1 }, "dropout must be a number at least 0 and less than 1"],
    [{ classes: 2, inputSize: 2, units: 3 }, 'there is no option "units"'],
    [{ classes: 2, inputSize: 0 }, "inputSize must be a whole number of at least 1"],
  ])("refuses %j", (options, message) => {
    expect(() => sequenceClassifier(options as SequenceClassifierOptions)).toThrow(OptionError);
    expect(() => sequenceClassifier(options as SequenceClassifierOptions)).toThrow(message);
  });

  test("and a tagger has no pooling", () => {
    expect(() => sequenceTagger({ classes: 2, inputSize: 2, pooling: "mean" } as never)).toThrow(
      'there is no option "pooling"',
    );
  });
});
