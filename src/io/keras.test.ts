/** Keras weights: against the outputs of Keras 3 itself, there and back, and what is refused. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, numbers } from "../../test/close.js";
import { goldenTensors, readGolden } from "../../test/golden.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { DataError } from "../core/index.js";
import {
  bidirectional,
  type Cell,
  elman,
  gru,
  gruResetBefore,
  lstm,
  type RecurrentLayer,
  recurrent,
} from "../nn/index.js";
import { randomKey, zeros } from "../ops/index.js";
import type { Tensor, TensorTree } from "../tensor/index.js";
import {
  denseFromKeras,
  denseToKeras,
  embeddingFromKeras,
  embeddingToKeras,
  fromKeras,
  type KerasLayer,
  toKeras,
} from "./keras.js";

const SIZES = { inputSize: 3, hiddenSize: 3 };
const CELLS = {
  SimpleRNN: elman(SIZES),
  LSTM: lstm(SIZES),
  GRU: gru(SIZES),
  "GRU(reset_after=False)": gruResetBefore(SIZES),
} as unknown as Readonly<Record<KerasLayer, Cell<TensorTree, TensorTree>>>;

type AnyLayer = RecurrentLayer<TensorTree, TensorTree>;
const weightsOf = (record: unknown): Map<string, Tensor> =>
  new Map(Object.entries(goldenTensors(record, "float32") as Record<string, Tensor>));
/** A sorted list of the weights, to compare Maps as trees. */
const asTree = (weights: ReadonlyMap<string, Tensor>) => Object.fromEntries(weights);

describe.each(Object.entries(readGolden("keras")))("golden values of Keras: %s", (name, value) => {
  const golden = value as {
    readonly layer: KerasLayer;
    readonly weights: unknown;
    readonly x: unknown;
    readonly y: unknown;
  };
  const cell = CELLS[golden.layer];
  const layer = (name.endsWith("both") ? bidirectional(cell) : recurrent(cell)) as AnyLayer;
  const weights = weightsOf(golden.weights);

  test("with its weights our layer gives its outputs", () => {
    const { outputs } = layer.apply(fromKeras(golden.layer, weights), goldenTensors(golden.x, "float32") as Tensor);
    expectClose(outputs, goldenTensors(golden.y, "float32"), TOLERANCES.float32);
  });

  test("toKeras gives back its names and numbers", () => {
    expectSame(asTree(toKeras(golden.layer, fromKeras(golden.layer, weights))), asTree(weights));
  });
});

test("all names may have a prefix, and other layers may stand beside", () => {
  const params = lstm(SIZES).init(randomKey(1));
  const weights = new Map([
    ...toKeras("LSTM", params, "lstm_1/"),
    ...denseToKeras({ weight: zeros([2, 3]), bias: zeros([2]) }, "dense/"),
  ]);
  expect([...weights.keys()].slice(0, 3)).toEqual(
    ["kernel", "recurrent_kernel", "bias"].map((end) => `lstm_1/lstm_cell/${end}`),
  );
  expectSame(fromKeras("LSTM", weights, "lstm_1/"), params);
});

test.each(["LSTM", "GRU"] as const)("a %s without biases has biases of zero", (kind) => {
  const weights = toKeras(kind, CELLS[kind].init(randomKey(1)) as never, "");
  for (const path of weights.keys()) if (path.endsWith("/bias")) weights.delete(path);
  const params = fromKeras(kind, weights) as Record<string, Tensor>;
  for (const bias of kind === "GRU" ? ["biasIh", "biasHh"] : ["bias"]) {
    expectSame(params[bias]!, zeros([kind === "GRU" ? 9 : 12]));
  }
});

test("fromKeras names what is missing, of another shape, or left over", () => {
  const weights = (): Map<string, Tensor> => toKeras("LSTM", lstm(SIZES).init(randomKey(1)));
  const refusal = (change: (weights: Map<string, Tensor>) => void, layer: KerasLayer = "LSTM"): string => {
    const changed = weights();
    change(changed);
    try {
      fromKeras(layer, changed);
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      return (error as Error).message;
    }
    return expect.unreachable("it should have failed");
  };
  expect(refusal((map) => map.delete("lstm_cell/kernel"))).toBe(
    "fromKeras: LSTM: there is no lstm_cell/kernel among lstm_cell/recurrent_kernel, lstm_cell/bias",
  );
  expect(refusal((map) => map.set("lstm_cell/bias", zeros([2, 12])))).toBe(
    "fromKeras: LSTM: lstm_cell/bias is float32[2,12], but [12] is needed",
  );
  expect(refusal((map) => map.set("lstm_cell/more", zeros([])))).toContain("lstm_cell/more (float32[]) has no place");
  expect(refusal(() => {}, "GRU")).toContain("there is no gru_cell/recurrent_kernel");
});

test("a GRU of the other form is refused, in both directions of travel", () => {
  const before = toKeras("GRU(reset_after=False)", gruResetBefore(SIZES).init(randomKey(1)));
  expect(() => fromKeras("GRU", before)).toThrow("gru_cell/bias is float32[9], but [2,9] is needed");
  expect(() => toKeras("GRU", gruResetBefore(SIZES).init(randomKey(1)) as never)).toThrow(
    "toKeras: GRU: the parameters hold bias, for which there is no place; it takes weightIh, weightHh, biasIh, biasHh",
  );
});

test("dense and embedding layers travel both ways, the kernel transposed", () => {
  const dense = { weight: numbers(1, [2, 3]), bias: numbers(2, [2]) };
  const kernel = denseToKeras(dense, "out/").get("out/kernel") as Tensor;
  expect([kernel.shape, kernel.data[1]]).toEqual([[3, 2], dense.weight.data[3]]);
  expectSame(denseFromKeras(denseToKeras(dense, "out/"), "out/"), dense);
  const table = { table: numbers(3, [4, 2]) };
  expectSame(embeddingFromKeras(embeddingToKeras(table, "in/"), "in/"), table);
  expect(() => denseFromKeras(new Map())).toThrow("denseFromKeras: there is no kernel among no tensors at all");
});
