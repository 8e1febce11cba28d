import { describe, expect, test } from "vitest";
import { f64, numbers } from "../../../test/close.js";
import { toyParams, toyProblem, toyWindow } from "../../../test/toy-problem.js";
import { linear, sumLosses } from "../../nn/index.js";
import { add, cast, matmul, multiply, reshape, square, sum, zeros } from "../../ops/index.js";
import { scan } from "../../scan/index.js";
import { mapTensors, type Tensor } from "../../tensor/index.js";
import { vjp } from "../../transforms/index.js";
import type { SequenceProblem } from "../index.js";
import { gradientFlow, lyapunovExponent, spectralRadius } from "../index.js";

/** h_t = W h_{t-1} + x_t; the loss is that of the last step alone, Σ h². */
const linearProblem = (size: number): SequenceProblem<{ w: Tensor }, Tensor, { xs: Tensor; weight: Tensor }> => ({
  initialCarry: ({ xs }) => zeros([xs.shape[1] as number, size], "float64"),
  loss: ({ w }, carry, { xs, weight }) => {
    const [last, states] = scan(
      (h: Tensor, x: Tensor) => {
        const next = add(linear(h, w), x);
        return [next, next];
      },
      carry,
      xs,
    );
    return { loss: sumLosses(multiply(sum(square(states), { axes: -1 }), weight)), carry: last };
  },
});

const SIZE = 3;
const w = numbers(4, [SIZE, SIZE]);
const batch = {
  xs: numbers(1, [6, 2, SIZE]),
  weight: f64([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1], [6, 2]),
};

describe("gradientFlow", () => {
  test("of a linear network: the Jacobian between steps is a power of its weights", () => {
    const flow = gradientFlow(linearProblem(SIZE), { w }, batch, { sequence: 1 });
    let power: Tensor = f64([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3]);
    for (let span = 0; span <= 4; span++) {
      // ‖A‖² is the largest eigenvalue of AᵀA.
      const norm = Math.sqrt(spectralRadius(matmul(power, power, { transposeA: true })));
      expect(flow.jacobianNorm(1, 1 + span)).toBeCloseTo(norm, 10);
      power = matmul(w, power);
    }
    expect(flow.steps).toBe(6);
    expect(() => flow.jacobianNorm(3, 7)).toThrow("gradientFlow: there is no step 7; the sequence has 6");
    expect(() => flow.jacobianNorm(3, 2)).toThrow("gradientFlow: to must be a whole number of at least 3, but is 2");
  });

  test("the gradient norms are those of the derivative of the loss by each carry", () => {
    const problem = toyProblem();
    const params = toyParams();
    const window = toyWindow(0, 5);
    const flow = gradientFlow(problem, params, window);
    for (let t = 0; t < 5; t++) {
      // From the carry before step t on, a problem of its own; the second sequence has a loss of its own too.
      const before =
        t === 0
          ? problem.initialCarry(window)
          : problem.loss(params, problem.initialCarry(window), toyWindow(0, t)).carry;
      const { pullback } = vjp(
        (carry: typeof before) => problem.loss(params, carry, toyWindow(t, 5)).loss.total,
        before,
      );
      const [gradient] = pullback(f64([1], []));
      expect(flow.gradientNorms[t]).toBeCloseTo(Math.hypot(...gradient.h.data.subarray(0, 4)), 12);
    }
  });

  test("the Lyapunov exponent of a linear network is the logarithm of its spectral radius", () => {
    const rotation = f64(
      [0.6, -0.8, 0.8, 0.6].map((value) => 0.9 * value),
      [2, 2],
    );
    const long = {
      xs: numbers(1, [400, 1, 2]),
      weight: mapTensors((x) => multiply(reshape(sum(x, { axes: -1 }), [400, 1]), 0), numbers(1, [400, 1, 2])),
    };
    expect(lyapunovExponent(linearProblem(2), { w: rotation }, long)).toBeCloseTo(Math.log(0.9), 3);
    expect(spectralRadius(rotation)).toBeCloseTo(0.9, 12);
    expect(lyapunovExponent(linearProblem(2), { w: multiply(rotation, 0) }, long)).toBe(Number.NEGATIVE_INFINITY);
  });

  test("the norms of all pairs at once are those of the pairs, within some percent and never above", () => {
    const flow = gradientFlow(toyProblem(), toyParams(), toyWindow(0, 5));
    const norms = flow.jacobianNorms();
    expect(norms.map((row) => row.length)).toEqual([1, 2, 3, 4, 5, 6]);
    norms.forEach((row, to) => {
      row.forEach((norm, from) => {
        const part = norm / flow.jacobianNorm(from, to);
        expect(part).toBeGreaterThan(0.95);
        expect(part).toBeLessThan(1 + 1e-9);
      });
    });
  });

  test("of all pairs at once also where products are tiny", () => {
    const shrinking = { w: multiply(f64([0, -1, 1, 0], [2, 2]), 1e-15) };
    const xs = { xs: numbers(1, [20, 1, 2]), weight: numbers(2, [20, 1]) };
    const norms = gradientFlow(linearProblem(2), shrinking, xs).jacobianNorms();
    for (const [to, from] of [
      [1, 0],
      [20, 0],
      [20, 15],
    ] as const) {
      expect(Math.log10(norms[to]![from]!)).toBeCloseTo(-15 * (to - from), 6);
    }
  });

  test("the loss gradients of single steps are those of problems with just their loss", () => {
    const flow = gradientFlow(linearProblem(SIZE), { w }, { ...batch, weight: numbers(3, [6, 2]) });
    const norms = flow.lossGradientNorms();
    expect(norms.map((row) => row.length)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const to of [1, 4, 6]) {
      const own = numbers(3, [6, 2]).data.map((value, place) => (Math.floor(place / 2) === to - 1 ? value : 0));
      const alone = gradientFlow(linearProblem(SIZE), { w }, { ...batch, weight: f64([...own], [6, 2]) });
      norms[to]!.forEach((norm, from) => {
        expect(norm).toBeCloseTo(alone.gradientNorms[from]!, 10);
      });
    }
  });

  test("says when there is no such sequence", () => {
    expect(() => gradientFlow(linearProblem(SIZE), { w }, batch, { sequence: 2 })).toThrow(
      "gradientFlow: there is no sequence 2; the batch has 2",
    );
  });
});

describe("spectralRadius", () => {
  test.each([
    ["a diagonal", [3, 0, 0, 0, -5, 0, 0, 0, 1], 5],
    ["a nilpotent matrix", [0, 1, 0, 0, 0, 1, 0, 0, 0], 0],
    ["a complex pair", [0, -2, 0, 2, 0, 0, 0, 0, 0.1], 2],
    ["a defective matrix", [0.5, 1, 0, 0, 0.5, 1, 0, 0, 0.5], 0.5],
    ["tiny numbers", [1e-200, 0, 0, 0, 3e-200, 0, 0, 0, 0], 3e-200],
  ])("of %s", (_, values, radius) => {
    expect(Math.abs(spectralRadius(f64(values, [3, 3])) - radius)).toBeLessThanOrEqual(1e-9 * Math.max(radius, 1e-300));
  });

  test("in float32 is that of float64 to six digits", () => {
    const weights = numbers(7, [12, 12]);
    expect(spectralRadius(cast(weights, "float32")) / spectralRadius(weights)).toBeCloseTo(1, 6);
  });

  test("needs a square matrix", () => {
    expect(() => spectralRadius(numbers(1, [2, 3]))).toThrow("needs a square matrix [n,n], but was given float64[2,3]");
  });
});
