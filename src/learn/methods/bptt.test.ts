import { describe, expect, test } from "vitest";
import { expectSame } from "../../../test/close.js";
import { runLearningMethodCases } from "../../../test/contracts/learning-method.cases.js";
import { toyParams, toyProblem, toyWindow } from "../../../test/toy-problem.js";
import { averageLoss } from "../../nn/index.js";
import { randomKey } from "../../ops/index.js";
import { checkGradients } from "../../transforms/index.js";
import { bptt } from "../index.js";

runLearningMethodCases({ name: "bptt", make: bptt, exact: true });

describe("bptt", () => {
  const problem = toyProblem();

  test("differentiates a loss whose derivatives pass the gradient check to the second order", () => {
    const batch = toyWindow(0, 5);
    const { maxError, comparisons } = checkGradients(
      (params) => averageLoss(problem.loss(params, problem.initialCarry(batch), batch).loss),
      [toyParams()],
    );
    expect(maxError).toBeLessThan(1e-6);
    expect(comparisons).toBeGreaterThan(2);
  });

  test("begins every batch from the initial carry: it has no state", () => {
    const [first, second] = [toyWindow(0, 4), toyWindow(4, 8)];
    const step = (batch: typeof first) => bptt().step(problem, toyParams(), [], batch, randomKey(0));
    expect(bptt().init(problem, first, toyParams())).toEqual([]);
    const alone = step(second);
    step(first);
    expectSame(step(second).gradient, alone.gradient);
  });

  test("hands its key to the problem, so that dropout differs with the key and not without", () => {
    const step = (key: number) =>
      bptt().step(toyProblem(0.5), toyParams(), [], toyWindow(0, 6), randomKey(key)).loss.total.data[0]!;
    expect(step(1)).toBe(step(1));
    expect(step(1)).not.toBe(step(2));
  });
});
