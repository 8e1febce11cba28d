import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32 } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError } from "../../core/index.js";
import type { TokenWindow } from "../../data/index.js";
import { averageLoss, type CellName } from "../../nn/index.js";
import { randomKey } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { sizeOf, tensorsByPath, toNumber } from "../../tensor/index.js";
import { languageModel } from "./index.js";

const SIZES = { vocabularySize: 5, hiddenSize: 4, embeddingSize: 3 };

const window = (inputs: number[], targets: number[]): TokenWindow => {
  const shape = [inputs.length / 2, 2];
  return {
    inputs: int32(inputs, shape),
    targets: int32(targets, shape),
    mask: int32(new Array(inputs.length).fill(1), shape),
    resetMask: int32(new Array(inputs.length).fill(0), shape),
  };
};

describe("languageModel", () => {
  test("has the parameters that its sizes say, whatever the cell and in every layer", () => {
    const gates: Record<string, number> = { elman: 1, lstm: 4, gru: 3, "gru-reset-before": 3 };
    for (const cell of Object.keys(gates) as CellName[]) {
      const params = languageModel({ ...SIZES, cell, numLayers: 2 }).init(randomKey(0));
      const shapes = new Map(tensorsByPath(params).map(([path, { shape }]) => [path, shape]));
      expect(shapes.get("embedding.table")).toEqual([5, 3]);
      expect(shapes.get("layers.0.weightIh")).toEqual([4 * gates[cell]!, 3]);
      expect(shapes.get("layers.1.weightIh")).toEqual([4 * gates[cell]!, 4]);
      expect(shapes.get("readout.weight")).toEqual([5, 4]);
    }
  });

  test("its loss is the mean of -log softmax at the targets, by plain loops on the logits", () => {
    const model = languageModel(SIZES);
    const params = model.init(randomKey(1));
    const batch = window([1, 2, 3, 4, 0, 1], [3, 4, 0, 1, 2, 2]);
    const { logits } = model.logits(params, batch.inputs);
    let total = 0;
    batch.targets.data.forEach((target, place) => {
      const scores = Array.from(logits.data.subarray(place * 5, place * 5 + 5));
      const sum = scores.reduce((partial, score) => partial + Math.exp(score), 0);
      total -= Math.log(Math.exp(scores[target]!) / sum);
    });
    const { loss } = model.problem.loss(params, model.initialCarry(2), batch);
    expect(toNumber(averageLoss(loss))).toBeCloseTo(total / 6, 6);
    expect(toNumber(loss.count)).toBe(6);
  });

  test("starts near the loss of a guess, and the same for the same key only", () => {
    const model = languageModel({ vocabularySize: 50, hiddenSize: 16 });
    const batch = window([1, 2, 30, 4], [7, 8, 9, 40]);
    const loss = (key: number) =>
      toNumber(averageLoss(model.problem.loss(model.init(randomKey(key)), model.initialCarry(2), batch).loss));
    expect(Math.abs(loss(1) - Math.log(50))).toBeLessThan(1);
    expect(loss(1)).toBe(loss(1));
    expect(loss(1)).not.toBe(loss(2));
  });

  test.each([1, 2])(
    "drops with a key only: without one, %i layers give what a model without dropout gives",
    (numLayers) => {
      const [plain, dropping] = [0, 0.5].map((dropout) => languageModel({ ...SIZES, numLayers, dropout }));
      const params = plain!.init(randomKey(1));
      const tokens = int32([1, 2, 3, 4], [2, 2]);
      expectSame(dropping!.logits(params, tokens), plain!.logits(params, tokens));
      const [one, again, other] = [1, 1, 2].map((key) => dropping!.logits(params, tokens, { key: randomKey(key) }));
      expectSame(one!, again!);
      expect(one!.logits.data).not.toEqual(other!.logits.data);
      expect(one!.logits.data).not.toEqual(plain!.logits(params, tokens).logits.data);
      const loss = (key?: number) =>
        dropping!.problem.loss(
          params,
          dropping!.initialCarry(2),
          window([1, 2, 3, 4], [2, 3, 4, 0]),
          ...(key === undefined ? [] : [randomKey(key)]),
        ).loss.total.data[0];
      expect(loss()).toBe(loss());
      expect(loss(1)).not.toBe(loss());
    },
  );

  test("its loss restarts from the initial carry where a stream begins anew", () => {
    const model = languageModel(SIZES);
    const params = model.init(randomKey(1));
    const batch = window([1, 2, 3, 4], [2, 3, 4, 0]);
    const { carry } = model.logits(params, batch.inputs);
    const restarted = { ...batch, resetMask: int32([1, 1, 0, 0], [2, 2]) };
    const fresh = model.problem.loss(params, model.initialCarry(2), batch);
    expectSame(model.problem.loss(params, carry, restarted), fresh);
    expect(model.problem.loss(params, carry, batch).loss.total.data).not.toEqual(fresh.loss.total.data);
  });

  test("compiled equals eager", () => {
    const model = languageModel({ ...SIZES, numLayers: 2, cell: "gru" });
    const params = model.init(randomKey(3));
    const tokens = int32([1, 2, 3, 4], [2, 2]);
    const compiled = compile((at: typeof params, read: typeof tokens) => model.logits(at, read));
    expectClose(compiled(params, tokens), model.logits(params, tokens), TOLERANCES.float32);
  });

  test("fills in its options and refuses what makes no sense", () => {
    expect(languageModel({ vocabularySize: 7 }).options).toEqual({
      vocabularySize: 7,
      cell: "lstm",
      hiddenSize: 128,
      numLayers: 1,
      embeddingSize: 64,
      dropout: 0,
    });
    expect(languageModel({ vocabularySize: 7, hiddenSize: 8 }).options.embeddingSize).toBe(8);
    for (const name of ["vocabularySize", "hiddenSize", "numLayers", "embeddingSize"]) {
      const make = () => languageModel({ ...SIZES, [name]: 0 });
      expect(make).toThrow(OptionError);
      expect(make).toThrow(`language model: ${name} must be a whole number of at least 1, but is 0`);
    }
    expect(() => languageModel({ ...SIZES, dropout: 1 })).toThrow(
      "dropout must be a number at least 0 and less than 1",
    );
    expect(() => languageModel({ ...SIZES, cell: "lsmt" })).toThrow('there is no cell "lsmt"; did you mean lstm?');
    expect(sizeOf(languageModel(SIZES).init(randomKey(0)).readout.bias.shape)).toBe(5);
  });
});
