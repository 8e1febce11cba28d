import { expect, test } from "vitest";
import { expectSameResults, float32, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import type { Program, Variable } from "../program/index.js";
import { type ScanParams, scan } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { joinConstantProducts } from "./join-constant-products.js";

const namesOf = ({ equations }: Program): string[] => equations.map(({ primitive }) => primitive.name);

type Step = (x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor) => Tensor;

/** Names of the equations; the numbers are those of the given Program, up to the rounding of sums that are made in one go. */
function joined(
  step: Step,
  { rows = 1, terms = 3, transposed = true, constants = (inputs: readonly Variable[]) => inputs.slice(2) } = {},
): string[] {
  const matrix = (a: number, b: number) => (transposed ? float32(b, a) : float32(a, b));
  const types = [float32(rows, terms), float32(rows, 4), matrix(terms, 6), matrix(4, 6), float32(6)];
  const program = programOf((...args: Tensor[]) => [step(...(args as Parameters<Step>))], ...types);
  const result = joinConstantProducts(program, new Set(constants(program.inputs)));
  expectSameResults(result, program, 1e-5);
  return namesOf(result);
}

const projected = (a: Tensor, w: Tensor) => ops.matmul(a, w, { transposeB: true });
const plain: Step = (x, h, w, u) => ops.tanh(ops.add(projected(x, w), projected(h, u)));

test("two products of matrices that never change are one, whose matrix is both", () => {
  expect(joined(plain)).toEqual(["concatenate", "concatenate", "matmul", "tanh"]);
});

test.each<[string, Step]>([
  ["the first", (x, h, w, u, b) => ops.add(ops.add(projected(x, w), b), projected(h, u))],
  ["the first, which stands second", (x, h, w, u, b) => ops.add(projected(h, u), ops.add(b, projected(x, w)))],
])("with a row that is added to %s", (_, step) => {
  expect(joined(step)).toEqual(["concatenate", "concatenate", "matmul", "broadcast", "add"]);
});

test("with a row that is added to both", () => {
  const step: Step = (x, h, w, u, b) => ops.add(ops.add(projected(x, w), projected(h, u)), b);
  expect(joined(step).filter((name) => name === "matmul").length).toBe(1);
});

test("likewise of matrices that are read as they are", () => {
  const step: Step = (x, h, w, u) => ops.add(ops.matmul(x, w), ops.matmul(h, u));
  expect(joined(step, { transposed: false })).toEqual(["concatenate", "concatenate", "matmul"]);
});

test("of three, two are joined", () => {
  const step: Step = (x, h, w, u) => ops.add(ops.add(projected(x, w), projected(h, u)), projected(ops.sin(h), u));
  expect(joined(step).filter((name) => name === "matmul").length).toBe(2);
});

test.each<[string, Step, Parameters<typeof joined>[1]]>([
  ["a matrix changes", plain, { constants: (inputs) => inputs.slice(3) }],
  ["many rows have more terms than fit the cache", plain, { rows: 16, terms: 509 }],
  [
    "something else reads a product",
    (x, h, w, u) => {
      const first = projected(x, w);
      return ops.add(ops.add(first, projected(h, u)), ops.exp(first));
    },
    {},
  ],
  ["the matrices are read differently", (x, h, w, u) => ops.add(projected(x, w), ops.matmul(h, ops.transpose(u))), {}],
])("they stay two where %s", (_, step, options) => {
  const names = joined(step, options);
  expect(names.filter((name) => name === "matmul").length).toBe(2);
  expect(names).not.toContain("concatenate");
});

test("few rows may have any number of terms, many those that fit the cache", () => {
  expect(joined(plain, { rows: 15, terms: 600 })).toContain("concatenate");
  expect(joined(plain, { rows: 16, terms: 508 })).toContain("concatenate");
});

test("loops are left alone", () => {
  const f = (xs: Tensor, w: Tensor, u: Tensor) => [
    scan((h: Tensor, x: Tensor) => [ops.add(projected(x, w), projected(h, u)), []], ops.zeros([1, 6]), xs)[0],
  ];
  const program = programOf(f, float32(2, 1, 6), float32(6, 6), float32(6, 6));
  const result = joinConstantProducts(program, new Set(program.inputs.slice(1)));
  const { body } = result.equations.find(({ primitive }) => primitive.name === "scan")!.params as ScanParams;
  expect(namesOf(body)).not.toContain("concatenate");
});
