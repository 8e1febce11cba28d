import { describe, expect, test } from "vitest";
import { expectClose, f64 } from "../../../test/close.js";
import { runOptimizerCases } from "../../../test/contracts/optimizer.cases.js";
import { type SgdOptions, sgd } from "../index.js";

const unknown = { learningRate: 0.1, momentun: 0.9 } as SgdOptions;

runOptimizerCases({
  name: "sgd",
  make: (learningRate) => sgd({ learningRate }),
  golden: {
    sgd: sgd({ learningRate: 0.1 }),
    sgdMomentum: sgd({ learningRate: 0.1, momentum: 0.9 }),
    sgdNesterov: sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
  },
  refused: [
    [() => sgd(unknown), 'sgd: there is no option "momentun"; the options are learningRate, momentum'],
    [() => sgd({ learningRate: 0.1, momentum: 1 }), "sgd: momentum must be a number at least 0 and less than 1"],
    [() => sgd({ learningRate: 0.1, weightDecay: -1 }), "sgd: weightDecay must be a number at least 0, but is -1"],
    [() => sgd({ learningRate: 0.1, nesterov: true }), "sgd: nesterov has no effect without momentum"],
  ],
});

describe("sgd", () => {
  test("adds the gradient of (λ/2) ‖θ‖² as weight decay, and through the momentum", () => {
    const optimizer = sgd({ learningRate: 0.5, momentum: 0.8, weightDecay: 0.1 });
    let [theta, velocity] = [2, 0];
    let now = { params: f64([theta]), state: optimizer.init(f64([theta])) };
    for (const gradient of [1, -3, 0.25]) {
      velocity = 0.8 * velocity + (gradient + 0.1 * theta);
      theta -= 0.5 * velocity;
      now = optimizer.update(now.params, f64([gradient]), now.state);
    }
    expectClose(now.params, f64([theta]), 1e-14);
    expectClose(now.state.velocity!, f64([velocity]), 1e-14);
  });

  test("keeps a velocity only with momentum", () => {
    expect(Object.keys(sgd({ learningRate: 1 }).init(f64([1])))).toEqual(["updates"]);
    expect(Object.keys(sgd({ learningRate: 1, momentum: 0.1 }).init(f64([1])))).toEqual(["updates", "velocity"]);
  });
});
