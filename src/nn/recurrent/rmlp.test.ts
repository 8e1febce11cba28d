/** The recurrent multilayer perceptron: a stack of Elman layers by another name. */

import { expect, test } from "vitest";
import { expectSame, numbers } from "../../../test/close.js";
import { randomKey } from "../../ops/index.js";
import { elman } from "../cells/index.js";
import { recurrent } from "./recurrent.js";
import { rmlp } from "./rmlp.js";
import { stacked } from "./stacked.js";

test("rmlp is a stack of Elman layers of the given sizes", () => {
  const stack = stacked([
    recurrent(elman({ inputSize: 3, hiddenSize: 5 })),
    recurrent(elman({ inputSize: 5, hiddenSize: 2 })),
  ]);
  const layer = rmlp({ inputSize: 3, hiddenSizes: [5, 2] });
  expect([layer.inputSize, layer.outputSize]).toEqual([3, 2]);
  const params = stack.init(randomKey(1), "float64");
  expectSame(layer.init(randomKey(1), "float64"), params);
  const xs = numbers(1, [4, 2, 3]);
  expectSame({ ...layer.apply(params, xs) }, { ...stack.apply(params, xs) });
});

test("rmlp refuses sizes that are none", () => {
  expect(() => rmlp({ inputSize: 3, hiddenSizes: [] })).toThrow(
    "rmlp: hiddenSizes is empty; give the size of each layer",
  );
  expect(() => rmlp({ inputSize: 0, hiddenSizes: [2] })).toThrow("inputSize must be a whole number of at least 1");
});
