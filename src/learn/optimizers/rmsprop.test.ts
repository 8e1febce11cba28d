import { describe, expect, test } from "vitest";
import { f64 } from "../../../test/close.js";
import { runOptimizerCases } from "../../../test/contracts/optimizer.cases.js";
import { type RmspropOptions, rmsprop } from "../index.js";

const unknown = { learningRate: 0.1, alpha: 0.9 } as RmspropOptions;

runOptimizerCases({
  name: "rmsprop",
  make: (learningRate) => rmsprop({ learningRate }),
  golden: {
    rmsprop: rmsprop({ learningRate: 0.01 }),
    rmspropMomentum: rmsprop({ learningRate: 0.01, decay: 0.99, epsilon: 1e-8, momentum: 0.9 }),
  },
  refused: [
    [() => rmsprop(unknown), 'rmsprop: there is no option "alpha"; the options are learningRate, decay'],
    [() => rmsprop({ learningRate: 0.1, decay: 1 }), "rmsprop: decay must be"],
    [() => rmsprop({ learningRate: 0.1, momentum: -0.1 }), "rmsprop: momentum must be"],
    [() => rmsprop({ learningRate: 0.1, epsilon: 0 }), "rmsprop: epsilon must be a number greater than 0, but is 0"],
  ],
});

describe("rmsprop", () => {
  test("takes a first step of η / √(1-ρ) whatever the size of the gradient", () => {
    const optimizer = rmsprop({ learningRate: 0.01, decay: 0.96 });
    const start = f64([1, 1, 1]);
    const { params } = optimizer.update(start, f64([1e-2, -1, 1e3]), optimizer.init(start));
    for (const [k, sign] of [-1, 1, -1].entries()) expect(params.data[k]).toBeCloseTo(1 + (sign * 0.01) / 0.2, 6);
  });
});
