import { describe, expect, test } from "vitest";
import { expectSameResults, float32, float64, programOf } from "../../test/programs.js";
import { TOLERANCES } from "../../test/tolerances.js";
import * as ops from "../ops/index.js";
import { type Program, printProgram, type Variable } from "../program/index.js";
import { scan } from "../scan/index.js";
import type { Tensor, TensorType } from "../tensor/index.js";
import { formProducts } from "./form-products.js";

type Traced = (...inputs: never[]) => readonly Tensor[];

/** The Program with products formed; its numbers are those of the given one. */
function formed(
  f: Traced,
  types: readonly TensorType[],
  constants: (program: Program) => Variable[] = () => [],
): Program {
  const program = programOf(f as never, ...types);
  const result = formProducts(program, { panel: 4, width: 2 }, new Set(constants(program)));
  expectSameResults(result, program, TOLERANCES.float32);
  return result;
}

const namesOf = ({ equations }: Program): string[] => equations.map(({ primitive }) => primitive.name);

const [a, b] = [float32(2, 3), float32(3, 5)];

describe("a product", () => {
  test("of float32 matrices is formed", () => {
    const f = (x: Tensor, w: Tensor) => [ops.matmul(x, w, { transposeA: true, transposeB: true })];
    expect(printProgram(formed(f, [float32(3, 2), float32(5, 3)]))).toMatchInlineSnapshot(`
      "(a: float32[3,2], b: float32[5,3]) {
        c: float32[2,5] = product[transposeA=true transposeB=true] a b
        return c
      }"
    `);
  });

  test("of other matrices stays as it is", () => {
    const f = (x: Tensor, w: Tensor) => [ops.matmul(x, w)];
    expect(namesOf(formed(f, [float64(2, 3), float64(3, 5)]))).toEqual(["matmul"]);
    expect(namesOf(formed(f, [float32(2, 2, 3), float32(2, 3, 5)]))).toEqual(["matmul"]);
  });
});

describe("an addition to a product", () => {
  test("is its third operand, on either side", () => {
    const f = (x: Tensor, w: Tensor, d: Tensor) => [
      ops.add(ops.matmul(x, w), d),
      ops.add(d, ops.matmul(x, ops.sin(w))),
    ];
    expect(printProgram(formed(f, [a, b, float32(2, 5)]))).toMatchInlineSnapshot(`
      "(a: float32[2,3], b: float32[3,5], c: float32[2,5]) {
        d: float32[2,5] = product[transposeA=false transposeB=false] a b c
        e: float32[3,5] = sin b
        f: float32[2,5] = product[transposeA=false transposeB=false] a e c
        return d f
      }"
    `);
  });

  test("of a bias is one row, not a matrix", () => {
    const f = (x: Tensor, w: Tensor, bias: Tensor) => [ops.add(ops.matmul(x, w), bias)];
    expect(printProgram(formed(f, [a, b, float32(5)]))).toMatchInlineSnapshot(`
      "(a: float32[2,3], b: float32[3,5], c: float32[5]) {
        d: float32[2,5] = product[transposeA=false transposeB=false] a b c
        return d
      }"
    `);
  });

  test("of a bias to the products of all steps is seen through the change of shape", () => {
    const f = (x: Tensor, w: Tensor, bias: Tensor) => [ops.add(ops.reshape(ops.matmul(x, w), [2, 3, 5]), bias)];
    expect(printProgram(formed(f, [float32(6, 3), b, float32(5)]))).toMatchInlineSnapshot(`
      "(a: float32[6,3], b: float32[3,5], c: float32[5]) {
        d: float32[6,5] = product[transposeA=false transposeB=false] a b c
        e: float32[2,3,5] = reshape[shape=[2,3,5]] d
        return e
      }"
    `);
  });

  test("of a row in another shape adds it as a row", () => {
    const square = [float32(5, 3), b];
    const asRow = (x: Tensor, w: Tensor, column: Tensor) => [ops.add(ops.matmul(x, w), ops.reshape(column, [5]))];
    expect(namesOf(formed(asRow, [...square, float32(5, 1)]))).toEqual(["product"]);
    expect(namesOf(formed(asRow, [...square, float32(1, 5)]))).toEqual(["product"]);
  });

  test("of a column, of part of a row, of a reversed row, or to one row is that of a matrix", () => {
    const matrices: [(d: Tensor) => Tensor, TensorType][] = [
      [(d) => ops.broadcastTo(d, [5, 5]), float32(5, 1)],
      [(d) => ops.slice(d, 0, 1, 6), float32(7)],
      [(d) => ops.slice(d, 0, 0, 10, 2), float32(10)],
      [(d) => ops.reverse(d), float32(5)],
      [(d) => ops.broadcastTo(d, [5]), float32(1)],
      [(d) => ops.transpose(d), float32(5, 5)],
    ];
    for (const [change, type] of matrices) {
      const f = (x: Tensor, w: Tensor, d: Tensor) => [ops.add(ops.matmul(x, w), change(d))];
      const { equations } = formed(f, [float32(5, 3), b, type]);
      expect(equations.at(-1)!.inputs[2]!.type.shape).toEqual([5, 5]);
    }
    const { equations } = formed(
      (x: Tensor, w: Tensor, d: Tensor) => [ops.add(ops.matmul(x, w), d)],
      [float32(1, 3), b, float32(5)],
    );
    expect(equations.at(-1)!.inputs[2]!.type.shape).toEqual([1, 5]);
  });

  test("of another product takes one of them", () => {
    const f = (x: Tensor, w: Tensor) => [ops.add(ops.matmul(x, w), ops.matmul(ops.sin(x), w))];
    expect(printProgram(formed(f, [a, b]))).toMatchInlineSnapshot(`
      "(a: float32[2,3], b: float32[3,5]) {
        c: float32[2,3] = sin a
        d: float32[2,5] = product[transposeA=false transposeB=false] c b
        e: float32[2,5] = product[transposeA=false transposeB=false] a b d
        return e
      }"
    `);
  });

  test("that somebody else reads stays an addition", () => {
    const readTwice = (x: Tensor, w: Tensor, d: Tensor) => {
      const product = ops.matmul(x, w);
      return [ops.add(product, d), ops.sin(product)];
    };
    const isResult = (x: Tensor, w: Tensor, d: Tensor) => {
      const product = ops.matmul(x, w);
      return [ops.add(product, d), product];
    };
    const doubled = (x: Tensor, w: Tensor) => {
      const product = ops.matmul(x, w);
      return [ops.add(product, product)];
    };
    expect(namesOf(formed(readTwice, [a, b, float32(2, 5)]))).toEqual(["product", "add", "sin"]);
    expect(namesOf(formed(isResult, [a, b, float32(2, 5)]))).toEqual(["product", "add"]);
    expect(namesOf(formed(doubled, [a, b]))).toEqual(["product", "add"]);
  });

  test("of a product that is subtracted, or spread out, stays", () => {
    const f = (x: Tensor, w: Tensor, d: Tensor) => [ops.subtract(d, ops.matmul(x, w))];
    expect(namesOf(formed(f, [a, b, float32(2, 5)]))).toEqual(["product", "subtract"]);
    const spread = (x: Tensor, w: Tensor, d: Tensor) => [ops.add(ops.broadcastTo(ops.matmul(x, w), [4, 2, 5]), d)];
    expect(namesOf(formed(spread, [a, b, float32(4, 2, 5)]))).toEqual(["product", "broadcast", "add"]);
  });
});

describe("a loop", () => {
  const start = float32(2, 3);
  const run = (step: (h: Tensor, x: Tensor) => [Tensor, Tensor], h: Tensor, xs: Tensor) => {
    const [last, results] = scan(step, h, xs);
    return [last, results];
  };

  test("has the matrices that no step changes packed before it, once each", () => {
    const f = (h: Tensor, w: Tensor, xs: Tensor) =>
      run((carry, x) => [ops.tanh(ops.add(ops.matmul(carry, w), x)), ops.matmul(ops.sin(carry), w)], h, xs);
    expect(printProgram(formed(f, [start, float32(3, 3), float32(4, 2, 3)]))).toMatchInlineSnapshot(`
      "(a: float32[2,3], b: float32[3,3], c: float32[4,2,3]) {
        d: float32[12] = pack[panel=4 width=2 transpose=false] b
        e: float32[2,3], f: float32[4,2,3] = scan[length=4 carries=1 slices=1 body=(a: float32[2,3], b: float32[2,3], c: float32[12]) {
          d: float32[2,3] = product[transposeA=false transposeB=false packedColumns=3 panel=4 width=2] a c b
          e: float32[2,3] = tanh d
          f: float32[2,3] = sin a
          g: float32[2,3] = product[transposeA=false transposeB=false packedColumns=3 panel=4 width=2] f c
          return e g
        }] a c d
        return e f
      }"
    `);
  });

  test("packs a matrix in each direction that it is read in", () => {
    const f = (h: Tensor, w: Tensor, xs: Tensor) =>
      run((carry, x) => [ops.add(ops.matmul(carry, w), x), ops.matmul(carry, w, { transposeB: true })], h, xs);
    expect(namesOf(formed(f, [start, float32(3, 3), float32(4, 2, 3)]))).toEqual(["pack", "pack", "scan"]);
  });

  test("leaves matrices alone that change, or that stand on the left", () => {
    const changing = (h: Tensor, xs: Tensor) => run((carry, x) => [ops.matmul(carry, x), carry], h, xs);
    expect(namesOf(formed(changing, [start, float32(4, 3, 3)]))).toEqual(["scan"]);
    const left = (h: Tensor, w: Tensor, xs: Tensor) =>
      run((carry, x) => [ops.add(ops.matmul(w, carry), x), ops.matmul(carry, w, { transposeA: true })], h, xs);
    expect(namesOf(formed(left, [start, float32(2, 2), float32(4, 2, 3)]))).toEqual(["scan"]);
  });

  test("packs for a loop inside before the loop around it", () => {
    const f = (h: Tensor, w: Tensor, xs: Tensor) =>
      run(
        (carry, x) => run((inner, y) => [ops.add(ops.matmul(inner, w), y), inner], carry, x) as [Tensor, Tensor],
        h,
        xs,
      );
    expect(namesOf(formed(f, [start, float32(3, 3), float32(2, 4, 2, 3)]))).toEqual(["pack", "scan"]);
  });
});

test("a matrix that is the same at every run is packed, for kernels to fold", () => {
  const f = (x: Tensor, w: Tensor) => [ops.matmul(x, w)];
  expect(printProgram(formed(f, [a, b], ({ inputs }) => [inputs[1]!]))).toMatchInlineSnapshot(`
    "(a: float32[2,3], b: float32[3,5]) {
      c: float32[18] = pack[panel=4 width=2 transpose=false] b
      d: float32[2,5] = product[transposeA=false transposeB=false packedColumns=5 panel=4 width=2] a c
      return d
    }"
  `);
  const left = (x: Tensor, w: Tensor) => [ops.matmul(x, w, { transposeA: true })];
  expect(namesOf(formed(left, [float32(3, 2), b], ({ inputs }) => [inputs[1]!]))).toEqual(["product"]);
});
