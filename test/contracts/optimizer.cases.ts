/** What every optimizer must do. An optimizer's own test calls `runOptimizerCases` with its golden runs. */

import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/core/index.js";
import { type LearningRate, linearDecay, type Optimizer, type OptimizerState } from "../../src/learn/index.js";
import { square, sum } from "../../src/ops/index.js";
import { compile } from "../../src/runtime/index.js";
import { type Tensor, type TensorTree, tensorsByPath } from "../../src/tensor/index.js";
import { valueAndGrad } from "../../src/transforms/index.js";
import { expectClose, expectSame, f64, numbers } from "../close.js";
import { goldenTensors, readGolden } from "../golden.js";

/** What is special about one optimizer. */
export interface OptimizerCase {
  readonly name: string;
  readonly make: (learningRate: LearningRate) => Optimizer;
  /** Runs in test/golden/optimizers.json, each with the optimizer that it should equal. */
  readonly golden: Readonly<Record<string, Optimizer>>;
  /** Makers that must refuse, with a piece of the sentence. */
  readonly refused: readonly (readonly [make: () => Optimizer, sentence: string | RegExp])[];
}

/** Both sides compute in float64, and the file holds all digits. */
const GOLDEN = 1e-12;

interface GoldenFile {
  readonly parameter: unknown;
  readonly gradients: readonly unknown[];
  readonly runs: Readonly<Record<string, { readonly after: Readonly<Record<string, unknown>> }>>;
}

const nested = (seed: number) => ({
  layers: [{ weight: numbers(seed, [2, 3]) }, { weight: numbers(seed + 1, [3]) }],
  bias: numbers(seed + 2, []),
});

type Updated<P extends TensorTree> = { readonly params: P; readonly state: OptimizerState };

/** The state after some updates with given gradients. */
function follow<P extends TensorTree>(optimizer: Optimizer, params: P, gradients: readonly P[], compiled = false) {
  const step = (p: P, g: P, s: OptimizerState): Updated<P> => ({ ...optimizer.update(p, g, s) });
  const update = compiled ? compile(step) : step;
  return gradients.reduce<Updated<P>>((now, gradient) => update(now.params, gradient, now.state), {
    params,
    state: optimizer.init(params),
  });
}

/** Runs all cases for one optimizer. */
export function runOptimizerCases({ name, make, golden, refused }: OptimizerCase): void {
  const file = readGolden("optimizers") as unknown as GoldenFile;
  const read = (value: unknown): Tensor => goldenTensors(value, "float64") as Tensor;

  describe(`${name} as an optimizer`, () => {
    test.each(Object.keys(golden))("equals PyTorch's run %s after 1, 2 and 20 steps, compiled and not", (run) => {
      const gradients = file.gradients.map(read);
      for (const [steps, expected] of Object.entries(file.runs[run]!.after)) {
        for (const compiled of [false, true]) {
          const { params } = follow(golden[run]!, read(file.parameter), gradients.slice(0, Number(steps)), compiled);
          expectClose(params, read(expected), GOLDEN);
        }
      }
    });

    test("moves each tensor of a nested tree as if it were alone, compiled as eager", () => {
      const optimizer = make(0.1);
      const gradients = [nested(10), nested(20), nested(30)];
      const eager = follow(optimizer, nested(1), gradients);
      expectSame(follow(optimizer, nested(1), gradients, true), eager);
      const alone = gradients.map((gradient) => tensorsByPath(gradient).map(([, leaf]) => leaf));
      tensorsByPath(nested(1)).forEach(([path, leaf], index) => {
        const own = follow(
          optimizer,
          leaf,
          alone.map((leaves) => leaves[index]!),
        );
        expectSame(new Map(tensorsByPath(eager.params)).get(path)!, own.params);
      });
    });

    test("counts its updates and keeps the types of parameters and state", () => {
      const params = { w: numbers(1, [2], "float32") };
      const optimizer = make(0.1);
      const before = optimizer.init(params);
      const { params: after, state } = follow(optimizer, params, [params, params, params]);
      expect(state.updates.dtype).toBe("int32");
      expect([before.updates.data[0], state.updates.data[0]]).toEqual([0, 3]);
      expect(after.w.dtype).toBe("float32");
      const types = (tree: TensorTree) => tensorsByPath(tree).map(([path, { dtype, shape }]) => [path, dtype, shape]);
      expect(types(state)).toEqual(types(before));
    });

    test("asks a schedule for the rate of each update, counted from 0, also when compiled", () => {
      const rates = [0.3, 0.2, 0.1, 0.1];
      const gradients = rates.map((_, index) => numbers(index + 1, [3]));
      const schedule = linearDecay({ initial: 0.3, updates: 2, final: 0.1 });
      // The same updates with a constant rate each, the state handed on from one optimizer to the next.
      const start = numbers(9, [3]);
      const expected = rates.reduce<Updated<Tensor>>(
        ({ params, state }, rate, index) => make(rate).update(params, gradients[index]!, state),
        { params: start, state: make(0.3).init(start) },
      );
      expectClose(follow(make(schedule), start, gradients).params, expected.params, GOLDEN);
      expectClose(follow(make(schedule), start, gradients, true).params, expected.params, GOLDEN);
    });

    test("comes down in a bowl", () => {
      const bowl = valueAndGrad((x: Tensor) => sum(square(x)));
      const optimizer = make(0.05);
      let now: Updated<Tensor> = { params: f64([1, -1.5]), state: optimizer.init(f64([0, 0])) };
      for (let step = 0; step < 200; step++) now = optimizer.update(now.params, bowl(now.params).gradient, now.state);
      expect(Math.hypot(...now.params.data)).toBeLessThan(0.2);
    });

    test("does not change the parameters, gradients and state that it is given", () => {
      const [params, gradient] = [nested(1), nested(2)];
      const optimizer = make(0.1);
      const state = optimizer.init(params);
      const first = optimizer.update(params, gradient, state);
      expectSame(params, nested(1));
      expectSame(gradient, nested(2));
      expectSame(state, optimizer.init(params));
      expectSame(optimizer.update(params, gradient, state), first);
    });

    test("refuses rates that are not positive and options that do not exist", () => {
      for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => make(rate)).toThrow(OptionError);
        expect(() => make(rate)).toThrow(`${name}: learningRate must be a number greater than 0, but is ${rate}`);
      }
      for (const [wrong, sentence] of refused) {
        expect(wrong).toThrow(OptionError);
        expect(wrong).toThrow(sentence);
      }
    });
  });
}
