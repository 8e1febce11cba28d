import { describe, expect, test } from "vitest";
import { int32 } from "../../../test/close.js";
import { DataError, OptionError } from "../../core/index.js";
import { gateSaturation, spectralRadius } from "../../learn/index.js";
import { CELL_NAMES, cellByName, crossEntropy, recurrent } from "../../nn/index.js";
import { gather, multiply, normal, randomKey, slice, zeros } from "../../ops/index.js";
import { type Tensor, type TensorTree, tensor } from "../../tensor/index.js";
import { vjp } from "../../transforms/index.js";
import { CELL_PARTS } from "./cell-parts.js";
import { diagnoseText, type LanguageModelCarry, languageModel } from "./index.js";

const TOKENS = Int32Array.of(0, 3, 1, 2, 2, 0, 1, 3, 0, 2);
const model = languageModel({ vocabularySize: 4, cell: "gru", hiddenSize: 3, numLayers: 2 });
const params = model.init(randomKey(5));
const column = (from: number, to: number): Tensor => int32([...TOKENS.subarray(from, to)], [to - from, 1]);

describe("diagnoseText", () => {
  const found = diagnoseText(model, params, TOKENS, { steps: 3 });

  test("tells what it read, and how much of it step by step", () => {
    expect(found).toMatchObject({ tokens: 9, carrySize: 6, steps: 3 });
    expect(diagnoseText(model, params, TOKENS).steps).toBe(9);
  });

  test("the gradients by steps back are those of the loss of one token by the state before, after a warm-up", () => {
    const norms = [1, 2, 3].flatMap((to) =>
      Array.from({ length: to }, (_, from) => {
        // Step `to` reads token 5 + to, and predicts the next one.
        const lossOf = (carry: LanguageModelCarry) => {
          const { logits } = model.logits(params, column(6 + from, 6 + to), { carry });
          return crossEntropy(slice(logits, 0, to - from - 1), column(6 + to, 7 + to)).total;
        };
        const { pullback } = vjp(lossOf, model.logits(params, column(0, 6 + from)).carry);
        const [gradient] = pullback(tensor(1)) as [readonly { h: Tensor }[]];
        return { span: to - from, norm: Math.hypot(...gradient.flatMap(({ h }) => [...h.data])) };
      }),
    );
    for (const { span, median, largest } of found.gradientNorms) {
      const own = norms
        .filter((other) => other.span === span)
        .map(({ norm }) => norm)
        .sort((a, b) => a - b);
      expect(largest).toBeCloseTo(own.at(-1)!, 5);
      expect(median).toBeCloseTo(own.length === 2 ? (own[0]! + own[1]!) / 2 : own[Math.floor(own.length / 2)]!, 5);
    }
    expect(found.gradientNorms.map(({ span }) => span)).toEqual([1, 2, 3]);
  });

  test("the Jacobian norms by span are those between two steps, sorted by how far they are apart", () => {
    const between = found.jacobianNormsBetween;
    expect(between.map((row) => row.length)).toEqual([1, 2, 3, 4]);
    expect(found.jacobianNorms[2]).toEqual({ span: 3, median: between[3]![0], largest: between[3]![0] });
    expect(found.jacobianNorms[1]!.largest).toBe(Math.max(between[2]![0]!, between[3]![1]!));
    expect(found.jacobianNorms[1]!.median).toBeCloseTo((between[2]![0]! + between[3]![1]!) / 2, 12);
  });

  test("without recurrence nothing comes back: the Jacobian is gone, and the exponent -Infinity", () => {
    const plain = languageModel({ vocabularySize: 4, cell: "elman", hiddenSize: 3 });
    const start = plain.init(randomKey(1));
    const [layer] = start.layers as [{ weightHh: Tensor }];
    const layers = [{ ...layer, weightHh: zeros([3, 3]) }];
    const cut = diagnoseText(plain, { ...start, layers }, TOKENS, { steps: 2 });
    expect(cut.jacobianNorms.map(({ largest }) => largest)).toEqual([0, 0]);
    expect(cut.lyapunovExponent).toBe(Number.NEGATIVE_INFINITY);
    expect(cut.spectralRadii).toEqual([{ layer: 0, block: "", radius: 0 }]);
    expect(cut.gates).toEqual([]);
  });

  test("names the blocks and the gates of every layer", () => {
    expect(found.spectralRadii.map(({ layer, block }) => `${layer}${block}`)).toEqual([
      "0r",
      "0z",
      "0n",
      "1r",
      "1z",
      "1n",
    ]);
    const { weightHh } = params.layers[1] as { weightHh: Tensor };
    expect(found.spectralRadii[4]!.radius).toBeCloseTo(spectralRadius(slice(weightHh, 0, 3, 6)), 6);
    expect(found.gates.map(({ layer, gate }) => `${layer}${gate}`)).toEqual(["0z", "0r", "1z", "1r"]);
    const [z] = gateSaturation(cellByName("gru", { inputSize: 3, hiddenSize: 3 }), params.layers[1]!, secondInputs());
    z!.mean.forEach((mean, unit) => {
      expect(found.gates[2]!.mean[unit]).toBeCloseTo(mean, 6);
    });
  });

  test("says when there is too little text, too much asked for, or no memory for it", () => {
    const diagnose = (tokens: number, steps?: number) => () =>
      diagnoseText(model, params, TOKENS.subarray(0, tokens), steps === undefined ? {} : { steps });
    expect(diagnose(2)).toThrow(
      new DataError("the text has 2 tokens, too few to diagnose a model; at least 3 are needed"),
    );
    expect(diagnose(10, 1)).toThrow("diagnose: steps must be a whole number of at least 2, but is 1");
    expect(diagnose(10, 10)).toThrow(
      "the text has 9 tokens to read, fewer than 10 steps; use more text, or fewer steps",
    );
    const large = languageModel({ vocabularySize: 4, cell: "lstm", hiddenSize: 2048 });
    const none = { embedding: { table: zeros([1, 1]) }, layers: [], readout: params.readout };
    expect(() => diagnoseText(large, none as never, TOKENS, { steps: 6 })).toThrow(
      new OptionError(
        "diagnose: Jacobians of 6 steps of a carry of 4096 numbers do not fit into 2 GiB; ask for at most 5 steps",
      ),
    );
    const huge = languageModel({ vocabularySize: 4, cell: "lstm", hiddenSize: 4096 });
    expect(() => diagnoseText(huge, none as never, TOKENS)).toThrow("the carry of the model has 8192 numbers");
  });
});

/** What the second layer reads. */
function secondInputs(): Tensor {
  const cell = cellByName("gru", { inputSize: 3, hiddenSize: 3 });
  const vectors = gather(params.embedding.table, column(0, 9));
  return recurrent(cell).apply(params.layers[0]!, vectors).outputs;
}

describe("the names of parts", () => {
  const HIDDEN = 2;
  const xs = normal(randomKey(2), [5, 1, HIDDEN]);
  const gatesFound = (name: string, change: (params: Record<string, Tensor>) => Record<string, Tensor>) => {
    const cell = cellByName(name, { inputSize: HIDDEN, hiddenSize: HIDDEN });
    return gateSaturation(cell, change(cell.init(randomKey(1)) as Record<string, Tensor>) as TensorTree, xs);
  };

  test.each(CELL_NAMES.filter((name) => CELL_PARTS[name].gates.length > 0))("%s has as many gates", (name) => {
    expect(gatesFound(name, (params) => params).length).toBe(CELL_PARTS[name].gates.length);
  });

  test.each(CELL_NAMES.filter((name) => CELL_PARTS[name].gates.length === 0 && name !== "jordan"))(
    "%s has none",
    (name) => {
      expect(() => gatesFound(name, (params) => params)).toThrow("computes no sigmoid");
    },
  );

  test.each([
    ["lstm", "bias", ["i", "f", "g", "o"]],
    ["peephole-lstm", "bias", ["i", "f", "g", "o"]],
    ["layer-norm-lstm", "bias", ["i", "f", "g", "o"]],
    ["coupled-lstm", "bias", ["i", "g", "o"]],
    ["gru", "biasIh", ["r", "z", "n"]],
    ["layer-norm-gru", "biasIh", ["r", "z", "n"]],
    ["gru-reset-before", "bias", ["r", "z", "n"]],
    ["mut1", "bias", ["r", "z", "n"]],
    ["mut2", "bias", ["r", "z", "n"]],
    ["mut3", "bias", ["r", "z", "n"]],
    ["lstm-1997", "bias", ["i", "g", "o"]],
    ["min-gru", "bias", ["z", "n"]],
    ["min-lstm", "bias", ["i", "f", "g"]],
    ["mgu", "bias", ["f", "n"]],
  ] as const)("%s: a large bias opens the gate of that name alone", (name, bias, order) => {
    const { gates } = CELL_PARTS[name];
    for (const gate of gates) {
      const found = gatesFound(name, (params) => {
        const still = Object.fromEntries(Object.entries(params).map(([path, leaf]) => [path, multiply(leaf, 0)]));
        const values = (order as readonly string[]).flatMap((part) =>
          new Array<number>(HIDDEN).fill(part === gate ? 9 : 0),
        );
        return { ...still, [bias]: tensor(values) };
      });
      expect(found.map(({ mean }) => mean[0]! > 0.6)).toEqual(gates.map((other) => other === gate));
    }
  });

  test.each(CELL_NAMES.filter((name) => CELL_PARTS[name].blocks.length > 0))(
    "%s has weightHh in so many blocks",
    (name) => {
      const { weightHh } = cellByName(name, { inputSize: HIDDEN, hiddenSize: HIDDEN }).init(randomKey(0)) as Record<
        string,
        Tensor
      >;
      const [rows, columns = rows] = weightHh!.shape;
      expect(rows).toBe(columns! * CELL_PARTS[name].blocks.length);
    },
  );
});
