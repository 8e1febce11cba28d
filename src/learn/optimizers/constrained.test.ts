/** Optimizers with a projection after each update. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, numbers } from "../../../test/close.js";
import { type ToyParams, toyParams, toyProblem, toyWindow } from "../../../test/toy-problem.js";
import { clamp, randomKey } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import type { Tensor } from "../../tensor/index.js";
import { initialState, train } from "../../train/index.js";
import { adam, constrained, type OptimizerState, sgd } from "../index.js";

type Params = { readonly w: Tensor; readonly free: Tensor };
const project = (params: Params): Params => ({ ...params, w: clamp(params.w, -0.5, 0.5) });
const point: Params = { w: numbers(1, [6]), free: numbers(2, [6]) };

describe("constrained", () => {
  test("makes the optimizer's own update and projects what comes out, compiled too", () => {
    const [plain, held] = [adam({ learningRate: 0.2 }), constrained(adam({ learningRate: 0.2 }), project)];
    const compiled = compile((p: Params, g: Params, s: OptimizerState) => ({ ...held.update(p, g, s) }));
    let [params, state, expected] = [point, held.init(point), { params: point, state: plain.init(point) }];
    for (let update = 0; update < 5; update++) {
      const gradient = { w: numbers(10 + update, [6]), free: numbers(20 + update, [6]) };
      const after = plain.update(expected.params, gradient, expected.state);
      expected = { params: project(after.params), state: after.state };
      expectClose(compiled(params, gradient, state), { ...held.update(params, gradient, state) }, 1e-12);
      ({ params, state } = held.update(params, gradient, state));
      expectSame({ params, state }, expected);
    }
    expect(Math.max(...Array.from(params.w.data, Math.abs))).toBe(0.5);
    expect(Math.max(...Array.from(params.free.data, Math.abs))).toBeGreaterThan(0.5);
  });

  test("has the name and the starting state of the optimizer", () => {
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 });
    expect(constrained(optimizer, project).name).toBe("sgd");
    expectSame(constrained(optimizer, project).init(point), optimizer.init(point));
  });

  test("keeps the parameters of a training run inside the set after every update", async () => {
    const limit = 0.3;
    const hold = (params: ToyParams): ToyParams => ({
      ...params,
      cell: { ...params.cell, weightHh: clamp(params.cell.weightHh, -limit, limit) },
    });
    const problem = toyProblem();
    const largest = async (optimizer: ReturnType<typeof sgd>): Promise<number[]> => {
      const batch = (update: number) => toyWindow(5 * update, 5 * update + 5, "float32");
      const params = hold(toyParams("float32"));
      const state = initialState({ problem, optimizer, batch, params, key: randomKey(1) });
      const found: number[] = [];
      for await (const report of train({ problem, state, optimizer, batch, steps: 10 })) {
        found.push(Math.max(...Array.from(report.state.params.cell.weightHh.data, Math.abs)));
      }
      return found;
    };
    const held = await largest(constrained(sgd({ learningRate: 0.5 }), hold));
    const free = await largest(sgd({ learningRate: 0.5 }));
    expect(Math.max(...held)).toBeLessThanOrEqual(Math.fround(limit));
    expect(Math.max(...free)).toBeGreaterThan(limit + 0.01);
  });
});
