/** Losses: golden values, their gradients, masks, and their meaning as probabilities. */

import { describe, expect, test } from "vitest";
import { expectClose, f64, int32, numbers } from "../../test/close.js";
import { goldenTensors, readGolden } from "../../test/golden.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { DTypeError, ShapeError } from "../core/index.js";
import { multiply, oneHot, sign, subtract, sum, zeros } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import { type Tensor, toNumber } from "../tensor/index.js";
import { checkGradients, valueAndGrad } from "../transforms/index.js";
import { averageLoss, crossEntropy, type LossSum, meanSquaredError, softmax, sumLosses } from "./index.js";

type LossFunction = (predictions: Tensor, targets: Tensor, mask?: Tensor) => LossSum;

const integers = (value: unknown): Tensor => {
  const { data, shape } = goldenTensors(value, "float64") as Tensor;
  return int32(Array.from(data), shape);
};

describe.each([
  ["crossEntropy", crossEntropy as LossFunction, "logits", "targets"],
  ["meanSquaredError", meanSquaredError as LossFunction, "prediction", "target"],
])("%s", (name, loss, inputName, targetName) => {
  const golden = readGolden("losses")[name] as Record<string, unknown>;
  const input = goldenTensors(golden[inputName], "float64") as Tensor;
  const targets =
    name === "crossEntropy" ? integers(golden[targetName]) : (goldenTensors(golden[targetName], "float64") as Tensor);
  const mask = integers(golden.mask);
  const lossAndGradient = (at: Tensor, goals: Tensor, real: Tensor) => ({
    ...valueAndGrad((x: Tensor): readonly [Tensor, LossSum] => {
      const sums = loss(x, goals, real);
      return [averageLoss(sums), sums];
    })(at),
  });

  test("equals the golden values of PyTorch, value and gradient, eager and compiled", () => {
    const expected = {
      value: f64([golden.maskedMean as number], []),
      gradient: goldenTensors(golden.grad, "float64"),
      extra: {
        total: f64([golden.maskedSum as number], []),
        count: sum(goldenTensors(golden.mask, "float64") as Tensor),
      },
    };
    expectClose(lossAndGradient(input, targets, mask), expected, TOLERANCES.float64);
    expectClose(compile(lossAndGradient)(input, targets, mask), expected, TOLERANCES.float64);
  });

  test("adds up all tokens without a mask", () => {
    const { total, count } = loss(input, targets);
    expectClose(total, sum(goldenTensors(golden.perToken, "float64") as Tensor), TOLERANCES.float64);
    expect([toNumber(count), count.dtype]).toEqual([12, "float64"]);
  });

  test("is 0 with a gradient of 0 where all is masked", () => {
    const { value, gradient } = lossAndGradient(input, targets, zeros(mask.shape, "int32"));
    expect(toNumber(value)).toBe(0);
    expect(Array.from(gradient.data).every((g) => Math.abs(g) === 0)).toBe(true);
  });

  test("adds up exactly over parts of a batch", () => {
    const single = (b: number, x: Tensor): Tensor => {
      const [time, batch, ...rest] = x.shape as [number, number, ...number[]];
      const width = rest.reduce((size, length) => size * length, 1);
      const kept = Array.from(x.data).filter((_, k) => Math.floor(k / width) % batch === b);
      return x.dtype === "int32" ? int32(kept, [time, 1, ...rest]) : f64(kept, [time, 1, ...rest]);
    };
    const parts = [0, 1, 2].map((b) => loss(single(b, input), single(b, targets), single(b, mask)));
    const whole = loss(input, targets, mask);
    for (const key of ["total", "count"] as const) {
      const added = parts.reduce((total, part) => total + toNumber(part[key]), 0);
      expectClose(whole[key], f64([added], []), TOLERANCES.float64);
    }
  });

  test("has gradients of first and second order that agree with differences", () => {
    const { maxError } = checkGradients((x: Tensor) => averageLoss(loss(x, targets, mask)), [input]);
    expect(maxError).toBeLessThan(TOLERANCES.gradient);
  });

  test("refuses a mask of another shape or type", () => {
    expect(() => loss(input, targets, zeros([4, 2], "int32"))).toThrow(ShapeError);
    expect(() => loss(input, targets, zeros([4, 2], "int32"))).toThrow(
      "loss: the mask must be int32[4,3], but is int32[4,2]",
    );
    expect(() => loss(input, targets, zeros([4, 3]))).toThrow("loss: the mask must be int32[4,3], but is float32[4,3]");
  });
});

describe("crossEntropy", () => {
  test("has the gradient softmax(logits) - onehot(targets)", () => {
    const [logits, targets] = [numbers(1, [3, 2, 5]), int32([0, 4, 2, 2, 1, 3], [3, 2])];
    const { gradient } = valueAndGrad((z: Tensor) => crossEntropy(z, targets).total)(logits);
    expectClose(gradient, subtract(softmax(logits), oneHot(targets, 5, "float64")), TOLERANCES.float64);
  });

  test("of a sequence is minus the logarithm of the product of the step probabilities", () => {
    const [logits, targets] = [numbers(1, [6, 1, 4]), [3, 0, 2, 1, 1, 0]];
    const probabilities = softmax(logits).data;
    const product = targets.reduce((p, target, t) => p * probabilities[4 * t + target]!, 1);
    const { total } = crossEntropy(logits, int32(targets, [6, 1]));
    expectClose(total, f64([-Math.log(product)], []), TOLERANCES.float64);
  });

  test.each(["float32", "float64"] as const)("is finite for logits of 10000 in %s, with its gradient", (dtype) => {
    const logits = numbers(1, [2, 4], dtype);
    const point = multiply(sign(logits), 1e4);
    const { value, gradient } = valueAndGrad((z: Tensor) => crossEntropy(z, int32([0, 3])).total)(point);
    expect(Number.isFinite(toNumber(value))).toBe(true);
    expect(Array.from(gradient.data).every((g) => Math.abs(g) <= 1)).toBe(true);
  });

  test("of equal logits is the logarithm of the number of classes", () => {
    expect(toNumber(crossEntropy(zeros([1, 7], "float64"), int32([3])).total)).toBeCloseTo(Math.log(7), 12);
  });

  test("does not look at the targets of padding", () => {
    const [logits, mask] = [numbers(1, [3, 4]), int32([1, 0, 1])];
    const expected = crossEntropy(logits, int32([1, 0, 3]), mask);
    for (const odd of [-1, 4, 1000]) {
      const targets = int32([1, odd, 3]);
      expectClose(crossEntropy(logits, targets, mask), expected, 0);
      expectClose(
        compile((z: Tensor, t: Tensor, m: Tensor) => crossEntropy(z, t, m))(logits, targets, mask),
        expected,
        0,
      );
    }
  });

  test("refuses targets that are no class, instead of reading the logits of another step", () => {
    for (const odd of [-1, 4]) {
      const targets = int32([1, odd, 3]);
      expect(() => crossEntropy(numbers(1, [3, 4]), targets)).toThrow(
        `crossEntropy: there is no class ${odd}; the logits have 4 classes`,
      );
      expect(() => compile((z: Tensor, t: Tensor) => crossEntropy(z, t))(numbers(1, [3, 4]), targets)).toThrow(
        `there is no row ${odd}; the table has 4 rows`,
      );
    }
  });

  test("refuses targets of another type or shape", () => {
    expect(() => crossEntropy(zeros([3, 4]), zeros([3]))).toThrow(DTypeError);
    expect(() => crossEntropy(zeros([3, 4]), zeros([3]))).toThrow(
      "crossEntropy: targets must be int32, but are float32[3]",
    );
    expect(() => crossEntropy(zeros([3, 4]), int32([1, 1]))).toThrow(
      "crossEntropy: logits float32[3,4] need targets [3], not [2]",
    );
  });
});

describe("meanSquaredError", () => {
  test("is the mean over features, added up over steps", () => {
    const { total, count } = meanSquaredError(f64([1, 2, 3, 4], [2, 2]), f64([0, 0, 0, 0], [2, 2]));
    expect([toNumber(total), toNumber(count)]).toEqual([2.5 + 12.5, 2]);
  });

  test("refuses targets of another type or shape", () => {
    expect(() => meanSquaredError(zeros([3, 4]), zeros([3, 1]))).toThrow(
      "meanSquaredError: predictions are float32[3,4], but targets are float32[3,1]",
    );
  });
});

describe("sumLosses and averageLoss", () => {
  test("add up where the mask is 1, NaN elsewhere included", () => {
    const sums = sumLosses(f64([1, Number.NaN, 3]), int32([1, 0, 1]));
    expect([toNumber(sums.total), toNumber(sums.count), toNumber(averageLoss(sums))]).toEqual([4, 2, 2]);
  });

  test("give 0 for no steps at all", () => {
    expect(toNumber(averageLoss(sumLosses(zeros([0, 3]))))).toBe(0);
  });
});
