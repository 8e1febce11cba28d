import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, int32, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { OptionError } from "../core/index.js";
import { lstm, recurrent } from "../nn/index.js";
import { add, matmul, multiply, sin, sum, tanh, zeros } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import type { Tensor } from "../tensor/index.js";
import { checkGradients, valueAndGrad } from "../transforms/index.js";
import { type ScanOptions, scan } from "./index.js";

const w = numbers(1, [3, 3]);

/** Results of all steps, the last carry, and gradients for what goes in, the constant included. */
const evaluate = (xs: Tensor, options: ScanOptions<Tensor>) => {
  const f = (all: { readonly w: Tensor; readonly start: Tensor; readonly xs: Tensor }) => {
    const [last, results] = scan(
      (h: Tensor, x: Tensor) => {
        const next = tanh(add(matmul(h, all.w), x));
        return [next, { next, product: multiply(next, x) }];
      },
      all.start,
      all.xs,
      options,
    );
    const loss = add(sum(sin(last)), add(sum(results.next), sum(sin(results.product))));
    return [loss, { last, results }] as const;
  };
  return valueAndGrad(f)({ w, start: numbers(2, [2, 3]), xs });
};

describe("a scan in segments", () => {
  const lengths = fc.record({
    time: fc.nat({ max: 9 }),
    checkpoint: fc.integer({ min: 1, max: 10 }),
    reverse: fc.boolean(),
    masked: fc.boolean(),
  });

  test("gives the results and gradients of the whole one, for any lengths", () => {
    fc.assert(
      fc.property(lengths, ({ time, checkpoint, reverse, masked }) => {
        const xs = numbers(3, [time, 2, 3]);
        const mask = int32(
          Array.from({ length: time * 2 }, (_, k) => (k % 3 === 1 ? 0 : 1)),
          [time, 2],
        );
        const options = { reverse, ...(masked && { mask }) };
        const { value, gradient, extra } = evaluate(xs, { ...options, checkpoint });
        expectClose([value, gradient, extra], Object.values(evaluate(xs, options)), TOLERANCES.float64);
      }),
      { numRuns: 60 },
    );
  });

  test("compiled, too", () => {
    const xs = numbers(3, [7, 2, 3]);
    for (const reverse of [false, true]) {
      const compiled = compile((seq: Tensor) => evaluate(seq, { reverse, checkpoint: 3 }))(xs);
      expectClose(compiled, evaluate(xs, { reverse }), TOLERANCES.float64);
    }
  });

  test("without sequences", () => {
    const run = (checkpoint?: number) =>
      scan((h: Tensor) => [tanh(matmul(h, w)), h], numbers(2, [2, 3]), [], {
        length: 5,
        ...(checkpoint && { checkpoint }),
      });
    expectClose(run(2), run(), TOLERANCES.float64);
  });

  test("has second derivatives", () => {
    const f = (start: Tensor, xs: Tensor) =>
      scan((h: Tensor, x: Tensor) => [tanh(add(matmul(h, w), x)), []], start, xs, { checkpoint: 2 })[0];
    expect(checkGradients(f, [numbers(2, [2, 3]), numbers(3, [5, 2, 3])]).maxError).toBeLessThan(TOLERANCES.gradient);
  });

  test("needs at least one step in each", () => {
    expect(() => scan((h: Tensor) => [h, []], zeros([1]), [], { length: 2, checkpoint: 0 })).toThrow(
      new OptionError("scan: checkpoint must be a whole number of at least 1, but is 0"),
    );
  });
});

describe("the memory of a training step", () => {
  const bytesOf = (time: number, checkpoint?: number): number => {
    const layer = recurrent(lstm({ inputSize: 2, hiddenSize: 8 }), checkpoint === undefined ? {} : { checkpoint });
    const params = layer.init(zeros([2], "int32"));
    const loss = (p: typeof params, xs: Tensor) => sum(layer.apply(p, xs).carry.h);
    return compile((p: typeof params, xs: Tensor) => valueAndGrad(loss)(p, xs)).plan(params, zeros([time, 4, 2]))
      .arenaBytes;
  };

  test("grows with the length when all is kept, and with its square root in segments", () => {
    const [short, long] = [256, 256 * 16];
    expect(bytesOf(long) / bytesOf(short)).toBeGreaterThan(15);
    const growth = bytesOf(long, 64) / bytesOf(short, 16);
    expect(growth).toBeGreaterThan(3);
    expect(growth).toBeLessThan(4.1);
    expect(bytesOf(10_000, 100)).toBeLessThan(bytesOf(10_000) / 25);
  });
});
