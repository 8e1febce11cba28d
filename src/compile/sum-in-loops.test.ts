import { describe, expect, test } from "vitest";
import { expectSameResults, float32, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import type { Equation, Program } from "../program/index.js";
import { type ScanParams, scan } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { sumInLoops } from "./sum-in-loops.js";

const XS = [3, 20, 16];

/** A loop over `[3,20,16]`, and something behind it. */
const behindLoop = (behind: (stack: Tensor, carry: Tensor) => readonly Tensor[]) => (xs: Tensor) => {
  const [carry, stack] = scan(
    (h: Tensor, x: Tensor) => {
      const next = ops.tanh(ops.add(h, x));
      return [next, ops.multiply(next, x)];
    },
    ops.zeros([20, 16]),
    xs,
  );
  return behind(stack, carry);
};

/** The loop and the names of what stands beside it; the numbers are those of the given Program, up to the order of the additions. */
function summed(
  behind: Parameters<typeof behindLoop>[0],
  shape = XS,
): { loop: ScanParams; names: string[]; body: string[] } {
  const program = programOf(behindLoop(behind), float32(...shape));
  const result = sumInLoops(program);
  expectSameResults(result, program, 1e-6);
  const namesOf = ({ equations }: Program) => equations.map(({ primitive }) => primitive.name);
  const loop = result.equations.find(({ primitive }) => primitive.name === "scan") as Equation;
  const params = loop.params as ScanParams;
  return { loop: params, names: namesOf(result).filter((name) => name !== "fill"), body: namesOf(params.body) };
}

describe("a sum over steps and rows of what a loop stacks", () => {
  test("is made inside the loop, right behind what it adds up, and nothing is stacked", () => {
    const { loop, names, body } = summed((stack, carry) => [ops.sum(stack, { axes: [0, 1] }), carry]);
    expect(names).toEqual(["scan"]);
    expect(body).toEqual(["add", "tanh", "multiply", "accumulate"]);
    expect(loop.carries).toBe(2);
    expect(loop.body.outputs.length).toBe(2);
  });

  test.each<[string, Parameters<typeof behindLoop>[0], string[]]>([
    ["something else reads", (stack) => [ops.sum(stack, { axes: [0, 1] }), ops.exp(stack)], ["scan", "exp"]],
    ["is a result", (stack) => [ops.sum(stack, { axes: [0, 1] }), stack], ["scan"]],
    ["is summed otherwise, too", (stack) => [ops.sum(stack, { axes: [0, 1] }), ops.sum(stack)], ["scan", "sum"]],
  ])("is made inside the loop beside a stack that %s", (_, behind, expected) => {
    const { loop, names, body } = summed(behind);
    expect(names).toEqual(expected);
    expect(body).toEqual(["add", "tanh", "multiply", "accumulate"]);
    expect(loop.body.outputs.length).toBe(3);
  });

  test("and one over steps alone", () => {
    expect(summed((stack) => [ops.sum(stack, { axes: 0 })]).names).toEqual(["scan"]);
  });

  test("of no steps is zero", () => {
    expect(summed((stack) => [ops.sum(stack, { axes: [0, 1] })], [0, 20, 16]).names).toEqual(["scan"]);
  });

  test("of what a step is given, of the old carry, and of several results", () => {
    const f = (xs: Tensor) => {
      const [, stacks] = scan(
        (h: Tensor, x: Tensor) => [ops.add(h, x), [x, h, ops.sin(x)] as const],
        ops.zeros([20, 16]),
        xs,
      );
      return stacks.map((stack) => ops.sum(stack, { axes: [0, 1] }));
    };
    const program = programOf(f, float32(...XS));
    const result = sumInLoops(program);
    expectSameResults(result, program, 1e-6);
    expect(result.equations.map(({ primitive }) => primitive.name)).toEqual(["fill", "fill", "fill", "fill", "scan"]);
  });

  test("inside a loop", () => {
    const inner = behindLoop((stack) => [ops.sum(stack, { axes: [0, 1] })]);
    const f = (xs: Tensor) => [
      scan((total: Tensor) => [ops.add(total, inner(xs)[0] as Tensor), []], ops.zeros([16]), [], { length: 2 })[0],
    ];
    const program = programOf(f, float32(...XS));
    const result = sumInLoops(program);
    expectSameResults(result, program, 1e-6);
    const outer = result.equations.find(({ primitive }) => primitive.name === "scan")?.params as ScanParams;
    expect(outer.body.equations.map(({ primitive }) => primitive.name)).toEqual(["fill", "fill", "scan", "add"]);
  });
});

describe("a sum stays behind the loop", () => {
  test.each<[string, Parameters<typeof behindLoop>[0]]>([
    ["over the last axis", (stack) => [ops.sum(stack, { axes: [0, 1, 2] })]],
    ["over rows of each step", (stack) => [ops.sum(stack, { axes: 1 })]],
    ["over columns of all steps", (stack) => [ops.sum(stack, { axes: [0, 2] })]],
  ])("%s", (_, behind) => {
    expect(summed(behind).names).toContain("sum");
  });

  test("if a step has few elements", () => {
    const f = (xs: Tensor) => [
      ops.sum(scan((h: Tensor, x: Tensor) => [ops.add(h, x), ops.sin(h)], ops.zeros([4, 5]), xs)[1], { axes: [0, 1] }),
    ];
    const program = programOf(f, float32(3, 4, 5));
    expect(sumInLoops(program).equations.map(({ primitive }) => primitive.name)).toEqual(["fill", "scan", "sum"]);
  });
});
