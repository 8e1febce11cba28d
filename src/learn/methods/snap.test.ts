import { describe, expect, test } from "vitest";
import { expectClose } from "../../../test/close.js";
import { runLearningMethodCases } from "../../../test/contracts/learning-method.cases.js";
import { toyParams, toyProblem, toyWindow } from "../../../test/toy-problem.js";
import { randomKey } from "../../ops/index.js";
import { rtrl, snap } from "../index.js";

runLearningMethodCases({ name: "snap", make: () => snap({ order: 9 }), exact: true });
describe("with order 1", () => {
  runLearningMethodCases({ name: "snap", make: snap, exact: false });
});

test("is rtrl if the order is as high as there are units", () => {
  const problem = toyProblem();
  const [first, second] = [toyWindow(0, 3), toyWindow(3, 6)];
  const run = (method: ReturnType<typeof rtrl>) => {
    const start = method.init(problem, first, toyParams());
    const one = method.step(problem, toyParams(), start, first, randomKey(0));
    return method.step(problem, toyParams(), one.state, second, randomKey(0)).gradient;
  };
  expectClose(run(snap({ order: 4 })), run(rtrl()), 1e-12);
  expect(snap().name).toBe("snap");
});
