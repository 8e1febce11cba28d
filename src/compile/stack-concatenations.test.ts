import { describe, expect, test } from "vitest";
import { expectSameResults, float32, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import type { Program } from "../program/index.js";
import { type ScanParams, scan } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { stackConcatenations } from "./stack-concatenations.js";

const namesOf = ({ equations }: Program): string[] => equations.map(({ primitive }) => primitive.name);

/** A step on [x h]; it gives back the old h. */
const step = (h: Tensor, x: Tensor) => {
  const both = ops.concatenate([x, h], 1);
  return [ops.tanh(ops.add(h, ops.sum(both, { axes: 1, keepAxes: true }))), h] as const;
};

const rows = (stack: Tensor, columns: number) => ops.reshape(stack, [6, columns]);

/** What of the loop and of what is behind it is left; the numbers stay the same. */
function stacked(behind: (xs: Tensor, hs: Tensor) => readonly Tensor[]) {
  const f = (xs: Tensor) => {
    const [last, hs] = scan(step, ops.zeros([2, 4]), xs);
    return [last, ...behind(xs, hs as Tensor)];
  };
  const program = programOf(f, float32(3, 2, 5));
  const result = stackConcatenations(program);
  expectSameResults(result, program);
  const { equations } = result;
  const loop = equations.find(({ primitive }) => primitive.name === "scan")!;
  const { body, carries } = loop.params as ScanParams;
  return { stacks: body.outputs.slice(carries).map(({ type }) => type.shape[1]), names: namesOf(result).slice(2) };
}

describe("a concatenation of what a loop reads and stacks", () => {
  test("is the stack of what a step concatenates, and h alone is stacked no more", () => {
    const { stacks, names } = stacked((xs, hs) => [ops.sin(ops.concatenate([rows(xs, 5), rows(hs, 4)], 1))]);
    expect(stacks).toEqual([9]);
    expect(names).toEqual(["reshape", "sin"]);
  });

  test("leaves the stack of h where something else reads it", () => {
    const { stacks } = stacked((xs, hs) => [ops.concatenate([rows(xs, 5), rows(hs, 4)], 1), ops.sin(hs)]);
    expect(stacks).toEqual([4, 9]);
  });

  test("stays if no step makes it: in another order, of other parts, or of rows of another length", () => {
    const stays = (behind: Parameters<typeof stacked>[0]) => {
      const { stacks, names } = stacked(behind);
      expect(stacks).toEqual([4]);
      expect(names).toContain("concatenate");
    };
    stays((xs, hs) => [ops.concatenate([rows(hs, 4), rows(xs, 5)], 1)]);
    stays((xs, hs) => [ops.concatenate([rows(ops.sin(xs), 5), rows(hs, 4)], 1)]);
    stays((xs, hs) => [
      ops.concatenate([ops.reshape(xs, [30, 1]), ops.reshape(ops.concatenate([hs, hs], 2), [48, 1])], 0),
    ]);
    stays((xs, hs) => [ops.concatenate([ops.reshape(xs, [2, 15]), ops.reshape(hs, [2, 12])], 1)]);
  });

  test("stays if it is made before the loop", () => {
    const f = (xs: Tensor, ys: Tensor) => {
      const both = ops.concatenate([rows(xs, 5), rows(ys, 4)], 1);
      const loop = (h: Tensor, [x, y]: readonly [Tensor, Tensor]) =>
        [ops.add(h, ops.sum(ops.concatenate([x, y], 1), { axes: 1 })), []] as const;
      return [scan(loop, ops.slice(ops.sum(both, { axes: 1 }), 0, 0, 2), [xs, ys] as const)[0]];
    };
    const program = programOf(f as never, float32(3, 2, 5), float32(3, 2, 4));
    const result = stackConcatenations(program);
    expectSameResults(result, program);
    expect(namesOf(result)).toContain("concatenate");
  });

  test("is found in a loop inside a loop", () => {
    const f = (xs: Tensor) => {
      const outer = (h: Tensor, _: Tensor) => {
        const [last, hs] = scan(step, h, xs);
        return [last, ops.sin(ops.concatenate([rows(xs, 5), rows(hs as Tensor, 4)], 1))] as const;
      };
      const [last, all] = scan(outer, ops.zeros([2, 4]), ops.zeros([2]));
      return [last, all as Tensor];
    };
    const program = programOf(f, float32(3, 2, 5));
    const result = stackConcatenations(program);
    expectSameResults(result, program);
    const [outer] = result.equations.filter(({ primitive }) => primitive.name === "scan");
    expect(namesOf((outer!.params as ScanParams).body)).toEqual(["scan", "reshape", "sin"]);
  });
});
