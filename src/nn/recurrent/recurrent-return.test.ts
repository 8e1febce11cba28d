/** What a layer gives back: all outputs, the last one, or all carries; and classes of whole sequences. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { printPlan } from "../../compile/index.js";
import { add, at, concatenate, fill, multiply, randomKey, select, slice, sum, zeros } from "../../ops/index.js";
import { compile, type Kernels } from "../../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import { checkGradients } from "../../transforms/index.js";
import {
  averageLoss,
  bidirectional,
  crossEntropy,
  dense,
  elman,
  firstOverTime,
  gru,
  highway,
  lastOverTime,
  lstm,
  meanOverTime,
  type RecurrentLayer,
  recurrent,
  residual,
  stacked,
} from "../index.js";

type AnyLayer = RecurrentLayer<TensorTree, TensorTree>;

const square = (hiddenSize: number) => recurrent(gru({ inputSize: hiddenSize, hiddenSize }));

/** Layers with 3 features in. */
const LAYERS = {
  lstm: recurrent(lstm({ inputSize: 3, hiddenSize: 4 })),
  "gru in reverse": recurrent(gru({ inputSize: 3, hiddenSize: 4 }), { reverse: true }),
  "bidirectional elman": bidirectional(elman({ inputSize: 3, hiddenSize: 2 }), elman({ inputSize: 3, hiddenSize: 3 })),
  "stacked bidirectional gru": stacked([
    bidirectional(gru({ inputSize: 3, hiddenSize: 2 })),
    bidirectional(gru({ inputSize: 4, hiddenSize: 3 })),
  ]),
  residual: residual(square(3)),
  "residual in reverse": residual(recurrent(gru({ inputSize: 3, hiddenSize: 3 }), { reverse: true })),
  highway: highway(square(3)),
} as unknown as Record<string, AnyLayer>;

const LENGTHS = [3, 7, 5];
const xs = numbers(1, [7, 3, 3]);
const row = (x: Tensor, index: number): Tensor => slice(x, 1, index, index + 1);
const sequences = LENGTHS.map((length, index) => slice(row(xs, index), 0, 0, length));

describe.each(Object.entries(LAYERS))("%s", (_, layer) => {
  const params = layer.init(randomKey(1), "float64");
  const readout = dense({ inputSize: layer.outputSize, outputSize: 2 });
  const weights = readout.init(randomKey(2), "float64");
  const sequenceLengths = int32(LENGTHS);
  const eachAlone = (classOf: (x: Tensor) => Tensor): Tensor => concatenate(sequences.map(classOf), 0);

  test("classifies by the last output: a padded batch gives what its sequences give alone", () => {
    const last = (x: Tensor, options: object) => layer.apply(params, x, { ...options, return: "last" });
    const together = last(xs, { sequenceLengths });
    const alone = eachAlone((x) => readout.apply(weights, last(x, {}).outputs));
    expectClose(readout.apply(weights, together.outputs), alone, TOLERANCES.float64);
    expectClose(together.carry, layer.apply(params, xs, { sequenceLengths }).carry, TOLERANCES.float64);
  });

  test("classifies by the mean of all outputs: a padded batch gives what its sequences give alone", () => {
    const { outputs } = layer.apply(params, xs, { sequenceLengths });
    const together = readout.apply(weights, meanOverTime(outputs, { sequenceLengths }));
    const alone = eachAlone((x) => readout.apply(weights, meanOverTime(layer.apply(params, x).outputs)));
    expectClose(together, alone, TOLERANCES.float64);
  });

  test("labels every step: the masked loss is that of all sequences, each alone", () => {
    const targets = int32(
      Array.from({ length: 21 }, (_unused, k) => k % 2),
      [7, 3],
    );
    const mask = int32(
      Array.from({ length: 21 }, (_unused, k) => (Math.floor(k / 3) < LENGTHS[k % 3]! ? 1 : 0)),
      [7, 3],
    );
    const scores = readout.apply(weights, layer.apply(params, xs, { mask }).outputs);
    const together = averageLoss(crossEntropy(scores, targets, mask));
    const totals = sequences.map((x, index) => {
      const own = slice(row(targets, index), 0, 0, LENGTHS[index]);
      return crossEntropy(readout.apply(weights, layer.apply(params, x).outputs), own).total;
    });
    const total = totals.reduce((before, one) => add(before, one));
    expectClose(together, multiply(total, 1 / (3 + 7 + 5)), TOLERANCES.float64);
  });

  test("takes the last output of all outputs, with holes in the mask; zeros where nothing is real", () => {
    const mask = int32([0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], [5, 3]);
    const given = numbers(3, [5, 3, 3]);
    const { outputs } = layer.apply(params, given, { mask });
    const last = layer.apply(params, given, { mask, return: "last" });
    expectSame(last.outputs, (layer.lastOf ?? lastOverTime)(outputs, { mask }));
    expect(at(last.outputs, 1).data.every((value) => value === 0)).toBe(true);
    expect(at(last.outputs, 0).data.every((value) => value !== 0)).toBe(true);
    const dirty = select(
      int32(
        Array.from(mask.data).flatMap((real) => [real, real, real]),
        [5, 3, 3],
      ),
      given,
      Number.NaN,
    );
    expectSame(layer.apply(params, dirty, { mask, return: "last" }), last);
  });

  test("gives the carry after each step", () => {
    const { outputs, carry, states } = layer.apply(params, xs, { return: "states" });
    expectSame({ outputs, carry }, layer.apply(params, xs));
    const lastOf = (path: TensorTree, index: number) => mapTensors((all) => at(all, index), path);
    const isForward = layer === LAYERS.lstm || layer === LAYERS.residual || layer === LAYERS.highway;
    if (isForward) {
      for (const time of [1, 4]) {
        expectClose(lastOf(states, time - 1), layer.apply(params, slice(xs, 0, 0, time)).carry, TOLERANCES.float64);
      }
    }
    if (layer === LAYERS["gru in reverse"]) expectSame(lastOf(states, 0), carry);
  });

  test("has gradients of the last output that agree with differences", () => {
    const given = numbers(3, [3, 2, 3]);
    const options = { sequenceLengths: int32([2, 3]), return: "last" } as const;
    const { maxError } = checkGradients((p, x) => layer.apply(p, x, options).outputs, [params, given]);
    expect(maxError).toBeLessThan(TOLERANCES.gradient);
  });

  test("gives zeros for no steps", () => {
    const { outputs, carry } = layer.apply(params, zeros([0, 2, 3], "float64"), { return: "last" });
    expectSame(outputs, zeros([2, layer.outputSize], "float64"));
    expectSame(carry, layer.initialCarry(2, "float64"));
  });
});

describe("the carries of padded steps", () => {
  test("are zeros among the states", () => {
    const layer = recurrent(lstm({ inputSize: 3, hiddenSize: 4 }));
    const params = layer.init(randomKey(1), "float64");
    const { states } = layer.apply(params, xs, { sequenceLengths: int32(LENGTHS), return: "states" });
    expect(slice(row(states.c, 0), 0, 3).data.every((value) => value === 0)).toBe(true);
    expect(at(row(states.c, 0), 2).data.every((value) => value !== 0)).toBe(true);
  });
});

describe("the last output", () => {
  test("is that of the last sequence of a row with restarts", () => {
    const layer = recurrent(lstm({ inputSize: 3, hiddenSize: 4 }));
    const params = layer.init(randomKey(1), "float64");
    const resetMask = int32([0, 0, 1, 0, 0, 0, 0], [7, 1]);
    const { outputs } = layer.apply(params, row(xs, 1), { resetMask, return: "last" });
    const alone = layer.apply(params, slice(row(xs, 1), 0, 2), { return: "last" });
    expectClose(outputs, alone.outputs, TOLERANCES.float64);
  });

  test("is all that the loop keeps of the outputs", () => {
    const kernels: Kernels = {
      name: "none",
      target: { panel: 16, width: 8 },
      supports: () => true,
      prepare: () => ({ run() {} }),
    };
    const layer = recurrent(elman({ inputSize: 3, hiddenSize: 4 }));
    const planOf = (wanted: "sequence" | "last") =>
      printPlan(
        compile((p: ReturnType<typeof layer.init>, x: Tensor) => layer.apply(p, x, { return: wanted }).outputs, {
          kernels,
        }).plan(layer.init(randomKey(1)), zeros([6, 2, 3])),
      );
    const loopOf = (plan: string): string => /^loop[\s\S]*?^}/m.exec(plan)![0];
    expect(loopOf(planOf("sequence"))).toMatch(/output0\[t\] float32\[2,4\] =/);
    expect(loopOf(planOf("last"))).not.toMatch(/\[t\] float32\[2,4\] =/);
  });

  test("is asked for by its name", () => {
    const layer = recurrent(elman({ inputSize: 3, hiddenSize: 4 }));
    const wrong: object = { return: "all" };
    expect(() => layer.apply(layer.init(randomKey(1)), zeros([2, 1, 3]), wrong)).toThrow(
      'recurrent: return must be one of sequence, last, states, but is "all"',
    );
  });
});

describe("over time", () => {
  const x = numbers(5, [4, 2, 2]);
  const mask = int32([1, 0, 0, 0, 1, 0, 0, 0], [4, 2]);

  test("the mean counts real steps only, and is 0 without any", () => {
    const mean = meanOverTime(x, { mask });
    expectClose(at(mean, 0), multiply(add(at(at(x, 0), 0), at(at(x, 2), 0)), 0.5), TOLERANCES.float64);
    expectSame(at(mean, 1), zeros([2], "float64"));
    expectClose(meanOverTime(x), multiply(sum(x, { axes: 0 }), 0.25), TOLERANCES.float64);
    expectSame(meanOverTime(zeros([0, 2, 2])), zeros([2, 2]));
  });

  test("first and last are the ends of what is real", () => {
    expectSame(at(lastOverTime(x, { mask }), 0), at(at(x, 2), 0));
    expectSame(at(firstOverTime(x, { mask }), 0), at(at(x, 0), 0));
    expectSame(lastOverTime(x), at(x, -1));
    expectSame(firstOverTime(x), at(x, 0));
    expectSame(at(lastOverTime(x, { sequenceLengths: int32([0, 3]) }), 1), at(at(x, 2), 1));
    expectSame(lastOverTime(zeros([0, 2, 2])), zeros([2, 2]));
  });

  test("say what is wrong", () => {
    expect(() => meanOverTime(zeros([3, 2]))).toThrow("meanOverTime: needs float [time,batch,features]");
    expect(() => lastOverTime(x, { mask: fill([4, 3], 1, "int32") })).toThrow(
      "lastOverTime: the mask must be int32[4,2], but is int32[4,3]",
    );
  });
});
