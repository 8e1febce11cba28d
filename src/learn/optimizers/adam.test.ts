import { describe, expect, test } from "vitest";
import { expectClose, f64, numbers } from "../../../test/close.js";
import { runOptimizerCases } from "../../../test/contracts/optimizer.cases.js";
import { type AdamOptions, adam, adamW } from "../index.js";

const unknown = { weightDecay: 0.1 } as AdamOptions;

runOptimizerCases({
  name: "adam",
  make: (learningRate) => adam({ learningRate }),
  golden: { adam: adam() },
  refused: [
    [
      () => adam(unknown),
      'adam: there is no option "weightDecay"; the options are learningRate, beta1, beta2, epsilon',
    ],
    [() => adam({ beta1: 1 }), "adam: beta1 must be a number at least 0 and less than 1, but is 1"],
    [() => adam({ beta2: -0.1 }), "adam: beta2 must be"],
    [() => adam({ epsilon: 0 }), "adam: epsilon must be"],
  ],
});

runOptimizerCases({
  name: "adamW",
  make: (learningRate) => adamW({ learningRate }),
  golden: { adamW: adamW({ learningRate: 0.01 }) },
  refused: [
    [() => adamW({ weightDecay: -1 }), "adamW: weightDecay must be a number at least 0, but is -1"],
    [() => adamW({ beta1: 2 }), "adamW: beta1 must be"],
  ],
});

describe("adamW", () => {
  test("is adam with each weight first multiplied by 1 - ηλ, apart from the gradient", () => {
    const [params, gradient] = [numbers(1, [4]), numbers(2, [4])];
    const [plain, decayed] = [adam({ learningRate: 0.1 }), adamW({ learningRate: 0.1, weightDecay: 0.5 })];
    const without = plain.update(params, gradient, plain.init(params));
    const withDecay = decayed.update(params, gradient, decayed.init(params));
    const taken = Array.from(params.data, (weight) => 0.1 * 0.5 * weight);
    expectClose(withDecay.params, f64(Array.from(without.params.data, (weight, k) => weight - taken[k]!)), 1e-14);
    expectClose(withDecay.state, without.state, 0);
  });

  test("without decay is adam", () => {
    const params = numbers(1, [4]);
    const [plain, decayed] = [adam(), adamW({ weightDecay: 0 })];
    const result = (optimizer: typeof plain) => optimizer.update(params, params, optimizer.init(params)).params;
    expectClose(result(decayed), result(plain), 0);
  });
});

describe("adam", () => {
  test("takes a first step of the learning rate against the sign of the gradient", () => {
    const start = f64([0, 0, 0]);
    const { params } = adam({ learningRate: 0.01 }).update(start, f64([1e-2, -1, 1e3]), adam().init(start));
    [-0.01, 0.01, -0.01].forEach((step, k) => {
      expect(params.data[k]).toBeCloseTo(step, 7);
    });
  });
});
