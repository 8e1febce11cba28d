import { describe, expect, test } from "vitest";
import { expectSameResults, float32, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import type { Equation, Program } from "../program/index.js";
import { type ScanParams, scan } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { joinStacks } from "./join-stacks.js";

/** `[3,16,48]`: three parts of 256 elements a step. */
const XS = [3, 16, 48] as const;
type Parts = readonly [Tensor, Tensor, Tensor];

/** What a step makes of the three parts of its input and the carry: the new carry, and what is stacked. */
type Making = (parts: Parts, h: Tensor) => readonly [next: Tensor, stacks: readonly Tensor[]];
/** What is made of the stacks. */
type Reading = (stacks: readonly Tensor[]) => readonly Tensor[];

const activations: Making = ([a, b, c], h) => {
  const stacks = [ops.tanh(c), ops.sigmoid(ops.add(a, h)), ops.sin(b)];
  return [ops.mean(ops.concatenate(stacks), { axes: 1, keepAxes: true }), stacks];
};

/** A loop that goes through stacks from their end, as the gradient's does. */
const backwards: Reading = (stacks) => {
  const [last, products] = scan(
    (d: Tensor, step: readonly Tensor[]) => {
      const sum = step.reduce((total, part) => ops.add(ops.multiply(total, 0.5), part), d);
      return [sum, step.map((part) => ops.multiply(part, sum))];
    },
    ops.zeros([XS[1], 16]),
    stacks,
    { reverse: true },
  );
  return [last, ...(products as readonly Tensor[])];
};

const loopsOf = ({ equations }: Program): ScanParams[] =>
  equations.filter(({ primitive }) => primitive.name === "scan").map(({ params }) => params as ScanParams);
const namesOf = (equations: readonly Equation[]) => equations.map(({ primitive }) => primitive.name);

/** How many stacks each loop makes and reads, and the Program, whose numbers are exactly those of the given one. */
function joined(making: Making, reading: Reading, shape: readonly number[] = XS) {
  const program = programOf(
    (xs) => {
      const start = ops.zeros([shape[1] as number, 1]);
      const step = (h: Tensor, x: Tensor) => making(ops.split(x, 3) as unknown as Parts, h);
      const [last, stacks] = scan(step, start, xs);
      return [last, ...reading(stacks as readonly Tensor[])];
    },
    float32(...shape),
  );
  const result = joinStacks(program);
  expectSameResults(result, program);
  const loops = loopsOf(result);
  const made = loops.map(({ body, carries }) => body.outputs.length - carries);
  return { made, read: loops.map(({ slices }) => slices), loops };
}

describe("stacks of what a step makes of the parts of a value", () => {
  test("are one stack, in the order of the parts, of which the loop that reads them takes parts again", () => {
    const { made, read, loops } = joined(activations, backwards);
    expect(made).toEqual([1, 3]);
    expect(read).toEqual([1, 1]);
    const [maker, reader] = loops as [ScanParams, ScanParams];
    const joining = maker.body.equations.at(-1) as Equation;
    expect(joining.primitive.name).toBe("concatenate");
    const makers = joining.inputs.map((part) => maker.body.equations.find(({ outputs }) => outputs.includes(part)));
    expect(namesOf(makers as Equation[])).toEqual(["sigmoid", "sin", "tanh"]);
    expect(namesOf(reader.body.equations.slice(0, 3))).toEqual(["slice", "slice", "slice"]);
  });

  test("may be parts of what is computed in the step, beside other stacks and in a loop of a loop", () => {
    const computed: Making = (parts, h) => {
      const [next, stacks] = activations(ops.split(ops.add(ops.concatenate([...parts]), h), 3) as unknown as Parts, h);
      return [next, [ops.exp(h), ...stacks]];
    };
    const reading: Reading = ([exps, ...stacks]) => [exps as Tensor, ...backwards(stacks)];
    const { made, read } = joined(computed, reading);
    expect(made).toEqual([2, 3]);
    expect(read).toEqual([1, 1]);

    const program = programOf(
      (xs) => {
        const outer = (h: Tensor, _: Tensor) => {
          const step = (g: Tensor, x: Tensor) => activations(ops.split(x, 3) as unknown as Parts, g);
          const [last, stacks] = scan(step, h, xs);
          return [last, backwards(stacks as readonly Tensor[])[0] as Tensor] as const;
        };
        const [last, all] = scan(outer, ops.zeros([16, 1]), ops.zeros([2]));
        return [last, all as Tensor];
      },
      float32(...XS),
    );
    const result = joinStacks(program);
    expectSameResults(result, program);
    const [outer] = loopsOf(result) as [ScanParams];
    expect(loopsOf(outer.body).map(({ slices }) => slices)).toEqual([1, 1]);
  });

  test("are joined once, if they are made of the parts of two values", () => {
    const ofTwo: Making = (parts, h) => {
      const others = ops.split(ops.cos(ops.broadcastTo(h, [16, 48])), 3);
      const stacks = parts.map((part, k) => ops.sin(ops.add(part, others[k] as Tensor)));
      return [h, stacks];
    };
    const { made, read } = joined(ofTwo, backwards);
    expect(made).toEqual([1, 3]);
    expect(read).toEqual([1, 1]);
  });

  const stays = (making: Making, reading: Reading, shape?: readonly number[]) => {
    const { made, read } = joined(making, reading, shape);
    expect(made[0]).toBeGreaterThan(2);
    expect(read.slice(1).every((slices) => slices > 1)).toBe(true);
  };

  test("stay if something else reads one of them, or it is a result", () => {
    stays(activations, (stacks) => [...backwards(stacks), ops.sum(stacks[1] as Tensor)]);
    stays(activations, (stacks) => [...backwards(stacks), stacks[1] as Tensor]);
    stays(activations, (stacks) => [...backwards(stacks), ...backwards(stacks)]);
    stays(activations, ([a, b, c]) => [...backwards([a, b] as Tensor[]), ...backwards([c, c] as Tensor[])]);
  });

  test("stay if a step makes more of a part than what is stacked, or stacks two of one", () => {
    stays(([a, b, c], h) => {
      const [next, stacks] = activations([a, b, c], h);
      return [ops.add(next, ops.sum(a, { axes: 1, keepAxes: true })), stacks];
    }, backwards);
    stays(([a, b], h) => [h, [ops.sin(a), ops.cos(a), ops.sin(b)]], backwards);
    stays(([a, b, c], h) => [h, [ops.sin(a), ops.sin(ops.reverse(b, 1)), ops.sin(c)]], backwards);
  });

  test("stay if they are carries", () => {
    const shape = [3, 16, 48];
    const program = programOf(
      (xs) => {
        const step = (h: Tensor, x: Tensor) => {
          const [a, b, c] = ops.split(x, 3) as unknown as Parts;
          const next = ops.sin(ops.add(a, h));
          return [next, [next, ops.sin(b), ops.sin(c)]] as const;
        };
        const [last, stacks] = scan(step, ops.zeros([16, 16]), xs);
        return [last, ...backwards(stacks as readonly Tensor[])];
      },
      float32(...shape),
    );
    const result = joinStacks(program);
    expectSameResults(result, program);
    expect(loopsOf(result).map(({ slices }) => slices)).toEqual([1, 3]);
  });

  test("stay if they are small", () => {
    const small: Reading = (stacks) => {
      const step = (d: Tensor, parts: readonly Tensor[]) =>
        [parts.reduce((sum, part) => ops.add(sum, part), d), []] as const;
      return [scan(step, ops.zeros([2, 16]), stacks)[0]];
    };
    stays(activations, small, [3, 2, 48]);
  });
});
