/** PyTorch state dictionaries: against the golden values of PyTorch, there and back, and what is refused. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectSame, numbers } from "../../test/close.js";
import { DataError } from "../core/index.js";
import { bidirectional, elman, gru, gruResetBefore, lstm, recurrent, stacked } from "../nn/index.js";
import { randomKey, zeros } from "../ops/index.js";
import type { Tensor, TensorTree } from "../tensor/index.js";
import { fromPyTorch, type PyTorchModule, toPyTorch } from "./pytorch.js";

const asTree = (tensors: ReadonlyMap<string, Tensor>) => Object.fromEntries(tensors);
const SIZES = { inputSize: 3, hiddenSize: 2 };
const MAKE = { RNN: elman, LSTM: lstm, GRU: gru } as const;

describe("toPyTorch", () => {
  test("names every tensor by layer and direction, PyTorch's second bias zero", () => {
    const cells = [3, 4].map((inputSize) => bidirectional(lstm({ inputSize, hiddenSize: 2 })));
    const params = stacked(cells).init(randomKey(1));
    const dictionary = toPyTorch("LSTM", params, "rnn.");
    const names = ["l0", "l0_reverse", "l1", "l1_reverse"].flatMap((place) =>
      ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map((name) => `rnn.${name}_${place}`),
    );
    expect([...dictionary.keys()]).toEqual(names);
    expectSame(dictionary.get("rnn.weight_ih_l1_reverse")!, params[1]!.backward.weightIh);
    expectSame(dictionary.get("rnn.bias_ih_l0")!, params[0]!.forward.bias);
    expectSame(dictionary.get("rnn.bias_hh_l0")!, zeros([8]));
  });

  test("the two biases of a gru stay apart", () => {
    const params = {
      weightIh: zeros([6, 3]),
      weightHh: zeros([6, 2]),
      biasIh: numbers(1, [6]),
      biasHh: numbers(2, [6]),
    };
    const dictionary = toPyTorch("GRU", params);
    expectSame(dictionary.get("bias_ih_l0")!, params.biasIh);
    expectSame(dictionary.get("bias_hh_l0")!, params.biasHh);
  });

  test("refuses parameters of another cell, and layers that differ in their directions", () => {
    expect(() => toPyTorch("GRU", gruResetBefore(SIZES).init(randomKey(1)) as never)).toThrow(
      new DataError(
        "toPyTorch: GRU: the parameters hold bias, for which there is no place; it takes weightIh, weightHh, biasIh, biasHh",
      ),
    );
    expect(() => toPyTorch("LSTM", gru(SIZES).init(randomKey(1)) as never)).toThrow("the parameters hold biasIh");
    expect(() => toPyTorch("RNN", { weightIh: zeros([2, 3]), weightHh: zeros([2, 2]) } as never)).toThrow(
      "toPyTorch: RNN: bias must be a tensor with 1 axes, but the parameters are {weightIh, weightHh}",
    );
    expect(() => toPyTorch("LSTM", elman(SIZES).init(randomKey(1)))).toThrow(
      "toPyTorch: LSTM: weightHh is float32[2,2], but needs 8 rows; give the parameters of this cell",
    );
    const mixed = [bidirectional(elman(SIZES)).init(randomKey(1)), elman(SIZES).init(randomKey(2))];
    expect(() => toPyTorch("RNN", mixed)).toThrow("has two directions in all layers or in none");
  });
});

describe("fromPyTorch", () => {
  test("adds the two biases where our cell has one", () => {
    const dictionary = toPyTorch("LSTM", lstm(SIZES).init(randomKey(1)));
    const [a, b] = [numbers(1, [8], "float32"), numbers(2, [8], "float32")];
    dictionary.set("bias_ih_l0", a).set("bias_hh_l0", b);
    const [params] = fromPyTorch("LSTM", dictionary) as unknown as [{ bias: Tensor }];
    expect([...params.bias.data]).toEqual(Array.from(a.data, (value, k) => Math.fround(value + b.data[k]!)));
  });

  test("takes a module without biases as one with biases of zero", () => {
    const { weightIh, weightHh } = gru(SIZES).init(randomKey(1));
    const dictionary = new Map([
      ["weight_ih_l0", weightIh],
      ["weight_hh_l0", weightHh],
    ]);
    expectSame(fromPyTorch("GRU", dictionary), [{ weightIh, weightHh, biasIh: zeros([6]), biasHh: zeros([6]) }]);
  });

  test.each<[what: string, change: (dictionary: Map<string, Tensor>) => unknown, sentence: string]>([
    ["a missing tensor", (map) => map.delete("weight_ih_l1"), "there is no weight_ih_l1 among weight_ih_l0, "],
    ["a missing bias", (map) => map.delete("bias_hh_l0"), "there is no bias_hh_l0 among "],
    [
      "a name that is no part of the module",
      (map) => map.set("fc.weight", zeros([1, 2])),
      "fc.weight (float32[1,2]) has no place",
    ],
    [
      "a projection",
      (map) => map.set("weight_hr_l0", zeros([1, 2])),
      "weight_hr_l0 is a projection of the hidden state (proj_size)",
    ],
    [
      "gates of another module",
      (map) => map.set("weight_hh_l0", zeros([6, 2])),
      "weight_hh_l0 is float32[6,2], but [8,2] is needed",
    ],
    [
      "a layer that does not fit the one below",
      (map) => map.set("weight_ih_l1", zeros([8, 3])),
      "weight_ih_l1 is float32[8,3], but [8,2] is needed",
    ],
    [
      "one direction of a layer only",
      (map) => map.set("weight_ih_l0_reverse", zeros([8, 3])),
      "there is no weight_hh_l0_reverse",
    ],
  ])("refuses %s", (_, change, sentence) => {
    const layers = [3, 2].map((inputSize) => lstm({ inputSize, hiddenSize: 2 }).init(randomKey(1)));
    const dictionary = toPyTorch("LSTM", layers);
    change(dictionary);
    expect(() => fromPyTorch("LSTM", dictionary)).toThrow(DataError);
    expect(() => fromPyTorch("LSTM", dictionary)).toThrow(`fromPyTorch: LSTM: ${sentence}`);
  });
});

test("parameters of random sizes, layers and directions come back as they were", () => {
  const size = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(
      fc.constantFrom<PyTorchModule>("RNN", "LSTM", "GRU"),
      size,
      size,
      size,
      fc.boolean(),
      (module, inputSize, hiddenSize, count, both) => {
        const layers = Array.from({ length: count }, (_, index) => {
          const cell = MAKE[module]({ inputSize: index === 0 ? inputSize : hiddenSize * (both ? 2 : 1), hiddenSize });
          return both ? bidirectional(cell as never) : recurrent(cell as never);
        });
        const params = stacked(layers as never[]).init(randomKey(1)) as readonly TensorTree[];
        const dictionary = toPyTorch(module, params as never, "rnn.");
        expectSame(fromPyTorch(module, dictionary, "rnn."), params);
        expectSame(asTree(toPyTorch(module, fromPyTorch(module, dictionary, "rnn."), "rnn.")), asTree(dictionary));
      },
    ),
    { numRuns: 30 },
  );
});
