import { expect, test } from "vitest";
import { expectSameResults, float32, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import type { Program } from "../program/index.js";
import type { Tensor } from "../tensor/index.js";
import { joinProducts } from "./join-products.js";

const namesOf = ({ equations }: Program): string[] => equations.map(({ primitive }) => primitive.name);

/** The Program with joined products; its numbers are exactly those of the given one. */
function joined(f: (...inputs: never[]) => readonly Tensor[], ...shapes: (readonly number[])[]): string[] {
  const program = programOf(f as never, ...shapes.map((shape) => float32(...shape)));
  const result = joinProducts(program);
  expectSameResults(result, program);
  return namesOf(result);
}

const gradient = (a: Tensor, b: Tensor) => ops.matmul(a, b, { transposeA: true });

test("weight gradients from one operand are one product, and slices of it", () => {
  const f = (a: Tensor, x: Tensor, h: Tensor) => [gradient(a, x), ops.tanh(gradient(a, h))];
  expect(joined(f, [6, 4], [6, 3], [6, 5])).toEqual(["concatenate", "matmul", "slice", "slice", "tanh"]);
});

test("what stands between them does not part them, unless it reads the first", () => {
  const view = (h: Tensor) => ops.reshape(h, [6, 5]);
  const between = (a: Tensor, x: Tensor, h: Tensor) => [gradient(a, x), gradient(a, view(h))];
  expect(joined(between, [6, 4], [6, 3], [2, 3, 5])).toEqual(["reshape", "concatenate", "matmul", "slice", "slice"]);
  const read = (a: Tensor, x: Tensor, h: Tensor) => [ops.tanh(gradient(a, x)), gradient(a, h), gradient(a, x)];
  expect(joined(read, [6, 4], [6, 3], [6, 5])).toEqual(["matmul", "tanh", "concatenate", "matmul", "slice", "slice"]);
});

test("three of them, one without columns", () => {
  const f = (a: Tensor, x: Tensor, h: Tensor, z: Tensor) => [gradient(a, x), gradient(a, h), gradient(a, z)];
  expect(joined(f, [6, 4], [6, 3], [6, 0], [6, 1])).toEqual(["concatenate", "matmul", "slice", "slice", "slice"]);
});

test("one whose second operand needs the first product stays behind it", () => {
  const f = (a: Tensor, x: Tensor) => {
    const first = gradient(a, x);
    return [gradient(a, ops.matmul(a, first)), first];
  };
  expect(joined(f, [6, 4], [6, 3])).toEqual(["matmul", "matmul", "matmul"]);
});

test("products of different first operands, and those that read it as it is, stay", () => {
  const different = (a: Tensor, b: Tensor, x: Tensor) => [gradient(a, x), gradient(b, x)];
  expect(joined(different, [6, 4], [6, 4], [6, 3])).toEqual(["matmul", "matmul"]);
  const plain = (a: Tensor, x: Tensor, y: Tensor) => [ops.matmul(a, x), ops.matmul(a, y)];
  expect(joined(plain, [6, 4], [4, 3], [4, 2])).toEqual(["matmul", "matmul"]);
});
