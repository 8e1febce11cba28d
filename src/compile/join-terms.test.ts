import { describe, expect, test } from "vitest";
import { expectSameResults, float32, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import type { Program, Variable } from "../program/index.js";
import { type ScanParams, scan } from "../scan/index.js";
import type { Tensor, TensorType } from "../tensor/index.js";
import { formProducts } from "./form-products.js";
import { joinTerms } from "./join-terms.js";

const namesOf = ({ equations }: Program): string[] => equations.map(({ primitive }) => primitive.name);
const productsIn = (names: readonly string[]): number => names.filter((name) => name === "matmul").length;

type Step = (x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor) => Tensor;

interface Options {
  readonly rows?: number;
  readonly terms?: number;
  /** Whether the matrices are read transposed. Default true. */
  readonly transposed?: boolean;
}

const matrix = (transposed: boolean, terms: number, columns: number): TensorType =>
  transposed ? float32(columns, terms) : float32(terms, columns);

const projected = (a: Tensor, w: Tensor) => ops.matmul(a, w, { transposeB: true });
const plain: Step = (x, h, w, u) => ops.tanh(ops.add(projected(x, w), projected(h, u)));
const biased: Step = (x, h, w, u, b) => ops.tanh(ops.add(projected(h, u), ops.add(projected(x, w), b)));

/** Steps whose products can't be one, and why. */
const APART: [string, Step][] = [
  [
    "something else reads the first",
    (x, h, w, u) => {
      const first = projected(x, w);
      return ops.multiply(first, ops.tanh(ops.add(first, projected(h, u))));
    },
  ],
  [
    "something else reads the second",
    (x, h, w, u) => {
      const second = projected(h, u);
      return ops.multiply(second, ops.tanh(ops.add(projected(x, w), second)));
    },
  ],
  ["the matrices are read differently", (x, h, w, u) => ops.add(projected(x, w), ops.matmul(h, ops.transpose(u)))],
  ["a matrix changes", (x, h, w, u) => ops.add(projected(x, w), projected(h, ops.multiply(u, ops.mean(h))))],
  ["more than a row is added", (x, h, w, u) => ops.add(ops.add(projected(x, w), ops.tanh(h)), projected(h, u))],
];

describe("in a loop", () => {
  const TIME = 3;
  const loopOf = ({ equations }: Program): ScanParams =>
    equations.find(({ primitive }) => primitive.name === "scan")!.params as ScanParams;

  /** Names of the equations in the loop and outside; the numbers are those of the given Program, up to the rounding of sums that are made in one go. */
  function joined(step: Step, { rows = 16, terms = 3, transposed = true }: Options = {}) {
    const f = (xs: Tensor, w: Tensor, u: Tensor, b: Tensor) => [
      scan((h: Tensor, x: Tensor) => [step(x, h, w, u, b), []], ops.zeros([rows, 4]), xs)[0],
    ];
    const matrices = [matrix(transposed, terms, 4), matrix(transposed, 4, 4)];
    const program = programOf(f, float32(TIME, rows, terms), ...matrices, float32(4));
    const result = joinTerms(program, new Set());
    expectSameResults(result, program, 1e-6);
    return { inside: namesOf(loopOf(result).body), outside: namesOf(result), program: result };
  }

  test("two products of matrices that stay the same are one, whose matrix is made before", () => {
    const { inside, outside } = joined(plain);
    expect(inside).toEqual(["concatenate", "matmul", "tanh"]);
    expect(outside).toEqual(["fill", "concatenate", "scan"]);
  });

  test("the bias of the first is what the product starts from", () => {
    const { inside, program } = joined(biased);
    expect(inside).toEqual(["concatenate", "matmul", "broadcast", "add", "tanh"]);
    const formed = formProducts(program, { panel: 4, width: 2 });
    expect(namesOf(loopOf(formed).body)).toEqual(["concatenate", "product", "tanh"]);
  });

  test("matrices that are read as they are stand one below the other", () => {
    const step: Step = (x, h, w, u) => ops.tanh(ops.add(ops.matmul(x, w), ops.matmul(h, u)));
    expect(joined(step, { transposed: false }).inside).toEqual(["concatenate", "matmul", "tanh"]);
  });

  test("the terms with the bias come first, so that the bits are those of a product that goes on from the other", () => {
    // Kernels add term after term, whatever the block: what starts from D + x W and adds h U is D + [x h] [W; U].
    const { body } = loopOf(joined(biased).program);
    const [x, h] = body.equations[0]!.inputs;
    expect(body.inputs.indexOf(h!)).toBe(0);
    expect(body.inputs.indexOf(x!)).toBe(1);
  });

  test("they are one for 16 rows or more, and as many terms as fit the cache", () => {
    expect(productsIn(joined(biased, { rows: 15 }).inside)).toBe(2);
    expect(productsIn(joined(biased, { terms: 508 }).inside)).toBe(1);
    expect(productsIn(joined(biased, { terms: 509 }).inside)).toBe(2);
  });

  test.each(APART)("they stay two where %s", (_, step) => {
    const { inside, outside } = joined(step);
    expect(productsIn(inside)).toBe(2);
    expect([...inside, ...outside]).not.toContain("concatenate");
  });

  test("of a loop in it, too", () => {
    const inner = (x: Tensor, h: Tensor, w: Tensor, u: Tensor) =>
      scan((c: Tensor) => [plain(x, c, w, u, c), []], h, [], { length: 2 })[0];
    const { inside, program } = joined(inner as Step);
    expect(inside).toEqual(["scan"]);
    expect(namesOf(loopOf(loopOf(program).body).body)).toEqual(["concatenate", "matmul", "tanh"]);
    expect(namesOf(program)).toEqual(["fill", "concatenate", "scan"]);
  });
});

describe("outside of loops", () => {
  /** Names of the equations; the numbers are those of the given Program, up to the rounding of sums that are made in one go. */
  function joined(
    step: Step,
    { rows = 1, terms = 3, transposed = true }: Options = {},
    constants = (inputs: readonly Variable[]) => inputs.slice(2),
  ): string[] {
    const matrices = [matrix(transposed, terms, 4), matrix(transposed, 4, 4)];
    const types = [float32(rows, terms), float32(rows, 4), ...matrices, float32(4)];
    const program = programOf((...args: Tensor[]) => [step(...(args as Parameters<Step>))], ...types);
    const result = joinTerms(program, new Set(constants(program.inputs)));
    expectSameResults(result, program, 1e-5);
    return namesOf(result);
  }

  test("two products of matrices that never change are one, whose matrix is both", () => {
    expect(joined(plain)).toEqual(["concatenate", "concatenate", "matmul", "tanh"]);
    expect(productsIn(joined(plain, {}, (inputs) => inputs.slice(3)))).toBe(2);
  });

  test.each<[string, Step]>([
    ["the first", (x, h, w, u, b) => ops.add(ops.add(projected(x, w), b), projected(h, u))],
    ["the first, which stands second", (x, h, w, u, b) => ops.add(projected(h, u), ops.add(b, projected(x, w)))],
  ])("with a row that is added to %s", (_, step) => {
    expect(joined(step)).toEqual(["concatenate", "concatenate", "matmul", "broadcast", "add"]);
  });

  test("with a row that is added to both", () => {
    const step: Step = (x, h, w, u, b) => ops.add(ops.add(projected(x, w), projected(h, u)), b);
    expect(productsIn(joined(step))).toBe(1);
  });

  test("of three, two are joined", () => {
    const step: Step = (x, h, w, u) => ops.add(ops.add(projected(x, w), projected(h, u)), projected(ops.sin(h), u));
    expect(productsIn(joined(step))).toBe(2);
  });

  test.each(APART)("they stay two where %s", (_, step) => {
    const names = joined(step);
    expect(productsIn(names)).toBe(2);
    expect(names).not.toContain("concatenate");
  });

  test("few rows may have any number of terms, many those that fit the cache", () => {
    expect(productsIn(joined(plain, { rows: 15, terms: 600 }))).toBe(1);
    expect(productsIn(joined(plain, { rows: 16, terms: 508 }))).toBe(1);
    expect(productsIn(joined(plain, { rows: 16, terms: 509 }))).toBe(2);
  });
});
