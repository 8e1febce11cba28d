import { describe, expect, test } from "vitest";
import { expectSameResults, float32, programOf } from "../../test/programs.js";
import { TOLERANCES } from "../../test/tolerances.js";
import * as ops from "../ops/index.js";
import { bind, printProgram, pruneProgram } from "../program/index.js";
import type { Tensor, TensorType } from "../tensor/index.js";
import { simplify } from "./simplify.js";

/** The simplified Program as text; its numbers are those of the given one. */
function simplified(
  f: (...inputs: Tensor[]) => readonly Tensor[],
  types: readonly TensorType[],
  tolerance = 0,
): string {
  const program = programOf(f, ...types);
  const simpler = pruneProgram(simplify(program));
  expectSameResults(simpler, program, tolerance);
  return printProgram(simpler);
}

/** Fails if the Program gets any simpler. */
function expectUntouched(f: (...inputs: Tensor[]) => readonly Tensor[], ...types: TensorType[]): void {
  expect(simplified(f, types)).toBe(printProgram(programOf(f, ...types)));
}

const matrix = float32(2, 3);

describe("identities", () => {
  test("leave their operand: additions of 0, products with 1, stopGradient", () => {
    const chain = (x: Tensor) => {
      const summed = ops.subtract(ops.add(0, ops.add(x, 0)), 0);
      const multiplied = ops.divide(ops.multiply(1, ops.multiply(summed, 1)), 1);
      return [ops.sin(ops.stopGradient(multiplied))];
    };
    expect(simplified(chain as never, [matrix])).toMatchInlineSnapshot(`
      "(a: float32[2,3]) {
        b: float32[2,3] = sin a
        return b
      }"
    `);
  });

  test("of other numbers, or on the other side, stay", () => {
    const others: ((x: Tensor) => Tensor)[] = [
      (x) => ops.add(x, 1),
      (x) => ops.subtract(0, x),
      (x) => ops.multiply(x, 0),
      (x) => ops.divide(1, x),
      (x) => ops.divide(x, 2),
    ];
    for (const f of others) expectUntouched((x) => [f(x as Tensor)], matrix);
  });
});

describe("constants", () => {
  test("moved about are constants", () => {
    const moves = (x: Tensor) => {
      const two = ops.fill([3], 2);
      const moved = ops.reverse(ops.transpose(ops.slice(ops.broadcastTo(two, [4, 3]), 0, 0, 2)));
      return [ops.multiply(x, ops.reshape(moved, [2, 3]))];
    };
    expect(simplified(moves as never, [matrix])).toMatchInlineSnapshot(`
      "(a: float32[2,3]) {
        b: float32[2,3] = fill[value=2 dtype=float32 shape=[2,3]]
        c: float32[2,3] = multiply a b
        return c
      }"
    `);
  });

  test("are computed with, in their own precision", () => {
    const arithmetic = (x: Tensor) => [
      ops.multiply(x, ops.divide(ops.add(ops.fill([2, 3], 1), 2), ops.fill([2, 3], 7))),
    ];
    const text = simplified(arithmetic as never, [matrix]);
    expect(text).toContain(`fill[value=${Math.fround(3 / 7)} `);
    expect(text).not.toContain("divide");
  });

  test("that are pooled by a sum or a product stay: those are no moves", () => {
    expectUntouched((x) => [ops.multiply(x as Tensor, ops.sum(ops.fill([4], 2)))], float32());
  });
});

describe("sums", () => {
  test("of sums are one, over the axes of both", () => {
    const twice = (x: Tensor) => [ops.sum(ops.sum(x, { axes: 1 }), { axes: 1 })];
    expect(simplified(twice as never, [float32(2, 3, 4)], TOLERANCES.float32)).toMatchInlineSnapshot(`
      "(a: float32[2,3,4]) {
        b: float32[2] = sum[axes=[1,2]] a
        return b
      }"
    `);
    expect(
      simplified(
        ((x: Tensor) => [ops.sum(ops.sum(ops.sum(x, { axes: 2 }), { axes: 0 }))]) as never,
        [float32(2, 3, 4)],
        TOLERANCES.float32,
      ),
    ).toContain("sum[axes=[0,1,2]] a");
  });

  test("of a sum that is read elsewhere stay two", () => {
    expectUntouched((x) => {
      const inner = ops.sum(x as Tensor, { axes: 0 });
      return [ops.sum(inner), ops.sin(inner)];
    }, matrix);
    expectUntouched((x) => {
      const inner = ops.sum(x as Tensor, { axes: 0 });
      return [ops.sum(inner), inner];
    }, matrix);
  });
});

describe("a slice of a concatenation", () => {
  const join = (x: Tensor, y: Tensor) => ops.concatenate([x, y, x], 1);

  test("is the part that it takes out", () => {
    const parts = (x: Tensor, y: Tensor) => [ops.sin(ops.slice(join(x, y), 1, 3, 8)), ops.slice(join(x, y), 1, 8, 11)];
    expect(simplified(parts as never, [matrix, float32(2, 5)])).toMatchInlineSnapshot(`
      "(a: float32[2,3], b: float32[2,5]) {
        c: float32[2,5] = sin b
        return c a
      }"
    `);
  });

  test("that is no whole part stays", () => {
    const others: ((x: Tensor) => Tensor)[] = [
      (x) => ops.slice(x, 1, 3, 7),
      (x) => ops.slice(x, 1, 4, 8),
      (x) => ops.slice(x, 1, 0, 8),
      (x) => ops.slice(x, 1, 3, 8, 2),
      (x) => ops.slice(x, 0, 0, 1),
      (x) => ops.slice(ops.slice(x, 0, 1), 1, 3, 8),
    ];
    for (const f of others) expectUntouched((x, y) => [f(join(x as Tensor, y as Tensor))], matrix, float32(2, 5));
  });
});

describe("a sum of pads", () => {
  const [a, b, c] = [float32(2, 3), float32(2, 1), float32(2, 4)];

  test("that fill an axis is a concatenation, in the order of their places", () => {
    const whole = (x: Tensor, y: Tensor, z: Tensor) => [
      ops.add(ops.pad(z, 1, 4, 0), ops.add(ops.pad(x, 1, 0, 5), ops.pad(y, 1, 3, 4))),
    ];
    expect(simplified(whole as never, [a, b, c])).toMatchInlineSnapshot(`
      "(a: float32[2,3], b: float32[2,1], c: float32[2,4]) {
        d: float32[2,8] = concatenate[axis=1] a b c
        return d
      }"
    `);
  });

  test("along the first axis, too", () => {
    expect(
      simplified(((x: Tensor, y: Tensor) => [ops.add(ops.pad(x, 0, 1, 0), ops.pad(y, 0, 0, 2))]) as never, [
        float32(2, 3),
        float32(1, 3),
      ]),
    ).toContain("concatenate[axis=0] b a");
  });

  const padPrimitive = programOf((x) => [ops.pad(x as Tensor, 0, 1, 1)], float32(1)).equations[0]!.primitive;

  test.each<[string, (x: Tensor, y: Tensor) => Tensor]>([
    ["overlap", (x, y) => ops.add(ops.pad(x, 1, 0, 0 + 2), ops.pad(ops.concatenate([y, y, y], 1), 1, 2, 0))],
    ["leave a gap between", (x, y) => ops.add(ops.pad(x, 1, 0, 2), ops.pad(y, 1, 4, 0))],
    ["leave a gap at the start", (x, y) => ops.add(ops.pad(x, 1, 1, 1), ops.pad(y, 1, 4, 0))],
    ["leave a gap at the end", (x, y) => ops.add(ops.pad(x, 1, 0, 2), ops.pad(y, 1, 3, 1))],
    [
      "are along two axes",
      (x, y) => ops.add(ops.pad(ops.pad(x, 1, 0, 1), 0, 0, 1), ops.pad(ops.pad(y, 0, 1, 0), 1, 3, 0)),
    ],
    ["are not all pads", (x, y) => ops.add(ops.pad(x, 1, 0, 1), ops.broadcastTo(y, [2, 4]))],
    [
      "spread their elements",
      (x, y) => {
        const apart = { starts: [0, 0], steps: [1, 2], shape: [2, 6] };
        const between = { starts: [0, 5], steps: [1, 1], shape: [2, 6] };
        return ops.add(bind(padPrimitive, [x], apart)[0]!, bind(padPrimitive, [y], between)[0]!);
      },
    ],
  ])("that %s stays", (_, f) => {
    expectUntouched((x, y) => [f(x as Tensor, y as Tensor)], a, b);
  });

  test("of which a part is read elsewhere is not taken apart", () => {
    expectUntouched(
      (x, y, z) => {
        const inner = ops.add(ops.pad(x as Tensor, 1, 0, 5), ops.pad(y as Tensor, 1, 3, 4));
        return [ops.add(inner, ops.pad(z as Tensor, 1, 4, 0)), ops.sin(inner)];
      },
      a,
      b,
      c,
    );
  });
});
