import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectSameResults, float32, float64, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import { type Program, printProgram } from "../program/index.js";
import { type ScanParams, scan } from "../scan/index.js";
import { sameShape, sizeOf, type Tensor, type TensorType } from "../tensor/index.js";
import { fuse } from "./fuse.js";
import type { FusedParams } from "./fused.js";
import { sinkIntoLoops } from "./sink.js";
import { sumInLoops } from "./sum-in-loops.js";

/** The fused Program; its numbers are exactly those of the given one. */
function fused(f: (...inputs: never[]) => readonly Tensor[], ...types: TensorType[]): Program {
  const program = programOf(f as never, ...types);
  const result = fuse(program);
  expectSameResults(result, program);
  return result;
}

const namesOf = ({ equations }: Program): string[] => equations.map(({ primitive }) => primitive.name);

const bodyOf = (program: Program, index: number): Program => (program.equations[index]!.params as FusedParams).body;

const matrix = float32(2, 4);

describe("elementwise arithmetic", () => {
  test("of one shape is one group, which leaves behind what others read", () => {
    const f = (x: Tensor, y: Tensor) => {
      const product = ops.multiply(ops.tanh(x), y);
      return [ops.sin(product), product];
    };
    expect(printProgram(fused(f, matrix, matrix))).toMatchInlineSnapshot(`
      "(a: float32[2,4], b: float32[2,4]) {
        c: float32[2,4], d: float32[2,4] = fused[(a: float32[2,4], b: float32[2,4]) {
          c: float32[2,4] = tanh a
          d: float32[2,4] = multiply c b
          e: float32[2,4] = sin d
          return d e
        }] a b
        return d c
      }"
    `);
  });

  test("of several shapes is one group each", () => {
    const f = (x: Tensor, y: Tensor) => [ops.sin(x), ops.sin(y), ops.cos(ops.sin(x)), ops.cos(ops.sin(y))];
    expect(namesOf(fused(f, matrix, float32(3)))).toEqual(["fused", "fused"]);
  });

  test("joins the first group that it can, past what it does not depend on", () => {
    const f = (x: Tensor, y: Tensor, w: Tensor) => {
      const early = ops.sin(x);
      const product = ops.matmul(early, w);
      return [ops.add(product, early), ops.multiply(y, early)];
    };
    const program = fused(f, matrix, matrix, float32(4, 4));
    expect(namesOf(program)).toEqual(["fused", "matmul", "fused"]);
    expect(namesOf(bodyOf(program, 0))).toEqual(["sin", "multiply"]);
  });

  test("with conditions and casts is in the group, too", () => {
    const f = (x: Tensor, y: Tensor) => [ops.cast(ops.select(ops.greater(x, y), x, ops.multiply(y, 2)), "int32")];
    expect(namesOf(fused(f, matrix, matrix))).toEqual(["fused"]);
  });

  test("in float64 is left alone", () => {
    const f = (x: Tensor) => [ops.sin(ops.add(x, x)), ops.cast(x, "float32")];
    expect(namesOf(fused(f, float64(2, 4)))).toEqual(["add", "sin", "cast"]);
  });

  test("of more than 128 equations is several groups", () => {
    const f = (x: Tensor) => [Array.from({ length: 300 }).reduce<Tensor>((y) => ops.sin(y), x)];
    const program = fused(f, matrix);
    expect(namesOf(program)).toEqual(["fused", "fused", "fused"]);
    expect([0, 1, 2].map((index) => bodyOf(program, index).equations.length)).toEqual([44, 128, 128]);
  });
});

describe("what one later group alone reads", () => {
  /** Two groups: a sum of rows, and what reads it. */
  const groups = (late: (x: Tensor, y: Tensor) => Tensor): string[][] => {
    const f = (x: Tensor, y: Tensor) => {
      const early = late(x, y);
      return [ops.add(early, ops.sum(ops.sin(x), { axes: 1, keepAxes: true }))];
    };
    const program = fused(f, matrix, matrix);
    expect(namesOf(program)).toEqual(["fused", "fused"]);
    return [0, 1].map((index) => namesOf(bodyOf(program, index)));
  };

  test("is computed there, with all that leads to it, right before it is read", () => {
    expect(groups((x) => ops.square(ops.cos(x)))).toEqual([
      ["sin", "sum"],
      ["cos", "square", "reshape", "reshape", "broadcast", "add"],
    ]);
  });

  test("stays where it is if the later group would read more from memory", () => {
    expect(groups((x, y) => ops.multiply(x, y))).toEqual([
      ["multiply", "sin", "sum"],
      ["reshape", "reshape", "broadcast", "add"],
    ]);
  });
});

describe("views and fills", () => {
  test("are read through, and gone if nobody else reads them", () => {
    const f = (x: Tensor, row: Tensor, wide: Tensor) => [
      ops.multiply(ops.add(ops.add(x, row), ops.slice(ops.reverse(wide, 1), 1, 2, 6)), 3),
    ];
    expect(printProgram(fused(f, matrix, float32(4), float32(2, 8)))).toMatchInlineSnapshot(`
      "(a: float32[2,4], b: float32[4], c: float32[2,8]) {
        d: float32[2,4] = fused[(a: float32[2,4], b: float32[4], c: float32[2,8]) {
          d: float32[2,4] = broadcast[axes=[1] shape=[2,4]] b
          e: float32[2,4] = add a d
          f: float32[2,8] = reverse[axis=1] c
          g: float32[2,4] = slice[starts=[0,2] ends=[2,6] steps=[1,1]] f
          h: float32[2,4] = add e g
          i: float32[2,4] = fill[value=3 dtype=float32 shape=[2,4]]
          j: float32[2,4] = multiply h i
          return j
        }] a b c
        return d
      }"
    `);
  });

  test("that something else reads, or that are results, stay", () => {
    const f = (x: Tensor, w: Tensor) => {
      const turned = ops.transpose(x);
      const flipped = ops.reverse(x, 1);
      return [ops.matmul(turned, w), ops.sin(turned), ops.cos(flipped), flipped];
    };
    expect(namesOf(fused(f, matrix, matrix))).toEqual(["transpose", "reverse", "matmul", "fused", "fused"]);
  });

  test("of what a group computes are read behind that group", () => {
    const f = (x: Tensor) => {
      const y = ops.sin(x);
      return [ops.add(y, ops.reverse(y, 1))];
    };
    expect(namesOf(fused(f, matrix))).toEqual(["fused", "fused"]);
  });

  test("that need a copy are made first", () => {
    const f = (x: Tensor) => [ops.sin(ops.reshape(ops.transpose(x), [2, 4]))];
    expect(namesOf(fused(f, matrix))).toEqual(["transpose", "reshape", "fused"]);
  });

  test("that a loop is given are sunk into it, and become its own", () => {
    const f = (xs: Tensor) => {
      const two = ops.fill([2, 4], 2);
      return scan((h: Tensor, x: Tensor) => [ops.add(ops.multiply(h, two), x), h], ops.zeros([2, 4]), xs);
    };
    const program = fuse(sinkIntoLoops(programOf(f as never, float32(3, 2, 4))));
    expect(namesOf(program)).toEqual(["fill", "scan"]);
    const { body } = program.equations[1]!.params as ScanParams;
    expect(printProgram(body)).toMatchInlineSnapshot(`
      "(a: float32[2,4], b: float32[2,4]) {
        c: float32[2,4] = fused[(a: float32[2,4], b: float32[2,4]) {
          c: float32[2,4] = fill[value=2 dtype=float32 shape=[2,4]]
          d: float32[2,4] = multiply a c
          e: float32[2,4] = add d b
          return e
        }] a b
        return c a
      }"
    `);
  });
});

describe("the end of a group", () => {
  test("is a concatenation of equal parts", () => {
    const f = (x: Tensor, y: Tensor) => [ops.concatenate([ops.sin(x), ops.cos(y), x], 1)];
    expect(printProgram(fused(f, matrix, matrix))).toMatchInlineSnapshot(`
      "(a: float32[2,4], b: float32[2,4]) {
        c: float32[2,12] = fused[(a: float32[2,4], b: float32[2,4]) {
          c: float32[2,4] = sin a
          d: float32[2,4] = cos b
          e: float32[2,12] = concatenate[axis=1] c d a
          return e
        }] a b
        return c
      }"
    `);
  });

  test("is a sum over the last axis", () => {
    const f = (x: Tensor) => [ops.sum(ops.square(x), { axes: 1 })];
    expect(printProgram(fused(f, matrix))).toMatchInlineSnapshot(`
      "(a: float32[2,4]) {
        b: float32[2] = fused[(a: float32[2,4]) {
          b: float32[2,4] = square a
          c: float32[2] = sum[axes=[1]] b
          return c
        }] a
        return b
      }"
    `);
  });

  test("is a sum that grows, of what it computes and of what it reads", () => {
    const f = (total: Tensor, x: Tensor) => {
      const [a] = scan(
        (old: readonly [Tensor, Tensor], row: Tensor) => [old, [ops.square(row), row] as const],
        [total, total] as const,
        x,
      )[1];
      return [ops.sum(a, { axes: [0, 1] })];
    };
    const program = sumInLoops(programOf(f, float32(128), float32(3, 2, 128)));
    const result = fuse(program);
    expectSameResults(result, program);
    const { body } = result.equations.find(({ primitive }) => primitive.name === "scan")!.params as ScanParams;
    expect(namesOf(body)).toEqual(["fused"]);
    expect(namesOf(bodyOf(body, 0))).toEqual(["square", "accumulate"]);
  });

  test("is read by later groups only", () => {
    const f = (x: Tensor) => {
      const y = ops.sin(x);
      return [ops.divide(y, ops.sum(y, { axes: 1, keepAxes: true }))];
    };
    const program = fused(f, matrix);
    expect(namesOf(program)).toEqual(["fused", "fused"]);
    expect(bodyOf(program, 0).outputs.length).toBe(2);
  });

  describe("and what takes one operation on what is in memory", () => {
    /** How many matrices groups write. */
    const storedBy = (f: (x: Tensor, y: Tensor) => readonly Tensor[]): number =>
      fused(f, matrix, matrix)
        .equations.filter(({ primitive }) => primitive.name === "fused")
        .flatMap(({ outputs }) => outputs)
        .filter(({ type }) => sameShape(type.shape, matrix.shape)).length;
    const share = (x: Tensor) => ops.divide(x, ops.sum(x, { axes: 1, keepAxes: true }));

    test("is computed again by its readers, not stored", () => {
      const program = fused((x: Tensor) => [share(ops.square(x))], matrix);
      expect(namesOf(program)).toEqual(["fused", "fused"]);
      expect(bodyOf(program, 0).outputs.length).toBe(1);
      expect(bodyOf(program, 1).equations.map(({ primitive }) => primitive.name)).toContain("square");
      expect(storedBy((x) => [share(ops.subtract(x, ops.mean(x, { axes: 1, keepAxes: true })))])).toBe(1);
    });

    test("with something that its reader reads, too", () => {
      expect(storedBy((x, y) => [ops.multiply(y, share(ops.multiply(x, y)))])).toBe(1);
    });

    test("is stored if its reader would read more", () => {
      expect(storedBy((x, y) => [share(ops.multiply(x, y))])).toBe(2);
    });

    test("is stored if it is a result, takes long, or reads what only the group knows", () => {
      expect(
        storedBy((x) => {
          const y = ops.square(x);
          return [share(y), y];
        }),
      ).toBe(2);
      expect(storedBy((x) => [share(ops.exp(x))])).toBe(2);
      expect(storedBy((x) => [share(ops.square(ops.sin(x)))])).toBe(2);
    });

    test("is stored if it lies otherwise in memory", () => {
      expect(storedBy((x) => [share(ops.square(ops.reverse(x)))])).toBe(2);
    });
  });

  test("is not a sum over another axis, a concatenation of unlike parts, or one of nothing that is computed", () => {
    const f = (x: Tensor) => [
      ops.sum(ops.sin(x), { axes: 0 }),
      ops.sum(ops.sin(x)),
      ops.concatenate([ops.sin(x), ops.slice(ops.sin(x), 1, 0, 2)], 1),
      ops.concatenate([x, x], 1),
      ops.sum(x, { axes: 1 }),
    ];
    const names = namesOf(fused(f, matrix));
    expect(names.filter((name) => name === "sum").length).toBe(3);
    expect(names.filter((name) => name === "concatenate").length).toBe(2);
  });

  test("of an integer sum is not there: it is done by itself", () => {
    const f = (x: Tensor) => [ops.sum(ops.multiply(x, x), { axes: 1 })];
    expect(namesOf(fused(f, { dtype: "int32", shape: [2, 4] }))).toEqual(["fused", "sum"]);
  });
});

describe("a random Program", () => {
  const steps = fc.array(
    fc.record({ kind: fc.nat({ max: 14 }), a: fc.nat({ max: 40 }), b: fc.nat({ max: 40 }), kept: fc.boolean() }),
    { minLength: 1, maxLength: 25 },
  );

  /** The first value from place b on that has the shape of x. */
  const partner = (values: readonly Tensor[], x: Tensor, b: number): Tensor => {
    const turned = [...values.slice(b % values.length), ...values];
    return turned.find(({ dtype, shape }) => dtype === x.dtype && sameShape(shape, x.shape)) ?? x;
  };

  function apply(values: readonly Tensor[], kind: number, a: number, b: number): Tensor {
    const x = values[a % values.length]!;
    const y = partner(values, x, b);
    const rank = x.shape.length;
    const small = sizeOf(x.shape) <= 200;
    if (kind === 0) return ops.add(x, y);
    if (kind === 1) return ops.multiply(x, y);
    if (kind === 2) return ops.select(ops.greater(x, y), ops.subtract(x, y), 0.5);
    if (kind === 3) return ops.add(ops.multiply(x, 0.5), ops.fill(x.shape, 0.25));
    if (kind === 4 && small) return ops.broadcastTo(x, [2, ...x.shape]);
    if (kind === 5) return ops.reshape(x, [sizeOf(x.shape)]);
    if (rank === 0) return ops.sin(x);
    const axis = b % rank;
    if (kind === 6) return ops.sum(x, { axes: -1 });
    if (kind === 7) return ops.sum(x, { axes: axis });
    if (kind === 8) return ops.reverse(x, axis);
    if (kind === 9) return ops.transpose(x);
    if (kind === 10) return ops.slice(x, axis, Math.min(b % 2, x.shape[axis]!), x.shape[axis]!, 1 + (b % 3));
    if (kind === 11 && small) return ops.concatenate([x, y], axis);
    if (kind === 12 && small) return ops.concatenate([y, ops.sigmoid(x), x], -1);
    return ops.tanh(x);
  }

  test("has exactly the same numbers in groups", () => {
    let groups = 0;
    fc.assert(
      fc.property(steps, (all) => {
        const f = (...inputs: Tensor[]) => {
          const values = [...inputs];
          for (const { kind, a, b } of all) values.push(apply(values, kind, a, b));
          return values.filter((_, index) => index === values.length - 1 || all[index - inputs.length]?.kept);
        };
        const program = fused(f as never, float32(2, 3, 4), float32(2, 3, 4), float32(4), float32(2, 1, 4));
        groups += namesOf(program).filter((name) => name === "fused").length;
        const left = program.equations.filter(({ primitive }) => primitive.pointwise === true);
        expect(left).toEqual([]);
      }),
      { numRuns: 300 },
    );
    expect(groups).toBeGreaterThan(200);
  });
});
