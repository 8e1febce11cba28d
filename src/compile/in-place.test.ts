import { describe, expect, test } from "vitest";
import { expectSame, numbers } from "../../test/close.js";
import { float32, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import { type Primitive, Variable } from "../program/index.js";
import { compile, type Kernels, referenceKernels } from "../runtime/index.js";
import type { Tensor, TensorTree, TensorType } from "../tensor/index.js";
import { accumulatePrimitive } from "./accumulate.js";
import { chainRows } from "./chain-rows.js";
import { fuse } from "./fuse.js";
import { readsInPlace } from "./in-place.js";
import { printPlan } from "./plan.js";
import { productPrimitive } from "./product.js";

const matrix = float32(2, 4);

/** Whether the last result of a function, which is one group, may be written over its first input. */
function mayOverwrite(f: (...inputs: never[]) => readonly Tensor[], ...types: TensorType[]): boolean {
  const program = programOf(f as never, ...types);
  const { equations } = fuse(program);
  const group = equations.at(-1)!;
  return readsInPlace(group, program.inputs[0]!, group.outputs.at(-1)!);
}

describe("a result of a group may be written over an operand", () => {
  test("that is read element by element until then", () => {
    expect(mayOverwrite((x: Tensor, y: Tensor) => [ops.subtract(x, ops.multiply(y, 0.1))], matrix, matrix)).toBe(true);
    expect(mayOverwrite((x: Tensor, y: Tensor) => [ops.sin(x), ops.add(ops.multiply(x, x), y)], matrix, matrix)).toBe(
      true,
    );
  });

  test("but not if it is read after it", () => {
    const f = (y: Tensor, x: Tensor) => {
      const early = ops.sin(x);
      return [ops.multiply(ops.cos(early), y), early];
    };
    const program = programOf(f, matrix, matrix);
    const [group] = fuse(program).equations;
    const [early, late] = group!.outputs as [never, never];
    expect(readsInPlace(group!, program.inputs[0]!, early)).toBe(false);
    expect(readsInPlace(group!, program.inputs[0]!, late)).toBe(true);
    expect(readsInPlace(group!, program.inputs[1]!, early)).toBe(true);
  });

  test("nor if it is read through a view", () => {
    expect(mayOverwrite((x: Tensor) => [ops.add(x, ops.reverse(x, 1))], matrix)).toBe(false);
    expect(mayOverwrite((x: Tensor) => [ops.sin(ops.transpose(x))], float32(4, 4))).toBe(false);
    expect(mayOverwrite((x: Tensor, y: Tensor) => [ops.add(x, y)], float32(4), matrix)).toBe(false);
  });

  test("nor if the result is stored in another shape", () => {
    expect(mayOverwrite((x: Tensor) => [ops.concatenate([ops.sin(x), x], 1)], matrix)).toBe(false);
    expect(mayOverwrite((x: Tensor) => [ops.sum(ops.sin(x), { axes: 1 })], matrix)).toBe(false);
  });

  test("in parts, each of which is read until it is computed", () => {
    const halves = (x: Tensor) => ops.split(x, 2) as [Tensor, Tensor];
    const join = (...parts: Tensor[]) => [ops.concatenate(parts, 1)];
    const wide = float32(2, 8);
    // The first half is computed after both are read, the second last.
    const read = (x: Tensor) => {
      const [a, b] = halves(x);
      const product = ops.multiply(a, b);
      return join(ops.sin(a), ops.add(ops.cos(b), product));
    };
    expect(mayOverwrite(read, wide)).toBe(true);
    const readAfterwards = (x: Tensor) => {
      const [a, b] = halves(x);
      const first = ops.sin(a);
      return join(first, ops.add(ops.cos(b), a));
    };
    expect(mayOverwrite(readAfterwards, wide)).toBe(false);
    const exchanged = (x: Tensor) => join(...halves(x).map(ops.sin).reverse());
    expect(mayOverwrite(exchanged, wide)).toBe(false);
    const stored = (x: Tensor) => [halves(x)[0], ...join(...halves(x).map(ops.sin))];
    expect(mayOverwrite(stored, wide)).toBe(false);
    const everySecond = (x: Tensor) => {
      const even = ops.slice(x, 1, 0, 8, 2);
      return join(ops.sin(even), ops.cos(halves(x)[1]));
    };
    expect(mayOverwrite(everySecond, wide)).toBe(false);
    const whole = (x: Tensor) => join(...halves(x).map(ops.sin), ...halves(ops.add(x, 1)));
    expect(mayOverwrite(whole, wide)).toBe(false);
    const otherParts = (x: Tensor, y: Tensor) => {
      const [a, b] = halves(x);
      const [c, d] = halves(y);
      return join(ops.add(a, c), ops.add(b, d));
    };
    expect(mayOverwrite(otherParts, float32(2, 6), float32(2, 6))).toBe(true);
  });

  test("nor if the operation is none of elements", () => {
    expect(mayOverwrite((x: Tensor) => [ops.matmul(x, x)], float32(4, 4))).toBe(false);
  });
});

test("a result of several groups that go row by row may, if the last of them that reads the operand computes it", () => {
  const mean = (x: Tensor) => ops.mean(x, { axes: -1, keepAxes: true });
  const mayOverwriteFirst = (f: (x: Tensor, y: Tensor) => readonly Tensor[]): boolean => {
    const program = programOf(f, float32(64, 1024), float32(64, 1024));
    const [chain] = chainRows(fuse(program)).equations.filter(({ primitive }) => primitive.name === "rowwise");
    return readsInPlace(chain!, program.inputs[0]!, program.outputs[0]!);
  };
  expect(mayOverwriteFirst((x, y) => [ops.add(x, ops.multiply(y, mean(ops.sin(y))))])).toBe(true);
  expect(mayOverwriteFirst((x, y) => [ops.add(x, ops.multiply(y, mean(ops.sin(x))))])).toBe(true);
  const readLater = (x: Tensor, y: Tensor) => {
    const result = ops.add(x, ops.multiply(y, mean(y)));
    return [result, ops.add(ops.multiply(x, y), mean(result))];
  };
  expect(mayOverwriteFirst(readLater)).toBe(false);
});

test("a product may be written over what is added to it, but over neither factor, nor over a row that it repeats", () => {
  const [square, row] = [float32(4, 4), float32(4)];
  const [d, a, b, result] = [square, square, square, square].map((type) => new Variable(type));
  const product = (addend: Variable, left = a) => ({
    primitive: productPrimitive as Primitive,
    params: { transposeA: false, transposeB: false },
    inputs: [left, b, addend] as Variable[],
    outputs: [result] as Variable[],
  });
  expect(readsInPlace(product(d!), d!, result!)).toBe(true);
  expect(readsInPlace(product(d!), a!, result!)).toBe(false);
  expect(readsInPlace(product(d!), b!, result!)).toBe(false);
  expect(readsInPlace(product(d!, d), d!, result!)).toBe(false);
  const bias = new Variable(row);
  expect(readsInPlace(product(bias), bias, result!)).toBe(false);
});

test("rows are added to a total in its memory", () => {
  const total = new Variable(float32(4));
  const [x, next] = [new Variable(float32(2, 4)), new Variable(float32(4))];
  const adding = { primitive: accumulatePrimitive as Primitive, params: null, inputs: [total, x], outputs: [next] };
  const [group] = fuse({ inputs: [total, x], equations: [adding], outputs: [next] }).equations;
  expect(readsInPlace(group!, total, next)).toBe(true);
});

describe("a result that takes over the memory of an argument", () => {
  const prepared: Kernels = { ...referenceKernels, name: "prepared reference", target: { panel: 4, width: 2 } };

  /** Instructions of a Plan whose first argument is donated; it gives the same numbers as without. */
  const planOf = <T extends TensorTree>(f: (x: Tensor, y: Tensor) => T): string => {
    const args = () => [numbers(1, [2, 4], "float32"), numbers(2, [2, 4], "float32")] as const;
    const compiled = compile(f, { kernels: prepared, donate: [0] });
    expectSame(compiled(...args()), f(...args()));
    return printPlan(compiled.plan(...args()));
  };

  test("is written straight into it", () => {
    expect(planOf((x, y) => ops.subtract(x, ops.multiply(y, 0.1)))).toMatchInlineSnapshot(`
      "arena 0 bytes
      output0 float32[2,4] = fused input1 input0"
    `);
  });

  test("is copied there if the argument is read later", () => {
    const f = (x: Tensor, y: Tensor) => {
      const next = ops.add(x, y);
      return [next, ops.sum(ops.matmul(next, x, { transposeB: true }))];
    };
    expect(planOf(f as never)).toMatchInlineSnapshot(`
      "arena 128 bytes
      @0 float32[2,4] = fused input0 input1
      @64 float32[2,2] = product @0 input0
      output1 float32[] = sum @64
      output0 float32[2,4] = @0"
    `);
  });

  test("is copied there if the argument is read through a view", () => {
    expect(planOf((x) => ops.add(x, ops.reverse(x, 1)))).toMatchInlineSnapshot(`
      "arena 64 bytes
      @0 float32[2,4] = fused input0
      output0 float32[2,4] = @0"
    `);
  });

  test("is copied there if the argument is a result, too", () => {
    expect(planOf((x, y) => [ops.add(x, y), x] as never)).toMatchInlineSnapshot(`
      "arena 128 bytes
      @0 float32[2,4] = fused input0 input1
      @64 float32[2,4] = input0
      output0 float32[2,4] = @0
      output1 float32[2,4] = @64"
    `);
  });

  test("is copied there if another name of the argument is read later", () => {
    const f = (x: Tensor, y: Tensor) => {
      const name = ops.reshape(x, [4, 2]);
      const next = ops.add(x, y);
      return [next, ops.matmul(next, name)];
    };
    expect(planOf(f as never)).toMatchInlineSnapshot(`
      "arena 64 bytes
      @0 float32[2,4] = fused input0 input1
      output1 float32[2,2] = product @0 input0
      output0 float32[2,4] = @0"
    `);
  });
});
