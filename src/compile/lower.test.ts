/** Plans: what is computed where. */

import { describe, expect, test } from "vitest";
import { float64, spread } from "../../test/scalar-loops.js";
import * as ops from "../ops/index.js";
import { compile } from "../runtime/index.js";
import { scan } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { type Plan, printPlan } from "./index.js";

describe("printPlan", () => {
  test("prints one instruction a line, with the places of its operands", () => {
    const weight = spread([3, 4]);
    const f = compile((x: Tensor) => ops.sum(ops.tanh(ops.add(ops.matmul(x, weight), 1))));
    expect(printPlan(f.plan(spread([2, 3])))).toMatchInlineSnapshot(`
      "arena 128 bytes
      @0 float64[2,4] = matmul input0 constant0
      @64 float64[2,4] = add @0 constant1
      @0 float64[2,4] = tanh @64
      output0 float64[] = sum @0"
    `);
  });

  test("prints loops: results go straight to their place, the carry is overwritten at the end", () => {
    const f = compile((x: Tensor) =>
      scan((h: Tensor, y: Tensor) => [ops.tanh(ops.add(h, y)), ops.sin(h)], ops.zeros([2], "float64"), x),
    );
    expect(printPlan(f.plan(spread([5, 2])))).toMatchInlineSnapshot(`
      "arena 192 bytes
      @0 float64[2] = constant0
      loop 5 {
        @64 float64[2] = add @0 input0[t]
        @128 float64[2] = tanh @64
        output1[t] float64[2] = sin @0
        @0 float64[2] = @128
      }
      output0 float64[2] = @0"
    `);
  });

  test("prints a loop that runs backwards", () => {
    const f = compile((x: Tensor) => scan((h: Tensor, y: Tensor) => [y, h], float64(0), x, { reverse: true }));
    expect(printPlan(f.plan(spread([3, 1])))).toMatchInlineSnapshot(`
      "arena 64 bytes
      @0 float64[1] = constant0
      loop 3 reverse {
        output1[t] float64[1] = @0
        @0 float64[1] = input0[t]
      }
      output0 float64[1] = @0"
    `);
  });
});

const applied = (plan: Plan) => plan.instructions.flatMap((one) => (one.kind === "apply" ? [one.primitive.name] : []));

test("equations that nobody reads are not in the Plan", () => {
  const f = compile((x: Tensor) => {
    ops.exp(x);
    return ops.sin(x);
  });
  expect(applied(f.plan(float64(1)))).toEqual(["sin"]);
});

test("reshape and stopGradient cost nothing: they are other names of one slot", () => {
  const f = compile((x: Tensor) => ops.reshape(ops.stopGradient(ops.sin(ops.reshape(x, [6]))), [3, 2]));
  expect(applied(f.plan(spread([2, 3])))).toEqual(["sin"]);
});

test("equal constants are kept once, and made once", () => {
  const f = compile((x: Tensor) => ops.multiply(ops.add(x, 2), ops.add(ops.sin(x), 2)));
  expect(f.plan(float64(1, 2)).constants.length).toBe(1);
});

describe("the arena", () => {
  test("of a chain holds two results at a time, however long the chain is", () => {
    const chain = (length: number) =>
      compile((x: Tensor) => Array.from({ length }).reduce<Tensor>((y) => ops.sin(y), x)).plan(spread([100]))
        .arenaBytes;
    const one = Math.ceil((100 * 8) / 64) * 64;
    // The last result of the chain is written straight into the output.
    expect(chain(2)).toBe(one);
    expect(chain(3)).toBe(2 * one);
    expect(chain(20)).toBe(2 * one);
  });

  test("keeps a result until its last reader, through other names too", () => {
    const plan = compile((x: Tensor) => {
      const kept = ops.sin(x);
      const name = ops.reshape(kept, [100]);
      const far = ops.exp(ops.exp(ops.exp(x)));
      return ops.add(ops.reshape(name, [10, 10]), far);
    }).plan(spread([10, 10]));
    const one = Math.ceil((100 * 8) / 64) * 64;
    expect(plan.arenaBytes).toBe(3 * one);
  });

  test("of a loop is free again after it", () => {
    const loop = (x: Tensor) => scan((h: Tensor) => [ops.sin(ops.cos(ops.sin(h))), []], x, [], { length: 3 })[0];
    const bytes = (times: number) =>
      compile((x: Tensor) => Array.from({ length: times }).reduce<Tensor>(loop, x)).plan(spread([64])).arenaBytes;
    expect(bytes(5)).toBe(bytes(2));
  });

  test("of a loop does not grow with its length", () => {
    const bytes = (length: number) =>
      compile((x: Tensor) => scan((h: Tensor) => [ops.sin(ops.cos(ops.sin(h))), []], x, [], { length })).plan(
        spread([64]),
      ).arenaBytes;
    expect(bytes(1000)).toBe(bytes(2));
  });
});
