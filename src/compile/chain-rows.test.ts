import { describe, expect, test } from "vitest";
import { expectSameResults, float32, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import type { Equation, Program } from "../program/index.js";
import { type ScanParams, scan } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { chainRows } from "./chain-rows.js";
import { fuse } from "./fuse.js";
import { type RowwiseParams, scratchOf } from "./rowwise.js";

const normalize = (x: Tensor): Tensor => {
  const centred = ops.subtract(x, ops.mean(x, { axes: -1, keepAxes: true }));
  return ops.multiply(centred, ops.mean(ops.square(centred), { axes: -1, keepAxes: true }));
};

const namesOf = ({ equations }: Program): string[] =>
  equations.map(({ primitive }) => primitive.name).filter((name) => name !== "fill");

/** The Program with its chains; its numbers are exactly those of the fused one. */
function chained(f: (...inputs: never[]) => readonly Tensor[], ...shapes: (readonly number[])[]): Program {
  return chainedIn(undefined, f, ...shapes);
}

/** Likewise in pieces of so many bytes. */
function chainedIn(
  pieceBytes: number | undefined,
  f: (...inputs: never[]) => readonly Tensor[],
  ...shapes: (readonly number[])[]
): Program {
  const program = fuse(programOf(f as never, ...shapes.map((shape) => float32(...shape))));
  const result = chainRows(program, pieceBytes);
  expectSameResults(result, program);
  return result;
}

const rowwiseOf = ({ equations }: Program): RowwiseParams =>
  (equations.find(({ primitive }) => primitive.name === "rowwise") as Equation).params as RowwiseParams;

describe("groups that go row by row", () => {
  test("are one operation when their rows do not fit into the cache, in equal pieces", () => {
    const program = chained((x: Tensor) => [normalize(ops.tanh(x))], [60, 512]);
    expect(namesOf(program)).toEqual(["rowwise"]);
    const params = rowwiseOf(program);
    expect(params.rows % params.chunk).toBe(0);
    expect(params.chunk).toBeGreaterThan(1);
    expect(params.chunk * 512 * 4 * 3).toBeLessThan(192 * 1024);
    // A smaller cache takes smaller pieces, a large one all rows.
    const f = (x: Tensor) => [normalize(ops.tanh(x))];
    expect([rowwiseOf(chainedIn(96 * 1024, f, [60, 512])).chunk, params.chunk]).toEqual([15, 30]);
    expect(namesOf(chainedIn(1536 * 1024, f, [60, 512]))).not.toContain("rowwise");
    // What lies between takes the memory of one piece, and is used again.
    expect(scratchOf(params).bytes).toBeLessThan(2.2 * params.chunk * 512 * 4);
  });

  test("stay as they are when everything fits", () => {
    expect(namesOf(chained((x: Tensor) => [normalize(ops.tanh(x))], [4, 8]))).not.toContain("rowwise");
  });

  test("hand out what others read", () => {
    const program = chained(
      (x: Tensor) => {
        const y = normalize(x);
        return [y, normalize(ops.sin(y)), ops.sum(ops.reshape(y, [30 * 1024]))];
      },
      [30, 1024],
    );
    expect(namesOf(program)).toContain("rowwise");
    expect(rowwiseOf(program).body.outputs.length).toBeGreaterThanOrEqual(2);
  });

  test("inside loops too", () => {
    const program = chained(
      (xs: Tensor) => [scan((h: Tensor, x: Tensor) => [normalize(ops.add(h, x)), h], ops.zeros([30, 1024]), xs)[0]],
      [3, 30, 1024],
    );
    const loop = program.equations.find(({ primitive }) => primitive.name === "scan") as Equation;
    expect(namesOf((loop.params as ScanParams).body)).toEqual(["rowwise"]);
  });
});

describe("what is no part of a chain", () => {
  test("groups that read nothing of each other", () => {
    const f = (x: Tensor, y: Tensor) => [ops.tanh(x), ops.sin(y)];
    expect(namesOf(chained(f, [200, 300], [200, 700]))).toEqual(["fused", "fused"]);
  });

  test("a sum over the rows, and a group that reads other rows than its own", () => {
    const overRows = (x: Tensor) => {
      const y = ops.tanh(x);
      return [ops.subtract(ops.sin(y), ops.sum(y, { axes: 0, keepAxes: true }))];
    };
    expect(namesOf(chained(overRows, [512, 512]))).not.toContain("rowwise");
    const otherRows = (x: Tensor) => {
      const y = ops.exp(ops.tanh(x));
      return [ops.add(ops.sum(y, { axes: -1, keepAxes: true }), ops.transpose(y))];
    };
    for (const params of chained(otherRows, [512, 512]).equations.map(({ params: one }) => one as RowwiseParams))
      expect(params.chunk === undefined || params.body.equations.length < 3).toBe(true);
  });

  test("a matrix product", () => {
    const f = (x: Tensor, w: Tensor) => [normalize(ops.matmul(normalize(x), w))];
    expect(namesOf(chained(f, [64, 512], [512, 512]))).toEqual(["rowwise", "matmul", "rowwise"]);
  });
});
