/** Language models in the words of other programs. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, numbers } from "../../../test/close.js";
import { openOnnx } from "../../../test/onnx-runtime.js";
import { DataError, OptionError } from "../../core/index.js";
import { CELL_NAMES } from "../../nn/index.js";
import { randomKey, zeros } from "../../ops/index.js";
import { mapTensors, type Tensor, tensor, tensorsByPath } from "../../tensor/index.js";
import { exportLanguageModelOnnx, languageModelFromPyTorch, languageModelToPyTorch } from "./exchange.js";
import { type LanguageModelParams, languageModel } from "./model.js";

const modelWith = (cell: string) => {
  const model = languageModel({ vocabularySize: 5, cell, hiddenSize: 4, numLayers: 2, embeddingSize: 3 });
  let seed = 1;
  const params: LanguageModelParams = mapTensors(
    ({ shape }) => numbers(seed++, shape, "float32"),
    model.init(randomKey(0)),
  );
  return { model, params };
};

describe("exportLanguageModelOnnx", () => {
  test.each(CELL_NAMES)("ONNX Runtime gives our logits and states with the cell %s", async (cell) => {
    const { model, params } = modelWith(cell);
    const session = await openOnnx(exportLanguageModelOnnx(model, params, { about: "a test" }));
    const tokens = tensor(Int32Array.of(1, 2, 3, 4, 0, 1), { shape: [3, 2] });
    const carry = mapTensors(({ shape }) => numbers(9, shape, "float32"), model.initialCarry(2));
    const named = (side: string, tree: typeof carry) =>
      Object.fromEntries(tensorsByPath(tree).map(([path, value]) => [`${side}.${path}`, value]));
    const ours = model.logits(params, tokens, { carry });
    const theirs = await session({ tokens, ...named("initial", carry) });
    expectClose(theirs, { logits: ours.logits, ...named("final", ours.carry) }, 1e-5);
  });
});

describe("languageModelToPyTorch", () => {
  test.each(["elman", "lstm", "gru"])("names the parts of a module, and they come back, with the cell %s", (cell) => {
    const { model, params } = modelWith(cell);
    const dictionary = languageModelToPyTorch(model, params);
    expect([...dictionary.keys()].filter((name) => !name.startsWith("rnn."))).toEqual([
      "embedding.weight",
      "readout.weight",
      "readout.bias",
    ]);
    expect(dictionary.has("rnn.weight_hh_l1")).toBe(true);
    expectSame(languageModelFromPyTorch(model, dictionary), params);
  });

  test("refuses a cell that PyTorch does not have", () => {
    const { model, params } = modelWith("gru-reset-before");
    expect(() => languageModelToPyTorch(model, params)).toThrow(OptionError);
    expect(() => languageModelToPyTorch(model, params)).toThrow("PyTorch has no module for the cell gru-reset-before");
  });

  test("refuses dictionaries of another model", () => {
    const { model, params } = modelWith("gru");
    const refusal = (change: (dictionary: Map<string, Tensor>) => unknown, other = model): string => {
      const dictionary = languageModelToPyTorch(model, params);
      change(dictionary);
      try {
        languageModelFromPyTorch(other, dictionary);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        return (error as Error).message;
      }
      return expect.unreachable("it should have failed");
    };
    expect(refusal((map) => map.delete("embedding.weight"))).toContain("there is no embedding.weight among ");
    expect(refusal((map) => map.set("fc.weight", zeros([1])))).toContain("fc.weight (float32[1]) has no place");
    expect(refusal((map) => map.set("readout.bias", zeros([6])))).toContain(
      "readout.bias is float32[6], but [5] is needed",
    );
    const deeper = languageModel({ vocabularySize: 5, cell: "gru", hiddenSize: 4, numLayers: 3, embeddingSize: 3 });
    expect(refusal(() => {}, deeper)).toBe("the state dictionary has 2 recurrent layers, but the model has 3");
  });
});
