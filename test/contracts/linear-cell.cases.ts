/** What every linear cell must do: all steps at once equal one step after the other. */

import { describe, expect, test } from "vitest";
import {
  type LinearCarry,
  type LinearCell,
  linearRecurrent,
  type RecurrentLayer,
  type RecurrentOptions,
  type RecurrentReturn,
  recurrent,
} from "../../src/nn/index.js";
import { findKernels, KERNEL_NAMES } from "../../src/node/kernels.js";
import { add, concatenate, randomKey, sin, slice, square, sum } from "../../src/ops/index.js";
import { compile } from "../../src/runtime/index.js";
import { type FloatDType, mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../../src/tensor/index.js";
import { valueAndGrad } from "../../src/transforms/index.js";
import { expectClose, int32, numbers } from "../close.js";
import { TOLERANCES } from "../tolerances.js";

/** A linear cell of 3 inputs. */
export interface LinearCellCase<Params extends TensorTree, Carry extends LinearCarry> {
  readonly name: string;
  readonly cell: LinearCell<Params, Carry>;
}

const [TIME, BATCH, INPUTS] = [9, 4, 3];
/** Gradients in float32 are sums over steps and batch, whose terms cancel. */
const FLOAT32_GRADIENT = 1e-5;

/** 1 at some places of `[time, batch]`, the same in every run. */
const marks = (from: number, every: number): Tensor =>
  int32(
    Array.from({ length: TIME * BATCH }, (_, k) => (k % every === from ? 1 : 0)),
    [TIME, BATCH],
  );

const BATCHES: Readonly<Record<string, RecurrentOptions<never>>> = {
  "a plain batch": {},
  "ragged sequences": { sequenceLengths: int32([9, 0, 1, 6]) },
  restarts: { resetMask: marks(2, 7) },
  "holes and restarts, also inside the holes": { mask: marks(1, 2), resetMask: marks(3, 5) },
};

export function runLinearCellCases<Params extends TensorTree, Carry extends LinearCarry>({
  name,
  cell,
}: LinearCellCase<Params, Carry>): void {
  const given = (dtype: FloatDType) => {
    const params = cell.init(randomKey(1), dtype);
    const carry = mapTensors(({ shape }) => numbers(2, shape, dtype), cell.initialCarry(BATCH, dtype));
    return { params, carry, xs: numbers(3, [TIME, BATCH, INPUTS], dtype) };
  };
  type Given = ReturnType<typeof given>;

  /** Everything that a layer gives, and the gradients of a loss that reads all of it. */
  const learn = (
    layer: RecurrentLayer<Params, Carry>,
    at: Given,
    options: RecurrentOptions<never>,
    wanted: RecurrentReturn,
  ) => {
    const loss = (point: Given): readonly [Tensor, TensorTree] => {
      const { carry, ...rest } = layer.apply(point.params, point.xs, {
        ...options,
        carry: point.carry,
        return: wanted,
      });
      const parts = tensorsByPath({ carry, ...rest }).map(([, leaf]) => add(sum(sin(leaf)), sum(square(leaf))));
      return [parts.reduce(add), { carry, ...rest } as TensorTree];
    };
    const { gradient, extra } = valueAndGrad(loss)(at);
    return { gradient, extra };
  };

  type Learned = ReturnType<typeof learn>;
  const expectLearned = (found: Learned, expected: Learned, dtype: FloatDType): void => {
    expectClose(found.extra, expected.extra, TOLERANCES[dtype]);
    expectClose(found.gradient, expected.gradient, dtype === "float32" ? FLOAT32_GRADIENT : TOLERANCES.float64);
  };

  describe(`${name} with all steps at once`, () => {
    for (const method of ["sequential", "associative"] as const) {
      for (const reverse of [false, true]) {
        test.each(Object.keys(BATCHES))(
          `equals one step after the other in all results and gradients (${method}, reverse: ${reverse}, %s)`,
          (batch) => {
            const [oneByOne, atOnce] = [recurrent(cell, { reverse }), linearRecurrent(cell, { method, reverse })];
            const compare = (wanted: RecurrentReturn, dtype: FloatDType): void => {
              const [expected, found] = [oneByOne, atOnce].map((layer) =>
                learn(layer, given(dtype), BATCHES[batch]!, wanted),
              );
              expectLearned(found!, expected!, dtype);
            };
            for (const wanted of ["sequence", "last", "states"] as const) compare(wanted, "float64");
            compare("sequence", "float32");
          },
        );
      }

      test(`equals itself in two chunks with the carry handed on (${method})`, () => {
        const layer = linearRecurrent(cell, { method });
        const { params, carry, xs } = given("float64");
        const whole = layer.apply(params, xs, { carry });
        const head = layer.apply(params, slice(xs, 0, 0, 5), { carry });
        const tail = layer.apply(params, slice(xs, 0, 5), { carry: head.carry });
        const joined = { outputs: concatenate([head.outputs, tail.outputs], 0), carry: tail.carry };
        expectClose(joined, { ...whole }, TOLERANCES.float64);
      });

      test.each([0, 1])(`takes %i steps (${method})`, (time) => {
        const { params, carry, xs } = given("float64");
        for (const wanted of ["sequence", "last", "states"] as const) {
          const [expected, found] = [recurrent(cell), linearRecurrent(cell, { method })].map((layer) =>
            layer.apply(params, slice(xs, 0, 0, time), { carry, return: wanted }),
          );
          expectClose({ ...found }, { ...expected }, TOLERANCES.float64);
        }
      });

      for (const kernelName of KERNEL_NAMES) {
        const found = findKernels(kernelName);
        if ("reason" in found) {
          test.skip(`on the ${kernelName} kernels: ${found.reason}`, () => {});
          continue;
        }
        test(`gives on the ${kernelName} kernels what one step after the other gives (${method})`, () => {
          const options = { sequenceLengths: int32([9, 0, 1, 6]), resetMask: marks(2, 7) };
          const layer = linearRecurrent(cell, { method });
          const run = compile((at: Given) => learn(layer, at, options, "sequence"), found);
          expect(run.kernels(given("float32"))).toBe(found.kernels);
          const expected = learn(recurrent(cell), given("float32"), options, "sequence");
          expectLearned(run(given("float32")), expected, "float32");
        });
      }
    }

    test("pays no attention to what stands in the padding, NaN included", () => {
      const { params, carry, xs } = given("float64");
      const options = { mask: marks(1, 2), carry };
      const spoilt = Float64Array.from(xs.data, (value, k) =>
        options.mask.data[Math.floor(k / INPUTS)] ? value : Number.NaN,
      );
      const layer = linearRecurrent(cell, { method: "associative" });
      const run = (sequence: Tensor) =>
        learn(layer, { params, carry, xs: sequence }, { mask: options.mask }, "sequence");
      const clean = run(xs);
      xs.data.set(spoilt);
      expectClose(run(xs), clean, TOLERANCES.exact);
    });

    test("names what it cannot read", () => {
      const layer = linearRecurrent(cell);
      const { params, xs } = given("float64");
      expect(() => layer.apply(params, slice(xs, 2, 1))).toThrow(
        "linearRecurrent: needs float [time,batch,3], but was given float64[9,4,2]",
      );
      expect(() => layer.apply(params, xs, { sequenceLengths: int32([1]) })).toThrow(
        "linearRecurrent: sequenceLengths must be int32[4], but is int32[1]",
      );
      expect(() => layer.apply(params, xs, { retrun: "last" } as object)).toThrow(
        'linearRecurrent: there is no option "retrun"',
      );
      expect(() => linearRecurrent(cell, { methd: "associative" } as object)).toThrow(
        'linearRecurrent: there is no option "methd"; the options are reverse, method',
      );
    });
  });
}
