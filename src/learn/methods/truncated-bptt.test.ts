import { describe, expect, test } from "vitest";
import { expectClose, expectSame } from "../../../test/close.js";
import { runLearningMethodCases } from "../../../test/contracts/learning-method.cases.js";
import { type ToyBatch, type ToyCarry, toyParams, toyProblem, toyWindow } from "../../../test/toy-problem.js";
import { OptionError } from "../../core/index.js";
import { averageLoss } from "../../nn/index.js";
import { add, randomKey } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { mapTensors, type TensorTree, toNumber } from "../../tensor/index.js";
import { valueAndGrad } from "../../transforms/index.js";
import { bptt, type LearningMethod, truncatedBptt } from "../index.js";

runLearningMethodCases({ name: "truncatedBptt", make: truncatedBptt, exact: true });
describe("with truncationLength 12", () => {
  runLearningMethodCases({
    name: "truncatedBptt",
    make: () => truncatedBptt({ truncationLength: 12 }),
    exact: true,
  });
});
describe("with truncationLength 2", () => {
  runLearningMethodCases({ name: "truncatedBptt", make: () => truncatedBptt({ truncationLength: 2 }), exact: false });
});

const problem = toyProblem();
const KEY = randomKey(0);
const step = (method: LearningMethod, state: TensorTree, batch: ToyBatch, params = toyParams()) =>
  method.step(problem, params, state, batch, KEY);

/** A carry that is not the initial one. */
const someCarry = (): ToyCarry => {
  const before = toyWindow(50, 54);
  return problem.loss(toyParams(), problem.initialCarry(before), before).carry;
};

describe("truncatedBptt", () => {
  test("equals bptt bit for bit, as long as the window is not longer than truncationLength", () => {
    const batch = toyWindow(0, 6);
    const exact = step(bptt(), [], batch);
    for (const options of [{}, { truncationLength: 6 }]) {
      const truncated = step(truncatedBptt(options), problem.initialCarry(batch), batch);
      expectSame(truncated.gradient, exact.gradient);
      expectSame([truncated.loss.total, truncated.loss.count], [exact.loss.total, exact.loss.count]);
    }
    // From a carry that is not the initial one, bptt of the same problem begun there.
    const carry = someCarry();
    const begunThere = bptt().step({ ...problem, initialCarry: () => carry }, toyParams(), [], batch, KEY);
    expectSame(step(truncatedBptt(), carry, batch).gradient, begunThere.gradient);
  });

  test.each([1, 2, 4])(
    "with truncationLength %i, sums the gradients of its segments, each with its carry held constant",
    (length) => {
      const batch = toyWindow(0, 6);
      const params = toyParams();
      let carry = someCarry();
      let sum: typeof params | undefined;
      const count = 12; // six steps of two sequences
      for (let from = 0; from < 6; from += length) {
        const part = toyWindow(from, Math.min(from + length, 6));
        const start = carry;
        const { gradient, extra } = valueAndGrad((point: typeof params) => {
          const result = problem.loss(point, start, part);
          return [result.loss.total, result.carry] as const;
        })(params);
        carry = extra;
        sum = sum === undefined ? gradient : mapTensors(add, sum, gradient);
      }
      const expected = mapTensors((leaf) => ({ ...leaf, data: leaf.data.map((value) => value / count) }), sum!);
      const truncated = step(truncatedBptt({ truncationLength: length }), someCarry(), batch);
      expectClose(truncated.gradient, expected, 1e-14);
      expectClose(truncated.state, carry, 1e-15);
      expect(toNumber(truncated.loss.count)).toBe(count);
    },
  );

  test("is biased where the truncation cuts: fewer steps back, another gradient, the same loss", () => {
    const batch = toyWindow(0, 6);
    const [whole, cut] = [undefined, 2].map((truncationLength) =>
      step(truncatedBptt(truncationLength === undefined ? {} : { truncationLength }), someCarry(), batch),
    );
    expect(toNumber(cut!.loss.total)).toBeCloseTo(toNumber(whole!.loss.total), 14);
    expect(Math.abs(cut!.gradient.cell.weightHh.data[0]! - whole!.gradient.cell.weightHh.data[0]!)).toBeGreaterThan(
      1e-5,
    );
  });

  test("hands the carry on: two windows of 4 give the losses of one window of 8", () => {
    const method = truncatedBptt();
    const start = method.init(problem, toyWindow(0, 4), toyParams());
    const first = step(method, start, toyWindow(0, 4));
    const second = step(method, first.state, toyWindow(4, 8));
    const whole = step(method, start, toyWindow(0, 8));
    expect(toNumber(first.loss.total) + toNumber(second.loss.total)).toBeCloseTo(toNumber(whole.loss.total), 14);
    expectClose(second.state, whole.state, 1e-15);
    const forgotten = step(method, start, toyWindow(4, 8));
    expect(toNumber(forgotten.loss.total)).not.toBeCloseTo(toNumber(second.loss.total), 6);
  });

  test("begins from the carry of the problem, and restarts from it where resetMask is 1", () => {
    const method = truncatedBptt({ truncationLength: 2 });
    expectSame(method.init(problem, toyWindow(0, 4), toyParams()), problem.initialCarry(toyWindow(0, 4)));
    const restarted = toyWindow(4, 8);
    restarted.resetMask.data.fill(1, 0, 2);
    const fresh = step(method, problem.initialCarry(restarted), toyWindow(4, 8));
    expectSame(step(method, someCarry(), restarted).gradient, fresh.gradient);
    // One row only: the other keeps its carry.
    const oneRow = toyWindow(4, 8);
    oneRow.resetMask.data[0] = 1;
    const mixed = someCarry();
    mixed.h.data.fill(0, 0, 4);
    expectSame(step(method, someCarry(), oneRow).gradient, step(method, mixed, toyWindow(4, 8)).gradient);
  });

  test("draws other random numbers for each segment", () => {
    const noisy = toyProblem(0.5);
    const seen: number[] = [];
    const spied: typeof noisy = {
      ...noisy,
      loss: (params, carry, batch, key) => {
        seen.push(...(key?.data ?? []));
        return noisy.loss(params, carry, batch, key);
      },
    };
    truncatedBptt({ truncationLength: 2 }).step(spied, toyParams(), someCarry(), toyWindow(0, 6), KEY);
    expect(seen.length).toBe(6);
    expect(new Set([0, 2, 4].map((first) => seen.slice(first, first + 2).join())).size).toBe(3);
  });

  test("uses one plan, of one size, however many windows were run", () => {
    let traces = 0;
    const method = truncatedBptt();
    const update = compile((params: ReturnType<typeof toyParams>, state: TensorTree, batch: ToyBatch) => {
      traces += 1;
      const result = method.step(problem, params, state, batch, KEY);
      return [averageLoss(result.loss), result.state] as const;
    });
    let state = method.init(problem, toyWindow(0, 4), toyParams());
    const before = update.plan(toyParams(), state, toyWindow(0, 4));
    for (let window = 0; window < 60; window++) {
      state = update(toyParams(), state, toyWindow(4 * window, 4 * window + 4))[1];
    }
    expect(update.plan(toyParams(), state, toyWindow(0, 4))).toBe(before);
    expect(traces).toBe(1);
  });

  test.each([
    [8, 1],
    [9, 2],
    [12, 2],
  ])(
    "with truncationLength %i and windows of 4, looks back through %i windows before, from the carry there",
    (length, back) => {
      const method = truncatedBptt({ truncationLength: length });
      const params = toyParams();
      const windows = [0, 1, 2, 3, 4].map((k) => toyWindow(4 * k, 4 * k + 4));
      let state = method.init(problem, windows[0]!, params);
      const carries = [problem.initialCarry(windows[0]!)];
      windows.forEach((window, k) => {
        const result = step(method, state, window);
        state = result.state;
        const first = Math.max(k - back, 0);
        const expected = valueAndGrad((point: typeof params) => {
          let carry = carries[first]!;
          for (const before of windows.slice(first, k)) carry = problem.loss(point, carry, before).carry;
          return averageLoss(problem.loss(point, carry, window).loss);
        })(params);
        expectClose(result.gradient, expected.gradient, 1e-13);
        expect(toNumber(averageLoss(result.loss))).toBeCloseTo(toNumber(expected.value), 13);
        carries.push(problem.loss(params, carries[k]!, window).carry);
      });
    },
  );

  test("refuses options that make no sense", () => {
    for (const truncationLength of [0, -1, 1.5, Number.NaN]) {
      expect(() => truncatedBptt({ truncationLength })).toThrow(OptionError);
      expect(() => truncatedBptt({ truncationLength })).toThrow(
        "truncationLength must be a whole number of at least 1",
      );
    }
    expect(() => truncatedBptt({ window: 4 } as object)).toThrow(
      'truncatedBptt: there is no option "window"; the options are truncationLength',
    );
  });
});
