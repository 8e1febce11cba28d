/** Dropout inside a recurrence: against the papers' equations written by hand, with the same masks. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, int32, largestError, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { peephole } from "../../../test/user-cells.js";
import { printPlan } from "../../compile/index.js";
import { OptionError } from "../../core/index.js";
import {
  add,
  at,
  foldIn,
  multiply,
  randomKey,
  reverse,
  sigmoid,
  slice,
  split,
  splitKey,
  square,
  stack,
  subtract,
  sum,
  tanh,
  zeros,
} from "../../ops/index.js";
import { compile, type Kernels } from "../../runtime/index.js";
import type { Tensor } from "../../tensor/index.js";
import { checkGradients, grad } from "../../transforms/index.js";
import { bidirectional, type Cell, elman, gru, gruResetBefore, linear, lstm, recurrent, stacked } from "../index.js";
import { dropout } from "../layers/dropout.js";
import { drawDropout, type RecurrentDropout } from "./recurrent-dropout.js";

type Tensors = Readonly<Record<string, Tensor>>;
type AnyCell = Cell<Tensors, Tensors>;

const SIZES = { inputSize: 3, hiddenSize: 4 };
const [TIME, BATCH] = [5, 2];
const KEY = randomKey(11);
const xs = numbers(1, [TIME, BATCH, 3]);

/** The step of a cell with masks where the papers put them, m on the state in products, k on the parts of the carry. */
type MaskedByHand = (p: Tensors, carry: Tensors, x: Tensor, m: Tensors, k: Tensors) => [Tensors, Tensor];

const masked = (x: Tensor, mask: Tensor | undefined): Tensor => (mask ? multiply(x, mask) : x);

const gatedByHand =
  (peepholes: boolean): MaskedByHand =>
  (p, { h, c }, x, m, k) => {
    const [w, u, b] = peepholes ? [p.w!, p.u!, p.b!] : [p.weightIh!, p.weightHh!, p.bias!];
    const gates = add(linear(x, w, b), linear(masked(h!, m.h), u));
    const [i, f, g, o] = split(gates, 4);
    const [pi, pf, po] = peepholes ? split(p.p!, 3) : [f64([0]), f64([0]), f64([0])];
    const see = (gate: Tensor, weight: Tensor, cell: Tensor) => sigmoid(add(gate, multiply(weight, cell)));
    const made = add(multiply(see(f, pf, c!), c!), multiply(see(i, pi, c!), tanh(g)));
    const nextC = masked(made, k.c);
    const y = masked(multiply(see(o, po, nextC), tanh(nextC)), k.h);
    return [{ h: y, c: nextC }, y];
  };

const BY_HAND: Record<string, { cell: AnyCell; step: MaskedByHand }> = {
  elman: {
    cell: elman(SIZES) as unknown as AnyCell,
    step: (p, { h }, x, m, k) => {
      const products = add(linear(x, p.weightIh!, p.bias), linear(masked(h!, m.h), p.weightHh!));
      const next = masked(tanh(products), k.h);
      return [{ h: next }, next];
    },
  },
  lstm: { cell: lstm(SIZES) as unknown as AnyCell, step: gatedByHand(false) },
  gru: {
    cell: gru(SIZES) as unknown as AnyCell,
    step: (p, { h }, x, m, k) => {
      const [xr, xz, xn] = split(linear(x, p.weightIh!, p.biasIh), 3);
      const [hr, hz, hn] = split(linear(masked(h!, m.h), p.weightHh!, p.biasHh), 3);
      const [r, z] = [sigmoid(add(xr, hr)), sigmoid(add(xz, hz))];
      const next = masked(add(multiply(subtract(1, z), tanh(add(xn, multiply(r, hn)))), multiply(z, h!)), k.h);
      return [{ h: next }, next];
    },
  },
  gruResetBefore: {
    cell: gruResetBefore(SIZES) as unknown as AnyCell,
    step: (p, { h }, x, m, k) => {
      const state = masked(h!, m.h);
      const [xr, xz, xn] = split(linear(x, p.weightIh!, p.bias), 3);
      const [hr, hz] = split(linear(state, slice(p.weightHh!, 0, 0, 8)), 2);
      const [r, z] = [sigmoid(add(xr, hr)), sigmoid(add(xz, hz))];
      const n = tanh(add(xn, linear(multiply(r, state), slice(p.weightHh!, 0, 8))));
      const next = masked(add(multiply(subtract(1, z), n), multiply(z, h!)), k.h);
      return [{ h: next }, next];
    },
  },
  "a user's LSTM with peepholes": { cell: peephole as unknown as AnyCell, step: gatedByHand(true) },
};

const paramsOf = (cell: AnyCell): Tensors => cell.init(randomKey(1), "float64");
const carryOf = (cell: AnyCell): Tensors =>
  Object.fromEntries(Object.keys(cell.initialCarry(1)).map((name, index) => [name, numbers(20 + index, [BATCH, 4])]));

/** The loop over time written out, with the masks that the layer draws from the same key. */
function runByHand({ cell, step }: { cell: AnyCell; step: MaskedByHand }, settings: RecurrentDropout, x: Tensor) {
  const drawn = drawDropout(settings, splitKey(KEY, 3)[1]!, {
    params: paramsOf(cell),
    carry: cell.initialCarry(BATCH, "float64"),
    x,
    outputSize: 4,
  });
  const now = (mask: Tensor, t: number): Tensor => (settings.perStep ? at(mask, t) : mask);
  const ofStep = (masks: Tensors | undefined, t: number): Tensors =>
    Object.fromEntries(Object.entries(masks ?? {}).map(([name, mask]) => [name, now(mask, t)]));
  let carry = carryOf(cell);
  const outputs: Tensor[] = [];
  for (let t = 0; t < x.shape[0]!; t++) {
    const { state, carry: parts, output } = drawn.masks;
    const [next, y] = step(drawn.params, carry, at(drawn.x, t), ofStep(state, t), ofStep(parts, t));
    carry = next;
    outputs.push(output ? multiply(y, now(output, t)) : y);
  }
  return { outputs: stack(outputs), carry };
}

const run = (cell: AnyCell, dropout: RecurrentDropout, x = xs, key: Tensor | undefined = KEY) =>
  recurrent(cell, { dropout }).apply(paramsOf(cell), x, { carry: carryOf(cell), ...(key && { key }) });

describe.each(Object.entries(BY_HAND))("dropout inside %s", (_, entry) => {
  const { cell } = entry;

  test.each([false, true])("equals the equations written by hand, with masks per step: %s", (perStep) => {
    for (const settings of [
      { state: 0.4 },
      { input: 0.3, state: 0.5, output: 0.2 },
      { carry: { h: 0.4 } },
      { state: 0.5, carry: 0.25 },
    ]) {
      const dropout = { ...settings, perStep };
      const expected = runByHand(entry, dropout, xs);
      expectClose(run(cell, dropout), expected, TOLERANCES.float64);
      const plain = recurrent(cell).apply(paramsOf(cell), xs, { carry: carryOf(cell) });
      expect(largestError(expected.outputs, plain.outputs).error).toBeGreaterThan(1e-2);
    }
  });

  test("is nothing without a key, bit for bit", () => {
    const plain = recurrent(cell).apply(paramsOf(cell), xs, { carry: carryOf(cell) });
    const settings = { input: 0.5, state: 0.5, output: 0.5, carry: { h: 0.5 }, perStep: true };
    expectSame(recurrent(cell, { dropout: settings }).apply(paramsOf(cell), xs, { carry: carryOf(cell) }), plain);
  });

  test("has gradients that agree with differences, ragged and with a fixed key", () => {
    const layer = recurrent(cell, { dropout: { input: 0.3, state: 0.5, output: 0.2, carry: { h: 0.2 } } });
    const options = { key: KEY, sequenceLengths: int32([3, 2]), carry: carryOf(cell) };
    const { maxError } = checkGradients(
      (p, x) => layer.apply(p, x, options).outputs,
      [paramsOf(cell), slice(xs, 0, 0, 3)],
    );
    expect(maxError).toBeLessThan(TOLERANCES.gradient);
  });

  test("of a ragged batch acts on each sequence as it does without padding", () => {
    const settings = { input: 0.3, state: 0.5, output: 0.2 };
    const layer = recurrent(cell, { dropout: settings });
    const both = layer.apply(paramsOf(cell), xs, { key: KEY, sequenceLengths: int32([3, 5]) });
    const short = layer.apply(paramsOf(cell), slice(xs, 0, 0, 3), { key: KEY });
    const row = (x: Tensor, index: number) => slice(x, 1, index, index + 1);
    expectClose(slice(row(both.outputs, 0), 0, 0, 3), row(short.outputs, 0), TOLERANCES.float64);
    expect(slice(row(both.outputs, 0), 0, 3).data.every((value) => value === 0)).toBe(true);
  });
});

/** A cell that shows its input and adds the products of its state, the identity. */
const adding = (size: number): Cell<{ readonly u: Tensor }, Tensor> => ({
  inputSize: size,
  outputSize: size,
  init: () => ({ u: zeros([size, size]) }),
  initialCarry: (batchSize, dtype) => zeros([batchSize, size], dtype),
  step: ({ u }, h, x) => [add(x, linear(h, u)), x],
});

describe("masks", () => {
  const [time, batch, size] = [30, 20, 20];
  const ones = add(zeros([time, batch, size], "float64"), 1);
  const shown = (dropout: RecurrentDropout) =>
    recurrent(adding(size), { dropout }).apply({ u: zeros([size, size], "float64") }, ones, { key: KEY }).outputs;
  const rate = 0.25;
  const mean = (x: Tensor): number => Array.from(x.data).reduce((total, value) => total + value, 0) / x.data.length;

  test.each(["input", "output"] as const)("on the %s are the same at all steps and keep the expectation", (name) => {
    const outputs = shown({ [name]: rate });
    for (let t = 1; t < time; t++) expectSame(at(outputs, t), at(outputs, 0));
    expect(new Set(outputs.data)).toEqual(new Set([0, 1 / (1 - rate)]));
    // 400 draws: three standard errors.
    expect(Math.abs(mean(at(outputs, 0)) - 1)).toBeLessThan(3 * Math.sqrt(rate / (1 - rate) / (batch * size)));
  });

  test.each(["input", "output"] as const)("on the %s are other ones at each step, if asked for", (name) => {
    const outputs = shown({ [name]: rate, perStep: true });
    for (let t = 1; t < time; t++) expect(largestError(at(outputs, t), at(outputs, 0)).error).toBeGreaterThan(0);
    expect(Math.abs(mean(outputs) - 1)).toBeLessThan(3 * Math.sqrt(rate / (1 - rate) / outputs.data.length));
  });

  test("of rows of the batch differ, and so do those of input, state and output", () => {
    const drawn = drawDropout({ input: 0.5, state: 0.5, output: 0.5 }, KEY, {
      params: {},
      carry: zeros([batch, size], "float64"),
      x: ones,
      outputSize: size,
    });
    const all = [at(drawn.x, 0), drawn.masks.state![""]!, drawn.masks.output!];
    for (const mask of all) expect(largestError(at(mask, 0), at(mask, 1)).error).toBeGreaterThan(0);
    for (const index of [0, 1]) expect(largestError(all[index]!, all[index + 1]!).error).toBeGreaterThan(0);
  });

  test("of parts of the carry are 0 or 1: a unit that is kept is what it would have been, at any step", () => {
    const cell = lstm({ inputSize: 1, hiddenSize: 50 });
    const open = { ...cell.init(KEY, "float64"), weightHh: zeros([200, 50], "float64") };
    const x = numbers(2, [6, 1, 1]);
    const { carry } = recurrent(cell, { dropout: { carry: { c: 0.5 } } }).apply(open, x, { key: KEY });
    const plain = recurrent(cell).apply(open, x).carry;
    const kept = Array.from(carry.c.data, (value, unit) => (value === 0 ? 0 : value / plain.c.data[unit]!));
    expect(kept.filter((ratio) => ratio === 0).length).toBeGreaterThan(10);
    for (const ratio of kept.filter((one) => one !== 0)) expect(ratio).toBeCloseTo(1, 12);
    carry.h.data.forEach((value, unit) => {
      expect(value === 0).toBe(kept[unit] === 0);
    });
  });
});

describe("dropout of weights", () => {
  const cell = lstm(SIZES);
  const params = cell.init(randomKey(1), "float64");

  test("is a run with parameters of which some elements are 0 and the others scaled", () => {
    const { params: dropped } = drawDropout({ weights: 0.5 }, splitKey(KEY, 3)[1]!, {
      params,
      carry: cell.initialCarry(BATCH, "float64"),
      x: xs,
      outputSize: 4,
    });
    expectSame({ ...dropped, weightHh: zeros([]) }, { ...params, weightHh: zeros([]) });
    const ratios = Array.from(dropped.weightHh.data, (value, k) => value / params.weightHh.data[k]!);
    expect(new Set(ratios)).toEqual(new Set([0, 2]));
    const layer = recurrent(cell, { dropout: { weights: 0.5 } });
    expectSame(layer.apply(params, xs, { key: KEY }), recurrent(cell).apply(dropped, xs));
    expectSame(layer.apply(params, xs), recurrent(cell).apply(params, xs));
  });

  test("acts on the parameters that are named", () => {
    const drop = (weights: RecurrentDropout["weights"]) =>
      recurrent(cell, { dropout: { weights: weights! } }).apply(params, xs, { key: KEY });
    expectSame(drop({ weightHh: 0.5 }), drop(0.5));
    expect(largestError(drop({ weightIh: 0.5 }).outputs, drop(0.5).outputs).error).toBeGreaterThan(1e-3);
    expect(() => drop({ weightHx: 0.5 })).toThrow(
      'recurrent dropout: weights: the cell has no "weightHx"; there are bias, weightHh, weightIh',
    );
  });
});

describe("dropout of the update (Semeniuta et al.)", () => {
  const rate = 0.4;
  type ByHand = (p: Tensors, carry: Tensors, x: Tensor, d: (candidate: Tensor) => Tensor) => Tensors;
  const three = (x: Tensor) => split(x, 3);
  const mix = (z: Tensor, n: Tensor, h: Tensor) => ({ h: add(multiply(subtract(1, z), n), multiply(z, h)) });
  const cases: [string, AnyCell, ByHand][] = [
    [
      "lstm",
      lstm({ ...SIZES, updateDropout: rate }) as unknown as AnyCell,
      (p, { h, c }, x, d) => {
        const gates = add(linear(x, p.weightIh!, p.bias), linear(h!, p.weightHh!));
        const [i, f, g, o] = split(gates, 4);
        const next = add(multiply(sigmoid(f), c!), multiply(sigmoid(i), d(tanh(g))));
        return { h: multiply(sigmoid(o), tanh(next)), c: next };
      },
    ],
    [
      "gru",
      gru({ ...SIZES, updateDropout: rate }) as unknown as AnyCell,
      (p, { h }, x, d) => {
        const [[xr, xz, xn], [hr, hz, hn]] = [
          three(linear(x, p.weightIh!, p.biasIh)),
          three(linear(h!, p.weightHh!, p.biasHh)),
        ];
        return mix(sigmoid(add(xz, hz)), d(tanh(add(xn, multiply(sigmoid(add(xr, hr)), hn)))), h!);
      },
    ],
    [
      "gruResetBefore",
      gruResetBefore({ ...SIZES, updateDropout: rate }) as unknown as AnyCell,
      (p, { h }, x, d) => {
        const [[xr, xz, xn], [ur, uz, un]] = [three(linear(x, p.weightIh!, p.bias)), split(p.weightHh!, 3, 0)];
        const r = sigmoid(add(xr, linear(h!, ur!)));
        return mix(sigmoid(add(xz, linear(h!, uz!))), d(tanh(add(xn, linear(multiply(r, h!), un!)))), h!);
      },
    ],
  ];

  test.each(cases)("of %s is that of the candidate, with another key at each step", (_, cell, step) => {
    const params = paramsOf(cell);
    let carry = carryOf(cell);
    for (let t = 0; t < TIME; t++) {
      const key = foldIn(splitKey(KEY, 3)[0]!, t);
      carry = step(params, carry, at(xs, t), (candidate) => dropout(key, candidate, rate));
    }
    const result = recurrent(cell).apply(params, xs, { carry: carryOf(cell), key: KEY });
    expectClose(result.carry, carry, TOLERANCES.float64);
    let plain = carryOf(cell);
    for (let t = 0; t < TIME; t++) plain = step(params, plain, at(xs, t), (candidate) => candidate);
    expectClose(recurrent(cell).apply(params, xs, { carry: carryOf(cell) }).carry, plain, TOLERANCES.float64);
    expect(largestError(plain, carry).error).toBeGreaterThan(1e-2);
  });
});

describe("layers of layers", () => {
  test("of two directions and of a stack draw masks of their own", () => {
    const cell = elman({ inputSize: 4, hiddenSize: 4 });
    const same = cell.init(randomKey(1), "float64");
    const dropout = { state: 0.5 };
    const x = numbers(3, [4, 2, 4]);
    const both = bidirectional(cell, cell, { dropout }).apply({ forward: same, backward: same }, x, { key: KEY });
    const turned = bidirectional(cell, cell, { dropout }).apply({ forward: same, backward: same }, reverse(x), {
      key: KEY,
    });
    const [ahead] = split(both.outputs, 2);
    const [, behind] = split(reverse(turned.outputs), 2);
    expect(largestError(ahead, behind).error).toBeGreaterThan(1e-3);
    const layer = recurrent(cell, { dropout });
    const { carry } = stacked([layer, layer]).apply([same, same], x, { key: KEY });
    const chained = layer.apply(same, layer.apply(same, x, { key: foldIn(KEY, 0) }).outputs, { key: foldIn(KEY, 1) });
    expectSame(carry[1]!, chained.carry);
  });
});

/** Kernels that run nothing: their Plans are to be looked at. */
const PANELS_OF_16: Kernels = {
  name: "panels of 16",
  target: { panel: 16, width: 8 },
  supports: () => true,
  prepare: () => ({ run() {} }),
};

const loopsOfUpdate = (cell: AnyCell, dropout: RecurrentDropout): string => {
  const layer = recurrent(cell, { dropout });
  const update = (params: Tensors, x: Tensor, key: Tensor) =>
    grad((p: Tensors) => sum(square(layer.apply(p, x, { key }).outputs)))(params);
  const plan = printPlan(compile(update, { kernels: PANELS_OF_16 }).plan(cell.init(KEY), zeros([6, 2, 3]), KEY));
  return (plan.match(/^loop[\s\S]*?^}/gm) ?? []).join("\n");
};

describe("the loops of a training step", () => {
  test.each(Object.entries(BY_HAND).filter(([name]) => name !== "gruResetBefore"))(
    "of %s with variational dropout hold one product each, and draw no random numbers",
    (_, { cell }) => {
      for (const perStep of [false, true]) {
        const loops = loopsOfUpdate(cell, {
          input: 0.5,
          state: 0.5,
          output: 0.5,
          weights: cell === BY_HAND["a user's LSTM with peepholes"]!.cell ? { u: 0.5 } : 0.5,
          perStep,
        });
        expect(loops.match(/= product/g)).toHaveLength(2);
        expect(loops).not.toMatch(/uniform|less/);
      }
    },
  );
});

test("dropout and zoneout run on compiled kernels, beside the dropout of the cell", () => {
  const layer = stacked([
    recurrent(lstm({ inputSize: 4, hiddenSize: 4, updateDropout: 0.3 }), {
      dropout: { input: 0.3, state: 0.5, output: 0.2, carry: { c: 0.2 }, weights: 0.2, perStep: true },
      zoneout: { h: 0.1 },
    }),
    recurrent(lstm({ inputSize: 4, hiddenSize: 4 }), { dropout: { state: 0.5 } }),
  ]);
  const params = layer.init(randomKey(1));
  const runStack = (p: typeof params, x: Tensor, key: Tensor) =>
    layer.apply(p, x, { key, sequenceLengths: int32([2, 5]), return: "last" }).outputs;
  const x = numbers(4, [5, 2, 4], "float32");
  const compiled = compile(runStack);
  expect(compiled.kernels(params, x, KEY).name).not.toBe("reference");
  expectClose(compiled(params, x, KEY), runStack(params, x, KEY), TOLERANCES.float32);
});

describe("recurrent dropout says what is wrong:", () => {
  const layer = (dropout: object) => recurrent(lstm(SIZES), { dropout });

  test("a rate outside [0, 1), an unknown option or part of the carry", () => {
    for (const wrong of [1, -0.1, Number.NaN]) {
      for (const name of ["input", "state", "output", "weights", "carry"]) {
        expect(() => layer({ [name]: wrong })).toThrow(OptionError);
        expect(() => layer({ [name]: wrong })).toThrow(
          `recurrent dropout: ${name} must be a number at least 0 and less than 1, but is ${wrong}`,
        );
      }
    }
    expect(() => layer({ carry: { c: 1 } })).toThrow("recurrent dropout: carry.c must be");
    expect(() => layer({ carry: { s: 0.5 } })).toThrow('recurrent dropout: carry: the cell has no "s"; there are c, h');
    expect(() => layer({ inputs: 0.5 })).toThrow('recurrent dropout: there is no option "inputs"');
    expect(() => layer({ weights: 0.5, perStep: true })).toThrow("recurrent dropout: perStep needs a rate for input");
  });

  test("a mask of the state of a cell whose carry enters no product", () => {
    const counting: Cell<Record<string, Tensor>, Tensor> = {
      inputSize: 3,
      outputSize: 3,
      init: () => ({}),
      initialCarry: (batchSize, dtype) => zeros([batchSize, 3], dtype),
      step: (_, h, x) => [add(h, x), add(h, x)],
    };
    expect(() => recurrent(counting, { dropout: { state: 0.5 } }).apply({}, xs, { key: KEY })).toThrow(
      "recurrent dropout: state has no effect on this cell, whose carry enters no matrix product",
    );
  });
});
