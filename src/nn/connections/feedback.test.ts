/** Connections from the output back to the input: equations, sources, teacher forcing, gradients, tokens. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, int32, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError, ShapeError } from "../../core/index.js";
import {
  add,
  at,
  broadcastTo,
  concatenate,
  gather,
  multiply,
  ones,
  randomKey,
  slice,
  square,
  subtract,
  sum,
  tanh,
  zeros,
} from "../../ops/index.js";
import { compile, referenceKernels } from "../../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree, toNumber } from "../../tensor/index.js";
import { checkGradients, grad } from "../../transforms/index.js";
import {
  type Cell,
  crossEntropy,
  type Dense,
  type DenseParams,
  dense,
  elman,
  embedding,
  emitArgmax,
  emitOutput,
  emitSample,
  emitSoftmax,
  feedback,
  gru,
  logSoftmax,
  lstm,
  softmax,
} from "../index.js";

const KEY = randomKey(5);
const [TIME, BATCH] = [6, 3];

/** Makes starting values of zero count, too. */
const moved = <T extends TensorTree>(params: T): T => {
  let seed = 100;
  return mapTensors((x) => add(x, multiply(numbers(seed++, x.shape), 0.3)), params);
};

/** 2 features of input, 3 of output, 4 units. */
const make = (settings: Partial<Parameters<typeof feedback>[0]> = {}) =>
  feedback({
    cell: gru({ inputSize: 5, hiddenSize: 4 }),
    readout: dense({ inputSize: 4, outputSize: 3 }),
    ...(settings as object),
  });
const layer = make();
const params = moved(layer.init(KEY, "float64"));
const xs = numbers(1, [TIME, BATCH, 2]);
const targets = numbers(2, [TIME, BATCH, 3]);

/** A cell without memory: y = tanh(W x + b). */
const memoryless = (inputSize: number, outputSize: number): Cell<DenseParams, readonly []> => {
  const layer = dense({ inputSize, outputSize });
  return {
    inputSize,
    outputSize,
    init: layer.init,
    initialCarry: () => [],
    step: (at, carry, x) => [carry, tanh(layer.apply(at, x))],
  };
};

describe("feedback", () => {
  test("is its equations, by plain loops, in free run and with the truth", () => {
    const small = feedback({
      cell: elman({ inputSize: 3, hiddenSize: 2 }),
      readout: dense({ inputSize: 2, outputSize: 1 }),
    });
    const p = moved(small.init(KEY, "float64"));
    const [x, truth] = [numbers(3, [4, 1, 2]), numbers(4, [4, 1, 1])];
    const run = (source: "own" | "truth"): number[] => {
      const read = (w: Tensor, row: number, column: number) => w.data[row * w.shape[1]! + column]!;
      const { weightIh, weightHh, bias } = p.cell;
      let [h, v] = [[0, 0], 0];
      return [0, 1, 2, 3].map((t) => {
        const input = [x.data[2 * t]!, x.data[2 * t + 1]!, v];
        const before = h;
        h = [0, 1].map((i) =>
          Math.tanh(
            bias.data[i]! +
              input.reduce((total, value, j) => total + read(weightIh, i, j) * value, 0) +
              before.reduce((total, value, j) => total + read(weightHh, i, j) * value, 0),
          ),
        );
        const o =
          p.readout.bias.data[0]! + h.reduce((total, value, j) => total + read(p.readout.weight, 0, j) * value, 0);
        v = source === "own" ? o : truth.data[t]!;
        return o;
      });
    };
    expectClose(small.apply(p, x).outputs, f64(run("own"), [4, 1, 1]), TOLERANCES.float64);
    expectClose(small.apply(p, x, { targets: truth }).outputs, f64(run("truth"), [4, 1, 1]), TOLERANCES.float64);
  });

  test("fed its own outputs as the truth gives what it gives in free run: the source changes nothing else", () => {
    const free = layer.apply(params, xs);
    const forced = layer.apply(params, xs, { targets: free.outputs });
    expectSame(forced.outputs, free.outputs);
    expectSame(forced.carry, free.carry);
    expectSame(free.emitted as Tensor, free.outputs);
    expect(forced.emitted).toBeUndefined();
    expect(layer.apply(params, xs, { targets }).outputs.data).not.toEqual(free.outputs.data);
  });

  test.each([
    ["whole sequences", {}],
    ["ragged ones", { sequenceLengths: int32([6, 2, 0]) }],
    ["a mask with holes", { mask: int32([1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1], [TIME, BATCH]) }],
    ["restarts", { resetMask: int32([0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1], [TIME, BATCH]) }],
  ])(
    "over %s, coins that always or never fall on the truth are teacher forcing and free run, bit for bit",
    (_, masks) => {
      const key = randomKey(9);
      const carry = { cell: { h: numbers(7, [BATCH, 4]) }, fedBack: numbers(8, [BATCH, 3]) };
      const run = (options: object) => {
        const result = layer.apply(params, xs, { targets, carry, ...masks, ...options });
        return { outputs: result.outputs, carry: result.carry };
      };
      const gradient = (options: object) =>
        grad((p: typeof params) => sum(square(layer.apply(p, xs, { targets, carry, ...masks, ...options }).outputs)))(
          params,
        );
      expectSame(run({ teacherForcing: f64([1], []), key }), run({ teacherForcing: 1 }));
      expectSame(run({ teacherForcing: f64([0], []), key }), run({ teacherForcing: 0 }));
      expectClose(gradient({ teacherForcing: f64([1], []), key }), gradient({ teacherForcing: 1 }), TOLERANCES.float64);
      expectClose(gradient({ teacherForcing: f64([0], []), key }), gradient({ teacherForcing: 0 }), TOLERANCES.float64);
      expect(run({ teacherForcing: 0.5, key }).outputs.data).not.toEqual(run({ teacherForcing: 1 }).outputs.data);
    },
  );

  test("two chunks with the carry passed on equal one run, whatever is fed back", () => {
    for (const teacherForcing of [0, 1]) {
      const whole = layer.apply(params, xs, { targets, teacherForcing });
      const part = (from: number, to: number, carry?: typeof whole.carry) =>
        layer.apply(params, slice(xs, 0, from, to), {
          targets: slice(targets, 0, from, to),
          teacherForcing,
          ...(carry && { carry }),
        });
      const first = part(0, 2);
      const second = part(2, TIME, first.carry);
      expectSame(concatenate([first.outputs, second.outputs], 0), whole.outputs);
      expectSame(second.carry, whole.carry);
    }
  });

  test("gives a ragged batch what its sequences give alone, and 0 on padding, NaN there or not", () => {
    const lengths = [6, 2, 0];
    for (const teacherForcing of [0, 1]) {
      const spoilt = (x: Tensor) => {
        const data = Float64Array.from(x.data);
        data.fill(Number.NaN, 5 * BATCH * x.shape[2]! + x.shape[2]!, 5 * BATCH * x.shape[2]! + 2 * x.shape[2]!);
        return f64([...data], x.shape);
      };
      const together = layer.apply(params, spoilt(xs), {
        targets: spoilt(targets),
        teacherForcing,
        sequenceLengths: int32(lengths),
      });
      lengths.forEach((length, row) => {
        const own = (x: Tensor) => slice(slice(x, 1, row, row + 1), 0, 0, length);
        const alone = layer.apply(params, own(xs), { targets: own(targets), teacherForcing });
        expectSame(own(together.outputs), alone.outputs);
        expectSame(
          mapTensors((x) => slice(x, 0, row, row + 1), together.carry),
          alone.carry,
        );
      });
      expectSame(slice(slice(together.outputs, 1, 1, 3), 0, 2), zeros([4, 2, 3], "float64"));
    }
  });

  test("takes one input for all steps, or none", () => {
    const [input, length] = [numbers(3, [BATCH, 2]), TIME];
    expectSame(
      layer.apply(params, { length, input }).outputs,
      layer.apply(params, broadcastTo(input, [TIME, BATCH, 2])).outputs,
    );
    const alone = feedback({
      cell: elman({ inputSize: 3, hiddenSize: 4 }),
      readout: dense({ inputSize: 4, outputSize: 3 }),
    });
    const p = moved(alone.init(KEY, "float64"));
    expect(alone.inputSize).toBe(0);
    const free = alone.apply(p, { length, batchSize: 2 });
    const silent = make({ cell: elman({ inputSize: 5, hiddenSize: 4 }) });
    const { weightIh } = p.cell;
    const padded = { ...p, cell: { ...p.cell, weightIh: concatenate([numbers(4, [4, 2]), weightIh]) } };
    expectClose(
      free.outputs,
      silent.apply(padded as never, zeros([TIME, 2, 2], "float64")).outputs,
      TOLERANCES.float64,
    );
  });

  test.each([
    ["teacher forcing", { targets }],
    ["free run", {}],
    ["coins", { targets, teacherForcing: 0.5, key: randomKey(3) }],
  ])("has the gradients of finite differences in %s, with every form of input", (_, options) => {
    const none = feedback({
      cell: lstm({ inputSize: 3, hiddenSize: 4 }),
      readout: dense({ inputSize: 4, outputSize: 3 }),
    });
    const p = moved(none.init(KEY, "float64"));
    checkGradients((at, x) => layer.apply(at as typeof params, x as Tensor, options).outputs, [params, xs], {
      order: 1,
    });
    checkGradients(
      (at, input) => layer.apply(at as typeof params, { length: TIME, input: input as Tensor }, options).outputs,
      [params, numbers(3, [BATCH, 2])],
      { order: 1 },
    );
    checkGradients((at) => none.apply(at as typeof p, { length: TIME, batchSize: BATCH }, options).outputs, [p], {
      order: 1,
    });
  });

  test("with a cell without memory, strict teacher forcing has the sum of independent one-step gradients", () => {
    const jordan = feedback({ cell: memoryless(5, 4), readout: dense({ inputSize: 4, outputSize: 3 }) });
    const p = moved(jordan.init(KEY, "float64"));
    const loss = (at: typeof p, x: Tensor, truth: Tensor, fedBack: Tensor) => {
      const { outputs } = jordan.apply(at, x, { targets: truth, carry: { cell: [], fedBack } });
      return sum(square(subtract(outputs, truth)));
    };
    const nothing = zeros([BATCH, 3], "float64");
    const whole = grad((at: typeof p) => loss(at, xs, targets, nothing))(p);
    const steps = Array.from({ length: TIME }, (_, t) => {
      const own = (x: Tensor) => slice(x, 0, t, t + 1);
      const before = t === 0 ? nothing : at(targets, t - 1);
      return grad((point: typeof p) => loss(point, own(xs), own(targets), before))(p);
    });
    const total = steps.reduce((left, right) => mapTensors((a, b) => add(a, b as Tensor), left, right));
    expectClose(whole, total, TOLERANCES.float64);
  });

  test("stopFeedbackGradient feeds own output back as a constant", () => {
    const stopped = feedback({
      cell: memoryless(5, 4),
      readout: dense({ inputSize: 4, outputSize: 3 }),
      stopFeedbackGradient: true,
    });
    const flowing = feedback({ cell: memoryless(5, 4), readout: dense({ inputSize: 4, outputSize: 3 }) });
    const p = moved(stopped.init(KEY, "float64"));
    const { outputs } = stopped.apply(p, xs);
    expectSame(flowing.apply(p, xs).outputs, outputs);
    const loss = (run: typeof stopped, options = {}) =>
      grad((at: typeof p) => sum(square(subtract(run.apply(at, xs, options).outputs, targets))))(p);
    expectClose(loss(stopped), loss(stopped, { targets: outputs }), TOLERANCES.float64);
    expect(loss(flowing).cell.weight.data).not.toEqual(loss(stopped).cell.weight.data);
  });

  test("compiled with teacherForcing as an argument follows it without a new trace", () => {
    let traces = 0;
    const run = compile(
      (p: typeof params, teacherForcing: Tensor) => {
        traces += 1;
        return layer.apply(p, xs, { targets, teacherForcing, key: KEY }).outputs;
      },
      { kernels: referenceKernels },
    );
    for (const forcing of [0, 0.3, 1]) {
      expectClose(
        run(params, f64([forcing], [])),
        layer.apply(params, xs, { targets, teacherForcing: forcing, key: KEY }).outputs,
        TOLERANCES.float64,
      );
    }
    expect(traces).toBe(1);
  });

  test("compiled on the fastest kernels equals eager, with coins and drawn tokens", () => {
    const writer = feedback({
      cell: gru({ inputSize: 3, hiddenSize: 8 }),
      readout: dense({ inputSize: 8, outputSize: 3 }),
    });
    const p = writer.init(KEY);
    const tokens = int32([0, 1, 2, 2, 1, 0, 0, 0, 1, 1, 2, 2], [TIME, 2]);
    const run = (at: typeof p, key: Tensor) =>
      writer.apply(
        at,
        { length: TIME, batchSize: 2 },
        { targets: tokens, teacherForcing: 0.5, key, emit: emitSample(), sequenceLengths: int32([6, 4]) },
      );
    const compiled = compile(run);
    expectClose(compiled(p, KEY), run(p, KEY), TOLERANCES.float32);
    expect(compiled.kernels(p, KEY).name).not.toBe("reference");
  });

  test("feedBack goes on as if something had been emitted", () => {
    const [first, rest] = [slice(xs, 0, 0, 1), slice(xs, 0, 1)];
    const { carry } = layer.apply(params, first);
    const swapped = layer.feedBack(params, carry, at(targets, 0));
    const forced = layer.apply(params, first, { targets: slice(targets, 0, 0, 1) });
    expectSame(layer.apply(params, rest, { carry: swapped }), layer.apply(params, rest, { carry: forced.carry }));
    expect(() => layer.feedBack(params, carry, at(xs, 0))).toThrow("but float64[3,3] is fed back; set feedbackSize");
  });

  test("tosses a coin for each step, or for each sequence, with the probability it is given", () => {
    // What is fed back goes straight to the output: 1 for the truth, 0 for the own output.
    const show = (coin: "step" | "sequence") =>
      feedback({
        cell: {
          inputSize: 1,
          outputSize: 1,
          init: () => [],
          initialCarry: () => [],
          step: (_, carry, x) => [carry, x],
        },
        readout: { inputSize: 1, outputSize: 1, init: () => [], apply: (_, x) => x },
        emit: (output) => multiply(output, 0),
        coin,
      }).apply(
        { cell: [], readout: [] },
        { length: 51, batchSize: 200 },
        {
          targets: ones([51, 200, 1]),
          teacherForcing: 0.3,
          key: KEY,
        },
      ).outputs;
    const [steps, sequences] = [slice(show("step"), 0, 1), slice(show("sequence"), 0, 1)];
    expect(Math.abs(toNumber(sum(steps)) / 10000 - 0.3)).toBeLessThan(3 * Math.sqrt(0.21 / 10000));
    expect(Math.abs(toNumber(sum(sequences)) / 10000 - 0.3)).toBeLessThan(3 * Math.sqrt(0.21 / 200));
    expectSame(sequences, broadcastTo(at(sequences, 0), [50, 200, 1]));
    const rows = Array.from({ length: 200 }, (_, row) => toNumber(sum(slice(steps, 1, row, row + 1))));
    expect(Math.min(...rows)).toBeGreaterThan(0);
    expect(Math.max(...rows)).toBeLessThan(50);
  });

  test("its free run as a cell is its free run", () => {
    let carry = layer.initialCarry(BATCH, "float64");
    const outputs = Array.from({ length: TIME }, (_, t) => {
      const [next, output] = layer.freeRun.step(params, carry, at(xs, t));
      carry = next;
      return output.data;
    });
    const whole = layer.apply(params, xs);
    expect(outputs.flatMap((output) => Array.from(output))).toEqual(Array.from(whole.outputs.data));
    expectSame(carry, whole.carry);
  });
});

describe("feedback of tokens", () => {
  const [classes, size] = [5, 2];
  const table = embedding({ size: classes, outputSize: size });
  const readout = dense({ inputSize: 4, outputSize: classes });
  const hot = feedback({ cell: gru({ inputSize: classes, hiddenSize: 4 }), readout, emit: emitArgmax });
  const embedded = feedback({
    cell: gru({ inputSize: size, hiddenSize: 4 }),
    readout,
    emit: emitArgmax,
    embedding: table,
  });
  const [hotParams, params] = [moved(hot.init(KEY, "float64")), moved(embedded.init(KEY, "float64"))];
  const tokens = int32([0, 1, 2, 3, 4, 0, 1, 1, 2, 4, 3, 0], [4, 3]);
  const steps = { length: 4, batchSize: 3 };

  test("feeds back one-hot vectors, or rows of the embedding", () => {
    const vectors = f64(
      [...tokens.data].flatMap((token) => Array.from({ length: classes }, (_, k) => +(k === token))),
      [4, 3, classes],
    );
    expectSame(hot.apply(hotParams, steps, { targets: tokens }), hot.apply(hotParams, steps, { targets: vectors }));
    const rows = gather(params.embedding!.table, tokens);
    expectSame(embedded.apply(params, steps, { targets: tokens }), embedded.apply(params, steps, { targets: rows }));
    const free = embedded.apply(params, steps);
    expect(free.emitted).toMatchObject({ dtype: "int32", shape: [4, 3] });
    expectSame(embedded.apply(params, steps, { targets: free.emitted! }).outputs, free.outputs);
  });

  test("a token in the padding may be anything", () => {
    const odd = int32([...tokens.data.slice(0, 10), 99, -1], [4, 3]);
    const lengths = { sequenceLengths: int32([4, 3, 3]) };
    for (const [layer, p] of [[hot, hotParams] as const, [embedded, params] as const]) {
      const run = layer as typeof hot;
      expectSame(
        run.apply(p as never, steps, { targets: odd, ...lengths }),
        run.apply(p as never, steps, { targets: tokens, ...lengths }),
      );
    }
  });

  test("gradients reach the embedding by the truth and by what is emitted", () => {
    checkGradients((p) => embedded.apply(p as typeof params, steps, { targets: tokens }).outputs, [params], {
      order: 1,
    });
    checkGradients((p) => embedded.apply(p as typeof params, steps).outputs, [params], { order: 1 });
  });

  test("emits probabilities, which have gradients", () => {
    const soft = feedback({ cell: gru({ inputSize: classes, hiddenSize: 4 }), readout, emit: emitSoftmax });
    const { outputs, emitted } = soft.apply(hotParams, steps);
    expectSame(emitted as Tensor, softmax(outputs));
    checkGradients((p) => soft.apply(p as typeof hotParams, steps).outputs, [hotParams], { order: 1 });
  });

  test("sampling as cold as can be is the likeliest token", () => {
    const cold = embedded.apply(params, steps, { emit: emitSample({ temperature: 1e-9 }), key: KEY });
    expectSame(cold.emitted!, embedded.apply(params, steps).emitted!);
  });

  test("draws each token with its probability", () => {
    const logits = broadcastTo(f64([0.5, -1, 2, 0, -30]), [20000, 5]);
    const drawn = emitSample({ temperature: 2 })(logits, KEY).data;
    const weights = [0.5, -1, 2, 0, -30].map((z) => Math.exp(z / 2));
    const total = weights.reduce((left, right) => left + right);
    weights.forEach((weight, token) => {
      const p = weight / total;
      const share = drawn.filter((one) => one === token).length / 20000;
      expect(Math.abs(share - p)).toBeLessThanOrEqual(3.5 * Math.sqrt((p * (1 - p)) / 20000));
    });
  });

  test("draws other tokens at other steps and with other keys, and the same with the same", () => {
    const draw = (seed: number) =>
      embedded.apply(
        params,
        { length: 40, batchSize: 1 },
        { emit: emitSample({ temperature: 50 }), key: randomKey(seed) },
      ).emitted!.data;
    expect(new Set(draw(1)).size).toBe(classes);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  test("the probability of drawn sequences, by scoring them, is the product of the probabilities of their steps", () => {
    const { emitted, outputs } = embedded.apply(params, steps, { emit: emitSample(), key: randomKey(4) });
    const scored = embedded.apply(params, steps, { targets: emitted! }).outputs;
    const { total } = crossEntropy(scored, emitted!);
    let product = 1;
    emitted!.data.forEach((token, place) => {
      product *= Math.exp(logSoftmax(outputs).data[place * classes + token]!);
    });
    expect(toNumber(total)).toBeCloseTo(-Math.log(product), 10);
  });
});

describe("feedback refuses", () => {
  const readout: Dense = dense({ inputSize: 4, outputSize: 3 });
  test.each<[string, () => unknown, typeof OptionError | typeof ShapeError, string]>([
    [
      "a cell that takes too little",
      () => make({ cell: gru({ inputSize: 2, hiddenSize: 4 }) as never }),
      OptionError,
      "the cell takes 2 features, fewer than the 3 that are fed back",
    ],
    [
      "a readout of another width",
      () => make({ cell: gru({ inputSize: 5, hiddenSize: 6 }) as never }),
      OptionError,
      "the cell gives 6 features, but the readout takes 4",
    ],
    ["an unknown setting", () => make({ emission: emitOutput } as never), OptionError, 'there is no option "emission"'],
    [
      "an unknown coin",
      () => make({ coin: "token" as never }),
      OptionError,
      'coin must be "step" or "sequence", but is "token"',
    ],
    [
      "a size other than the embedding's",
      () =>
        feedback({
          cell: gru({ inputSize: 5, hiddenSize: 4 }),
          readout,
          embedding: embedding({ size: 3, outputSize: 2 }),
          feedbackSize: 5,
        }),
      OptionError,
      "feedbackSize is 5, but the embedding has 2 features",
    ],
    [
      "an unknown option",
      () => layer.apply(params, xs, { target: targets } as never),
      OptionError,
      'there is no option "target"',
    ],
    [
      "inputs of another width",
      () => layer.apply(params, targets),
      ShapeError,
      "needs float [time,batch,2], but was given float64[6,3,3]",
    ],
    [
      "one input of another width",
      () => layer.apply(params, { length: 2, input: zeros([3, 4]) }),
      ShapeError,
      "needs float [batch,2], but was given float32[3,4]",
    ],
    [
      "no inputs for a cell that takes some",
      () => layer.apply(params, { length: 2, batchSize: 3 }),
      ShapeError,
      "the cell takes 2 features of input at each step, but there are no inputs",
    ],
    [
      "targets of another shape",
      () => layer.apply(params, xs, { targets: xs }),
      ShapeError,
      "targets must be int32[6,3] or float [6,3,3], but are float64[6,3,2]",
    ],
    [
      "forcing without targets",
      () => layer.apply(params, xs, { teacherForcing: 1 }),
      OptionError,
      "needs the option targets",
    ],
    [
      "coins without a key",
      () => layer.apply(params, xs, { targets, teacherForcing: 0.5 }),
      OptionError,
      "needs the option key",
    ],
    [
      "a probability above 1",
      () => layer.apply(params, xs, { targets, teacherForcing: 1.5 }),
      OptionError,
      "teacherForcing must be a number at least 0 and at most 1, but is 1.5",
    ],
    [
      "a probability that is no scalar",
      () => layer.apply(params, xs, { targets, teacherForcing: xs }),
      OptionError,
      "teacherForcing must be a number or a float scalar",
    ],
    [
      "drawing without a key",
      () => layer.apply(params, xs, { emit: emitSample() }),
      OptionError,
      "drawing tokens needs the option key",
    ],
    [
      "an emission of another width",
      () => layer.apply(params, xs, { emit: (output) => slice(output, -1, 1) }),
      ShapeError,
      "what is emitted becomes float64[3,2], but float64[3,3] is fed back; set feedbackSize",
    ],
    [
      "a temperature of 0",
      () => emitSample({ temperature: 0 }),
      OptionError,
      "temperature must be a number greater than 0, but is 0",
    ],
  ])("%s", (_, make, kind, message) => {
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });
});
