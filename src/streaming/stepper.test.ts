/** Streams: step by step equals all at once, states as bytes, errors. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { layerNormLstm, peephole } from "../../test/user-cells.js";
import { FileError, OptionError, ShapeError } from "../core/index.js";
import { decodeSafetensors, encodeSafetensors } from "../io/index.js";
import {
  bidirectional,
  CELL_NAMES,
  type Cell,
  cellByName,
  dense,
  embedding,
  emitArgmax,
  feedback,
  gru,
  lstm,
  type RecurrentLayer,
  recurrent,
  stacked,
} from "../nn/index.js";
import { add, at, randomKey, slice } from "../ops/index.js";
import { referenceKernels } from "../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree, tensor } from "../tensor/index.js";
import { type Stepper, stepper } from "./index.js";

type AnyCell = Cell<TensorTree, TensorTree>;
type AnyLayer = RecurrentLayer<TensorTree, TensorTree>;
const [TIME, BATCH] = [12, 3];

const CELLS: Readonly<Record<string, AnyCell>> = {
  ...Object.fromEntries(CELL_NAMES.map((name) => [name, cellByName(name, { inputSize: 3, hiddenSize: 4 })])),
  "a user's cell": peephole as unknown as AnyCell,
  "a user's normalised cell": layerNormLstm as unknown as AnyCell,
};
const LAYERS = {
  "a layer": recurrent(lstm({ inputSize: 3, hiddenSize: 4 })),
  "a stack": stacked([
    recurrent(lstm({ inputSize: 3, hiddenSize: 5 })),
    recurrent(lstm({ inputSize: 5, hiddenSize: 4 })),
  ]),
} as unknown as Readonly<Record<string, AnyLayer>>;

const layerOf = (model: AnyCell | AnyLayer): AnyLayer => ("step" in model ? recurrent(model) : model);

/** Pushes the steps of `[time, batch, features]`; what came out of all. */
const pushAll = (stream: Stepper<TensorTree>, xs: Tensor): number[] =>
  Array.from({ length: xs.shape[0]! }, (_, t) => Array.from(stream.push(at(xs, t).data))).flat();

describe.each(Object.entries({ ...CELLS, ...LAYERS }))("a stream of %s", (_, model) => {
  const params = model.init(randomKey(1));
  const xs = numbers(1, [TIME, BATCH, 3], "float32");

  test("gives what all steps at once give, state included, within 1e-6", () => {
    const stream = stepper(model, params, { batchSize: BATCH });
    const whole = layerOf(model).apply(params, xs);
    expectClose(
      tensor(Float32Array.from(pushAll(stream, xs)), { shape: whole.outputs.shape }),
      whole.outputs,
      TOLERANCES.float32,
    );
    expectClose(stream.state, whole.carry, TOLERANCES.float32);
  });

  test("in float64 on the reference kernels gives the very same numbers", () => {
    const [params64, xs64] = [model.init(randomKey(1), "float64"), numbers(1, [TIME, BATCH, 3])];
    const stream = stepper(model, params64, { batchSize: BATCH, kernels: referenceKernels });
    const { outputs, carry } = layerOf(model).apply(params64, xs64);
    expect(pushAll(stream, xs64)).toEqual(Array.from(outputs.data));
    expectSame(stream.state, carry);
  });

  test("goes on bit for bit from what was saved in the middle", () => {
    const [stream, other] = [
      stepper(model, params, { batchSize: BATCH }),
      stepper(model, params, { batchSize: BATCH }),
    ];
    pushAll(stream, slice(xs, 0, 0, 5));
    const saved = stream.save();
    const rest = pushAll(stream, slice(xs, 0, 5));
    pushAll(other, slice(xs, 0, 3, 8));
    other.restore(saved);
    expect(pushAll(other, slice(xs, 0, 5))).toEqual(rest);
    expectSame(other.state, stream.state);
    stream.restore(saved);
    expect(pushAll(stream, slice(xs, 0, 5))).toEqual(rest);
  });

  test("of one equals each of several side by side", () => {
    const together = pushAll(stepper(model, params, { batchSize: BATCH }), xs);
    for (let row = 0; row < BATCH; row++) {
      const alone = pushAll(stepper(model, params), slice(xs, 1, row, row + 1));
      const own = together.filter((_, k) => Math.floor(k / model.outputSize) % BATCH === row);
      expectClose(tensor(alone), tensor(own), TOLERANCES.float32);
    }
  });

  test("resets all, or some, to where it began", () => {
    const begin = layerOf(model).apply(params, slice(xs, 0, 0, 2)).carry;
    const stream = stepper(model, params, { batchSize: BATCH, carry: begin });
    const first = pushAll(stream, xs);
    const kept = stream.state;
    stream.reset([0, 2]);
    const rowOf = (tree: TensorTree, row: number) => mapTensors((part) => slice(part, 0, row, row + 1), tree);
    for (const row of [0, 1, 2]) expectSame(rowOf(stream.state, row), rowOf(row === 1 ? kept : begin, row));
    stream.reset();
    expect(pushAll(stream, xs)).toEqual(first);
  });
});

describe("stepper", () => {
  const cell = lstm({ inputSize: 3, hiddenSize: 4 });
  const params = cell.init(randomKey(1));
  const xs = numbers(1, [TIME, 1, 3], "float32");

  test("reads outputs off with a readout, and says what they are", () => {
    const head = dense({ inputSize: 4, outputSize: 2 });
    const own = head.init(randomKey(2));
    const stream = stepper(cell, params, { readout: (y) => head.apply(own, y) });
    expect([stream.inputSize, stream.batchSize]).toEqual([3, 1]);
    expect(stream.outputType).toMatchObject({ dtype: "float32", shape: [1, 2] });
    const expected = head.apply(own, recurrent(cell).apply(params, xs).outputs);
    expectClose(tensor(Float32Array.from(pushAll(stream, xs)), { shape: [TIME, 1, 2] }), expected, TOLERANCES.float32);
  });

  test("takes plain numbers, typed arrays and tensors, and returns the same memory at each push", () => {
    const [a, b, c] = [stepper(cell, params), stepper(cell, params), stepper(cell, params)];
    const x = at(xs, 0);
    const output = a.push([...x.data]);
    expect(Array.from(output)).toEqual(Array.from(b.push(x.data)));
    expect(Array.from(output)).toEqual(Array.from(c.push(x)));
    const before = Array.from(output);
    expect(a.push(x)).toBe(output);
    expect(Array.from(output)).not.toEqual(before);
  });

  test("keeps a state that is read, and one that is set, apart from its own", () => {
    const stream = stepper(cell, params);
    pushAll(stream, slice(xs, 0, 0, 4));
    const state = stream.state;
    const copy = mapTensors((part) => tensor(part.data.slice(), { shape: part.shape }), state);
    const next = pushAll(stream, slice(xs, 0, 4));
    expectSame(state, copy);
    stream.state = state;
    expect(pushAll(stream, slice(xs, 0, 4))).toEqual(next);
    expectSame(state, copy);
  });

  test("is not moved by later changes to its parameters or to the carry it began with", () => {
    const own = mapTensors((part) => tensor(part.data.slice(), { shape: part.shape }), params);
    const carry = mapTensors((part) => tensor(part.data.slice(), { shape: part.shape }), cell.initialCarry(1));
    const stream = stepper(cell, own, { carry });
    const expected = pushAll(stepper(cell, params), xs);
    for (const part of Object.values(own)) part.data.fill(9);
    carry.h.data.fill(9);
    expect(pushAll(stream, xs)).toEqual(expected);
    stream.reset();
    expect(pushAll(stream, xs)).toEqual(expected);
  });

  test("hands on a carry whose parts change places, or stay as they are", () => {
    type Line = { readonly a: Tensor; readonly b: Tensor; readonly still: Tensor };
    const line: Cell<readonly [], Line> = {
      inputSize: 1,
      outputSize: 1,
      init: () => [],
      initialCarry: () => ({ a: tensor([[1]]), b: tensor([[2]]), still: tensor([[5]]) }),
      step: (_, { a, b, still }, x) => [{ a: b, b: add(a, x), still }, add(b, still)],
    };
    const stream = stepper(line, []);
    const pushed = [10, 20, 30, 40].map((x) => stream.push([x])[0]);
    expect(pushed).toEqual([2 + 5, 11 + 5, 22 + 5, 41 + 5]);
    expectSame(stream.state, { a: tensor([[41]]), b: tensor([[62]]), still: tensor([[5]]) });
  });

  test("lets a network that feeds itself write, without any input", () => {
    const writer = feedback({
      cell: gru({ inputSize: 2, hiddenSize: 4 }),
      readout: dense({ inputSize: 4, outputSize: 5 }),
      embedding: embedding({ size: 5, outputSize: 2 }),
      emit: emitArgmax,
    });
    const own = writer.init(randomKey(3));
    const stream = stepper(writer.freeRun, own);
    const written = Array.from({ length: 20 }, () => Array.from(stream.push([]))).flat();
    const { outputs } = writer.apply(own, { length: 20, batchSize: 1 });
    expectClose(tensor(Float32Array.from(written), { shape: [20, 1, 5] }), outputs, TOLERANCES.float32);
  });

  test.each<[string, RecurrentLayer<never, never>]>([
    ["a reverse layer", recurrent(cell, { reverse: true }) as never],
    ["a bidirectional layer", bidirectional(cell) as never],
    [
      "a stack with a bidirectional layer",
      stacked([
        bidirectional(lstm({ inputSize: 3, hiddenSize: 2 })) as unknown as AnyLayer,
        recurrent(lstm({ inputSize: 4, hiddenSize: 2 })) as unknown as AnyLayer,
      ]) as never,
    ],
  ])("refuses %s", (_, layer) => {
    const make = () => stepper(layer as AnyLayer, (layer as unknown as AnyLayer).init(randomKey(1)));
    expect(make).toThrow(OptionError);
    expect(make).toThrow("stepper: the layer reads ahead, as reverse and bidirectional layers do");
  });

  test("refuses inputs, states, rows and options that do not fit", () => {
    const stream = stepper(cell, params);
    expect(() => stream.push([1, 2])).toThrow(ShapeError);
    expect(() => stream.push([1, 2])).toThrow("a push takes 3 numbers, float32[1,3], but was given 2");
    expect(() => stream.push(numbers(1, [1, 3]))).toThrow("a push takes float32[1,3], but was given float64[1,3]");
    expect(() => stepper(cell, params, { carry: cell.initialCarry(2) })).toThrow(
      "stepper: carry.c must be float32[1,4], but is float32[2,4]",
    );
    expect(() => {
      stream.state = { h: stream.state.h } as never;
    }).toThrow("stepper: the state must have the form {c:*,h:*}, but has {h:*}");
    expect(() => stream.reset([1])).toThrow("there is no stream 1; the batch has 1");
    expect(() => stepper(cell, params, { batchSize: 0 })).toThrow("batchSize must be a whole number of at least 1");
    expect(() => stepper(cell, params, { batch: 2 } as never)).toThrow('there is no option "batch"');
  });

  describe("restore refuses, and changes nothing,", () => {
    const stream = stepper(cell, params);
    pushAll(stream, slice(xs, 0, 0, 3));
    const saved = stream.save();
    const flipped = saved.slice();
    flipped[flipped.length - 3]! ^= 1;
    const { tensors, metadata } = decodeSafetensors(saved, "saved");
    test.each<[string, Uint8Array, string]>([
      ["bytes with one bit changed", flipped, "do not match its checksum"],
      ["bytes cut short", saved.slice(0, -4), "is damaged"],
      ["no bytes", new Uint8Array(), "is damaged"],
      ["tensors that are no state", encodeSafetensors(tensors, {}), "these bytes are no state"],
      [
        "the state of a wider cell",
        stepper(lstm({ inputSize: 3, hiddenSize: 5 }), lstm({ inputSize: 3, hiddenSize: 5 }).init(randomKey(1))).save(),
        "it holds carry.c float32[1,5], carry.h float32[1,5], but this one has carry.c float32[1,4], carry.h float32[1,4]",
      ],
      ["the state of another batch", stepper(cell, params, { batchSize: 2 }).save(), "it holds carry.c float32[2,4]"],
      [
        "part of a state",
        encodeSafetensors(new Map([["carry.h", tensors.get("carry.h")!]]), metadata),
        "it holds carry.h",
      ],
    ])("%s", (_, bytes, message) => {
      const before = stream.state;
      expect(() => stream.restore(bytes)).toThrow(FileError);
      expect(() => stream.restore(bytes)).toThrow(message);
      expectSame(stream.state, before);
    });
  });
});
