/** What every learning method must do. A method's own test calls `runLearningMethodCases` with how it is made. */

import { describe, expect, test } from "vitest";
import { type LearningMethod, sgd } from "../../src/learn/index.js";
import { averageLoss } from "../../src/nn/index.js";
import { randomKey } from "../../src/ops/index.js";
import { compile } from "../../src/runtime/index.js";
import { type Tensor, type TensorTree, tensorsByPath, toNumber } from "../../src/tensor/index.js";
import { initialState, train } from "../../src/train/index.js";
import { expectClose, expectSame, numbers } from "../close.js";
import { type ToyBatch, type ToyParams, toyParams, toyProblem, toyWindow } from "../toy-problem.js";

/** What is special about one method. */
export interface LearningMethodCase {
  readonly name: string;
  readonly make: () => LearningMethod;
  /** Whether its gradient on one batch, from the initial carry, is exact. */
  readonly exact: boolean;
}

const KEY = randomKey(0);

/** Central difference of the average loss along one parameter. */
function difference(params: ToyParams, batch: ToyBatch, path: string, index: number): number {
  const problem = toyProblem();
  const step = 1e-5;
  const lossAt = (shift: number): number => {
    const { data } = new Map(tensorsByPath(params)).get(path)!;
    const before = data[index]!;
    data[index] = before + shift;
    const { loss } = problem.loss(params, problem.initialCarry(batch), batch);
    data[index] = before;
    return toNumber(averageLoss(loss));
  };
  return (lossAt(step) - lossAt(-step)) / (2 * step);
}

/** Runs all cases for one method. */
export function runLearningMethodCases({ name, make, exact }: LearningMethodCase): void {
  const problem = toyProblem();
  const step = (params: ToyParams, state: TensorTree, batch: ToyBatch, key: Tensor) => ({
    ...make().step(problem, params, state, batch, key),
  });

  describe(`${name} as a learning method`, () => {
    const batch = toyWindow(0, 6);

    test("has a name, and a state that its step gives back in the same form", () => {
      expect(make().name).toBe(name);
      const state = make().init(problem, batch, toyParams());
      const types = (tree: TensorTree) => tensorsByPath(tree).map(([path, { dtype, shape }]) => [path, dtype, shape]);
      expect(types(step(toyParams(), state, batch, KEY).state)).toEqual(types(state));
    });

    const whenExact = exact ? test : () => {};
    whenExact("its gradient is the finite difference of the average loss, number by number", () => {
      const params = toyParams();
      const { gradient, loss } = step(params, make().init(problem, batch, toyParams()), batch, KEY);
      const expected = problem.loss(params, problem.initialCarry(batch), batch).loss;
      expectClose([loss.total, loss.count], [expected.total, expected.count], 1e-12);
      for (const [path, { data }] of tensorsByPath(gradient)) {
        for (let index = 0; index < data.length; index++) {
          expect(Math.abs(data[index]! - difference(params, batch, path, index)), `${path}[${index}]`).toBeLessThan(
            1e-8,
          );
        }
      }
    });

    test("compiled equals eager, to the last bit of float64", () => {
      const state = make().init(problem, batch, toyParams());
      expectClose(compile(step)(toyParams(), state, batch, KEY), step(toyParams(), state, batch, KEY), 1e-15);
    });

    test("leaves out what the mask leaves out, from the loss and the gradient", () => {
      const padded = { ...toyWindow(0, 6), mask: toyWindow(0, 6).mask };
      padded.mask.data.fill(0, 8); // the last two of six steps
      const state = make().init(problem, batch, toyParams());
      const whole = step(toyParams(), state, padded, KEY);
      const [cut, noise] = [toyWindow(0, 4), numbers(5, padded.xs.shape)];
      const short = step(toyParams(), state, cut, KEY);
      expect(toNumber(whole.loss.count)).toBe(8);
      expectClose(whole.gradient, short.gradient, 1e-14);
      const filled = { ...padded, targets: noise };
      filled.targets.data.set(padded.targets.data.subarray(0, 16));
      expectSame(step(toyParams(), state, filled, KEY).gradient, whole.gradient);
    });

    test("starts afresh where resetMask says so", () => {
      const [first, second] = [toyWindow(0, 3), toyWindow(3, 6)];
      const joined = toyWindow(0, 6);
      joined.resetMask.data.fill(1, 6, 8);
      const state = make().init(problem, batch, toyParams());
      const losses = [first, second].map((part) => toNumber(step(toyParams(), state, part, KEY).loss.total));
      expect(toNumber(step(toyParams(), state, joined, KEY).loss.total)).toBeCloseTo(losses[0]! + losses[1]!, 13);
    });

    test("keeps as much, and computes in as much memory, after 1000 windows of a stream as after 10", () => {
      const params = toyParams("float32");
      const windows = Array.from({ length: 10 }, (_, k) => toyWindow(2 * k, 2 * k + 2, "float32"));
      const compiled = compile(step);
      let state = make().init(problem, windows[0]!, params);
      const sizes: { numbers: number; arena: number }[] = [];
      for (let count = 1; count <= 1000; count++) {
        const window = windows[count % windows.length]!;
        state = compiled(params, state, window, KEY).state;
        if (![10, 100, 1000].includes(count)) continue;
        const numbers = tensorsByPath(state).reduce((total, [, { data }]) => total + data.length, 0);
        sizes.push({ numbers, arena: compiled.plan(params, state, window, KEY).arenaBytes });
      }
      expect(sizes[0]!.arena).toBeGreaterThan(0);
      expect(sizes).toEqual(Array(3).fill(sizes[0]));
    });

    test("makes the loss of a toy problem fall", async () => {
      const options = {
        problem,
        optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
        method: make(),
        batch: (update: number) => toyWindow(update * 6, update * 6 + 6),
        steps: 150,
      };
      const losses: number[] = [];
      const state = initialState({ ...options, params: toyParams(), key: KEY });
      for await (const report of train({ ...options, state })) losses.push(report.loss);
      const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
      expect(mean(losses.slice(-20))).toBeLessThan(0.7 * mean(losses.slice(0, 20)));
    });
  });
}
