/** What scan promises apart from its numbers: forms of carry and results, edges, tracing once, and what it says when misused. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, int32, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { printPlan } from "../compile/index.js";
import { OptionError, ShapeError, ToolkitError } from "../core/index.js";
import { gru, lstm, recurrent } from "../nn/index.js";
import { add, at, cast, exp, gather, matmul, multiply, slice, sum, tanh, zeros } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import { type Tensor, type TensorTree, tensor, toNested, toNumber } from "../tensor/index.js";
import { checkGradients, grad, jvp, vjp } from "../transforms/index.js";
import { scan } from "./index.js";

/** Runs something eagerly and compiled, and expects the same of both. */
const bothWays = <Args extends readonly TensorTree[], Result extends TensorTree>(
  f: (...args: Args) => Result,
  args: Args,
  check: (result: Result) => void,
): void => {
  check(f(...args));
  check(compile(f)(...args));
};

describe("scan", () => {
  test("hands the carry on and stacks the results (the example of its documentation)", () => {
    const f = (xs: Tensor) => scan((total, x: Tensor) => [add(total, x), add(total, x)], zeros([]), xs);
    bothWays(f, [tensor([1, 2, 3])], ([last, sums]) => {
      expect(toNumber(last)).toBe(6);
      expect(toNested(sums)).toEqual([1, 3, 6]);
    });
  });

  test("runs backwards with reverse, and leaves each result at the place of its slice", () => {
    const f = (xs: Tensor) =>
      scan((total, x: Tensor) => [add(total, x), add(total, x)], zeros([]), xs, { reverse: true });
    bothWays(f, [tensor([1, 2, 3])], ([last, sums]) => {
      expect(toNumber(last)).toBe(6);
      expect(toNested(sums)).toEqual([6, 5, 3]);
    });
  });

  test("of no steps returns the initial carry, empty results, and the gradient of the identity", () => {
    const f = (h: Tensor, xs: Tensor) => scan((c, x: Tensor) => [multiply(c, x), { twice: add(c, c) }], h, xs);
    bothWays(f, [f64([5, 7]), zeros([0, 2], "float64")], ([last, { twice }]) => {
      expect(toNested(last)).toEqual([5, 7]);
      expect(twice.shape).toEqual([0, 2]);
    });
    const g = (h: Tensor, xs: Tensor) => vjp(f, h, xs).pullback([f64([2, 3]), { twice: zeros([0, 2], "float64") }]);
    bothWays(g, [f64([5, 7]), zeros([0, 2], "float64")], ([hBar, xsBar]) => {
      expect(toNested(hBar)).toEqual([2, 3]);
      expect(xsBar.shape).toEqual([0, 2]);
    });
  });

  test("of one step is that step", () => {
    const [w, h, x] = [numbers(1, [2, 2]), numbers(2, [3, 2]), numbers(3, [1, 3, 2])];
    const f = (h: Tensor, x: Tensor) => scan((c, now: Tensor) => [tanh(add(matmul(c, w), now)), c], h, x);
    bothWays(f, [h, x], ([last, before]) => {
      expectSame(last, tanh(add(matmul(h, w), at(x, 0))));
      expectSame(at(before, 0), h);
    });
  });

  test("needs no sequences: the option length counts the steps", () => {
    bothWays(
      (start: Tensor) => scan((n) => [multiply(n, 2), n], start, {}, { length: 4 }),
      [f64([1], [])],
      ([last, powers]) => {
        expect(toNumber(last)).toBe(16);
        expect(toNested(powers)).toEqual([1, 2, 4, 8]);
      },
    );
  });

  test("needs no carry: it maps", () => {
    bothWays(
      (xs: Tensor) => scan((none, x: Tensor) => [none, multiply(x, x)], {}, xs),
      [f64([1, 2, 3])],
      ([none, squares]) => {
        expect(none).toEqual({});
        expect(toNested(squares)).toEqual([1, 4, 9]);
      },
    );
  });

  test("returns records of several results, in their form", () => {
    const f = (xs: { readonly a: Tensor; readonly b: readonly Tensor[] }) =>
      scan(
        (c, { a, b: [first, second] }: typeof xs) => [
          add(c, a),
          { sum: add(first as Tensor, second as Tensor), list: [c, { a }] as const },
        ],
        f64([0], []),
        xs,
      );
    bothWays(f, [{ a: f64([1, 2]), b: [f64([10, 20]), f64([100, 200])] }], ([last, { sum: total, list }]) => {
      expect(toNumber(last)).toBe(3);
      expect(toNested(total)).toEqual([110, 220]);
      expect(toNested(list[0])).toEqual([0, 1]);
      expect(toNested(list[1].a)).toEqual([1, 2]);
    });
  });

  test("returns no results when the step gives none, and still differentiates", () => {
    const f = (xs: Tensor) => scan((c, x: Tensor) => [multiply(c, x), {}], f64([1], []), xs);
    bothWays(f, [f64([2, 3, 4])], ([product, none]) => {
      expect(toNumber(product)).toBe(24);
      expect(none).toEqual({});
    });
    bothWays(
      grad((xs: Tensor) => f(xs)[0]),
      [f64([2, 3, 4])],
      (gradient) => expect(toNested(gradient)).toEqual([12, 8, 6]),
    );
  });

  test("carries integers beside floats, and reads integer sequences", () => {
    const tokens = int32([2, 0, 2, 1]);
    const f = (table: Tensor, start: Tensor) =>
      scan(
        ({ count, total }, token: Tensor) => {
          const next = add(total, multiply(gather(table, token), cast(add(count, 1), "float64")));
          return [
            { count: add(count, 1), total: next },
            { token, next },
          ];
        },
        { count: int32([0], []), total: start },
        tokens,
      );
    bothWays(f, [f64([1, 10, 100]), f64([0.5], [])], ([{ count, total }, { token }]) => {
      expect(toNumber(count)).toBe(4);
      expect(toNumber(total)).toBe(0.5 + 1 * 100 + 2 * 1 + 3 * 100 + 4 * 10);
      expectSame(token, tokens);
    });
    bothWays(
      grad((table: Tensor) => f(table, f64([0], []))[0].total),
      [f64([1, 10, 100])],
      (gradient) => expect(toNested(gradient)).toEqual([2, 4, 4]),
    );
    expect(checkGradients(f, [f64([1, 10, 100]), f64([0.5], [])]).comparisons).toBeGreaterThan(0);
    expectSame(
      jvp((table: Tensor) => f(table, f64([0], []))[0].total, [f64([1, 10, 100])], [f64([1, 1, 1])]).tangent,
      f64([10], []),
    );
  });

  test("passes integers that are arguments of a derivative: their tangents and cotangents are zero", () => {
    const f = (table: Tensor, tokens: Tensor, count: Tensor) =>
      scan(
        (carry: { readonly count: Tensor; readonly total: Tensor }, token: Tensor) => {
          const weight = cast(add(carry.count, token), "float64");
          const total = add(carry.total, multiply(gather(table, token), weight));
          return [
            { count: add(carry.count, 1), total },
            { token, total },
          ];
        },
        { count, total: zeros([], "float64") },
        tokens,
      );
    const point = [f64([1, 10, 100]), int32([2, 0]), int32([5], [])] as const;
    const zero = [int32([0, 0]), int32([0], [])] as const;
    const push = (table: Tensor, tokens: Tensor, count: Tensor) =>
      jvp(f, [table, tokens, count], [f64([1, 1, 2]), ...zero]).tangent;
    bothWays(push, [...point], ([{ count, total }, results]) => {
      expect([toNumber(count), toNumber(total)]).toEqual([0, 2 * 7 + 6]);
      expectSame(results.token, zero[0]);
    });
    const pull = (table: Tensor, tokens: Tensor, count: Tensor) =>
      vjp((...args: [Tensor, Tensor, Tensor]) => f(...args)[0].total, table, tokens, count).pullback(f64([1], []));
    bothWays(pull, [...point], ([tableBar, ...rest]) => {
      expect(toNested(tableBar)).toEqual([6, 0, 7]);
      expectSame(rest, [...zero]);
    });
  });

  test("keeps parts of the carry that never change, and adds up their gradient", () => {
    const f = (carry: { readonly h: Tensor; readonly w: Tensor }, xs: Tensor) =>
      scan(({ h, w }, x: Tensor) => [{ h: add(multiply(h, w), x), w }, h], carry, xs);
    const carry = { h: f64([2]), w: f64([3]) };
    bothWays(f, [carry, f64([1, 1], [2, 1])], ([last]) => {
      expect(toNested(last.w)).toEqual([3]);
      expect(toNested(last.h)).toEqual([22]);
    });
    // h₂ = w² h + w x₁ + x₂:  ∂/∂w = 2 w h + x₁
    bothWays(
      grad((start: typeof carry, xs: Tensor) => sum(f(start, xs)[0].h)),
      [carry, f64([1, 1], [2, 1])],
      (gradient) => {
        expect(toNested(gradient.w)).toEqual([13]);
        expect(toNested(gradient.h)).toEqual([9]);
      },
    );
  });

  test("may exchange the parts of the carry", () => {
    bothWays(
      (start: { readonly a: Tensor; readonly b: Tensor; readonly c: Tensor }) =>
        scan(({ a, b, c }) => [{ a: b, b: c, c: a }, a], start, {}, { length: 4 }),
      [{ a: f64([1]), b: f64([2]), c: f64([3]) }],
      ([{ a, b, c }, firsts]) => {
        expect([a, b, c].map(toNested)).toEqual([[2], [3], [1]]);
        expect(toNested(firsts)).toEqual([[1], [2], [3], [1]]);
      },
    );
  });

  test("reads concrete tensors from outside as constants", () => {
    const table = f64([1, 2, 3]);
    bothWays(
      (xs: Tensor) => scan((c, x: Tensor) => [add(c, multiply(table, x)), {}], zeros([3], "float64"), xs)[0],
      [f64([1, 10])],
      (last) => expect(toNested(last)).toEqual([11, 22, 33]),
    );
  });

  test("inside scan equals one loop inside another, in value, gradient and forward mode", () => {
    // Rows of a matrix, each row a recurrence that starts where the last one ended.
    const nested = (w: Tensor, h: Tensor, rows: Tensor) =>
      scan(
        (outer, row: Tensor) =>
          scan(
            (inner, x: Tensor) => [tanh(add(multiply(inner, w), add(x, outer))), multiply(inner, outer)],
            outer,
            row,
          ),
        h,
        rows,
      );
    const plain = (w: Tensor, h: Tensor, rows: Tensor): readonly [Tensor, Tensor[]] => {
      let outer = h;
      const results: Tensor[] = [];
      for (let r = 0; r < 3; r++) {
        let inner = outer;
        for (let t = 0; t < 4; t++) {
          results.push(multiply(inner, outer));
          inner = tanh(add(multiply(inner, w), add(at(at(rows, r), t), outer)));
        }
        outer = inner;
      }
      return [outer, results];
    };
    const point = [numbers(1, [2]), numbers(2, [2]), numbers(3, [3, 4, 2])] as const;
    const loss = (last: Tensor, results: readonly Tensor[]) =>
      results.reduce((total, result, k) => add(total, multiply(sum(result), k + 1)), sum(multiply(last, last)));
    const ofNested = (w: Tensor, h: Tensor, rows: Tensor) => {
      const [last, results] = nested(w, h, rows);
      return loss(
        last,
        Array.from({ length: 12 }, (_, k) => at(at(results, Math.floor(k / 4)), k % 4)),
      );
    };
    const ofPlain = (w: Tensor, h: Tensor, rows: Tensor) => loss(...plain(w, h, rows));
    const gradients = (f: typeof ofPlain) => (w: Tensor, h: Tensor, rows: Tensor) => {
      const { value, pullback } = vjp(f, w, h, rows);
      return { value, bars: pullback(f64([1], [])) };
    };
    const expected = gradients(ofPlain)(...point);
    bothWays(gradients(ofNested), [...point], (found) => expectClose(found, expected, TOLERANCES.float64));
    const push = (f: typeof ofPlain) => (w: Tensor, h: Tensor, rows: Tensor) => jvp(f, [w, h, rows], [w, h, rows]);
    bothWays(push(ofNested), [...point], (found) => expectClose(found, push(ofPlain)(...point), TOLERANCES.float64));
    checkGradients(ofNested, [...point]);
  });

  test("in two chunks with the carry handed over equals one long run", () => {
    const layer = recurrent(lstm({ inputSize: 3, hiddenSize: 2 }));
    const [params, xs] = [layer.init(int32([0, 1]), "float64"), numbers(1, [7, 2, 3])];
    const whole = layer.apply(params, xs);
    const first = layer.apply(params, slice(xs, 0, 0, 3));
    const second = layer.apply(params, slice(xs, 0, 3), { carry: first.carry });
    expectSame(second.carry, whole.carry);
    expectSame(first.outputs, slice(whole.outputs, 0, 0, 3));
    expectSame(second.outputs, slice(whole.outputs, 0, 3));
  });

  test("has second derivatives that agree with differences, for a ragged batch of an LSTM", () => {
    const layer = recurrent(lstm({ inputSize: 2, hiddenSize: 2 }));
    const options = { sequenceLengths: int32([3, 0, 1]) };
    const loss = (params: ReturnType<typeof layer.init>, xs: Tensor, carry: ReturnType<typeof layer.initialCarry>) => {
      const result = layer.apply(params, xs, { ...options, carry });
      return [result.outputs, result.carry.c];
    };
    const carry = { h: numbers(1, [3, 2]), c: numbers(2, [3, 2]) };
    const check = checkGradients(loss, [layer.init(int32([0, 1]), "float64"), numbers(3, [3, 3, 2]), carry]);
    expect(check.maxError).toBeLessThan(1e-8);
  });

  test("has second derivatives through resets, in reverse", () => {
    const layer = recurrent(gru({ inputSize: 2, hiddenSize: 2 }), { reverse: true });
    const resetMask = int32([1, 0, 0, 0, 1, 0], [3, 2]);
    checkGradients(
      (params, xs) => layer.apply(params, xs, { resetMask }).outputs,
      [layer.init(int32([0, 1]), "float64"), numbers(3, [3, 2, 2])],
    );
  });

  test("can have its pullback applied twice in one compiled function", () => {
    const f = (w: Tensor, xs: Tensor) => scan((h, x: Tensor) => [tanh(add(multiply(h, w), x)), h], w, xs);
    const jacobian = (w: Tensor, xs: Tensor) => {
      const { pullback } = vjp(f, w, xs);
      const zero = zeros([4, 2], "float64");
      return [pullback([f64([1, 0]), zero]), pullback([f64([0, 1]), zero])];
    };
    const point: [Tensor, Tensor] = [f64([0.5, -0.7]), numbers(1, [4, 2])];
    bothWays(jacobian, point, ([first, second]) => {
      const separately = (seed: Tensor) => vjp(f, ...point).pullback([seed, zeros([4, 2], "float64")]);
      expectClose(first!, separately(f64([1, 0])), TOLERANCES.float64);
      expectClose(second!, separately(f64([0, 1])), TOLERANCES.float64);
    });
  });
});

// ------------------------------------------------------------------------------------------ cost in tracing and plan

describe("the cost of scan that does not depend on the number of steps", () => {
  const layer = recurrent(lstm({ inputSize: 3, hiddenSize: 2 }));
  const params = layer.init(int32([0, 1]), "float64");
  const gradient = (p: typeof params, xs: Tensor) => grad((q: typeof params) => sum(layer.apply(q, xs).outputs))(p);

  test("the step is traced once, with its gradient too", () => {
    const countOf = (time: number): number => {
      let calls = 0;
      const f = (w: Tensor, xs: Tensor) =>
        sum(
          scan(
            (h, x: Tensor) => {
              calls += 1;
              return [tanh(add(multiply(h, w), x)), h];
            },
            zeros([2], "float64"),
            xs,
          )[1],
        );
      compile((w: Tensor, xs: Tensor) => grad(f)(w, xs))(numbers(1, [2]), numbers(2, [time, 2]));
      return calls;
    };
    expect([0, 1, 5, 50].map(countOf)).toEqual([1, 1, 1, 1]);
  });

  test("the Plan has the same instructions for 7 and for 200 steps", () => {
    const linesOf = (time: number): string[] =>
      printPlan(compile(gradient).plan(params, numbers(2, [time, 4, 3])))
        .replace(/@\d+/g, "@")
        .replace(/arena \d+/, "arena")
        .replace(new RegExp(`\\[${time},`, "g"), "[T,")
        .replace(new RegExp(`\\[${time * 4},`, "g"), "[T*4,")
        .replace(new RegExp(`loop ${time}\\b`, "g"), "loop T")
        .split("\n");
    const lines = linesOf(200);
    expect(lines.filter((line) => line.includes("loop T")).length).toBe(2);
    expect(linesOf(7)).toEqual(lines);
  });
});

// ------------------------------------------------------------------------------------------------------------ errors

describe("scan says what is wrong", () => {
  const xs = zeros([5, 2, 3], "float64");
  const carry = { h: zeros([2, 3]), c: zeros([2, 3]) };
  const keep = <C extends TensorTree>(c: C): readonly [C, Tensor] => [c, zeros([2, 3])];
  const message = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      expect(error).toBeInstanceOf(ToolkitError);
      return (error as Error).message;
    }
    return expect.fail("nothing was thrown");
  };

  test("when a part of the carry changed its element type", () => {
    const run = () => scan(({ h, c }) => [{ h, c: cast(c, "float64") }, h], carry, xs);
    expect(run).toThrow(ShapeError);
    expect(message(run)).toBe("scan: carry.c changed from float32[2,3] to float64[2,3]; cast it back inside the step");
  });

  test("when a part of the carry changed its shape", () => {
    expect(message(() => scan(({ h, c }) => [{ h, c: slice(c, 1, 0, 2) }, h], carry, xs))).toBe(
      "scan: carry.c changed from float32[2,3] to float32[2,2]; make its shape that of the initial carry",
    );
    expect(message(() => scan((h) => [sum(h), h], zeros([2]), xs))).toBe(
      "scan: carry changed from float32[2] to float32[]; make its shape that of the initial carry",
    );
  });

  test("when the carry changed its form", () => {
    const run = () => scan(((c: typeof carry) => [c.h, c.h]) as never, carry, xs);
    expect(message(run)).toBe(
      "scan: the carry changed its form from {c:*,h:*} to *; " +
        "the step must return [carry, result] with a carry like the one it was given",
    );
  });

  test("when the step returns no pair", () => {
    for (const returned of [undefined, carry, [carry], carry.h]) {
      expect(message(() => scan((() => returned) as never, carry, xs))).toBe(
        "scan: the step must return [carry, result]; use {} for no result",
      );
    }
  });

  test("when sequences differ in length", () => {
    expect(message(() => scan((c) => keep(c), carry, { a: zeros([5]), b: zeros([4]) }))).toBe(
      "scan: xs.b has 4 time steps, but xs.a says 5",
    );
    expect(message(() => scan((c) => keep(c), carry, zeros([5]), { length: 6 }))).toBe(
      "scan: xs has 5 time steps, but the option length says 6",
    );
  });

  test("when there is no length, or no time axis", () => {
    expect(message(() => scan((c) => keep(c), carry, {}))).toBe(
      "scan: give the option length when there are no sequences",
    );
    expect(message(() => scan((c) => keep(c), carry, { x: zeros([]) }))).toBe(
      "scan: xs.x is float32[]; it needs a time axis",
    );
  });

  test("when the length is no whole number of at least 0", () => {
    for (const length of [-1, 1.5, Number.NaN]) {
      expect(message(() => scan((c) => keep(c), carry, {}, { length }))).toBe(
        `scan: length must be a whole number of at least 0, but is ${length}`,
      );
    }
  });

  test("when a mask has another shape or type", () => {
    const run = (options: object) => () => scan((c) => keep(c), carry, xs, options);
    expect(message(run({ mask: zeros([5, 2]) }))).toBe("scan: mask must be int32[5,batch], but is float32[5,2]");
    expect(message(run({ mask: int32([1, 1, 1, 1], [2, 2]) }))).toBe(
      "scan: mask must be int32[5,batch], but is int32[2,2]",
    );
    expect(message(run({ resetMask: zeros([4, 2], "int32") }))).toBe(
      "scan: resetMask must be int32[5,batch], but is int32[4,2]",
    );
    expect(message(run({ mask: zeros([4, 2], "int32"), sequenceLengths: int32([1, 1]) }))).toBe(
      "scan: mask must be int32[5,batch], but is int32[4,2]",
    );
    expect(message(run({ mask: zeros([5, 7], "int32") }))).toBe(
      "scan: at each step, mask has shape [7], which is no beginning of float32[2,3]; " +
        "with masks, the axes of every carry and result must begin with those of the mask (the batch)",
    );
    expect(message(run({ resetMask: zeros([5, 7], "int32") }))).toMatch(
      /^scan: at each step, resetMask has shape \[7\]/,
    );
  });

  test("when sequenceLengths are outside the number of steps, or of another type", () => {
    const run = (sequenceLengths: Tensor) => () => scan((c) => keep(c), carry, xs, { sequenceLengths });
    expect(message(run(int32([6, 1])))).toBe("sequenceLengths: 6 is outside [0, 5], the number of time steps");
    expect(message(run(int32([5, -1])))).toBe("sequenceLengths: -1 is outside [0, 5], the number of time steps");
    expect(message(run(f64([5, 1])))).toBe("sequenceLengths must be int32[batch], but is float64[2]");
  });

  test("when resetCarry is given without resetMask, or is unlike the carry", () => {
    const run = () => scan((c) => keep(c), carry, xs, { resetCarry: carry });
    expect(run).toThrow(OptionError);
    expect(message(run)).toBe("scan: resetCarry has no effect without resetMask");
    const resetMask = zeros([5, 2], "int32");
    const withReset = (resetCarry: unknown) => () =>
      scan((c) => keep(c), carry, xs, { resetMask, resetCarry: resetCarry as typeof carry });
    expect(message(withReset({ h: carry.h }))).toBe("scan: resetCarry has the form {h:*}, but the carry has {c:*,h:*}");
    expect(message(withReset({ ...carry, c: zeros([2, 3], "float64") }))).toBe(
      "scan: resetCarry.c is float64[2,3], but carry.c is float32[2,3]",
    );
  });

  test("when an option is unknown", () => {
    const run = () => scan((c) => keep(c), carry, xs, { lengths: int32([1, 1]) } as object);
    expect(run).toThrow(OptionError);
    expect(message(run)).toBe(
      'scan: there is no option "lengths"; the options are length, reverse, mask, sequenceLengths, resetMask, resetCarry, checkpoint',
    );
  });
});

// ----------------------------------------------------------------------------------------------------------- padding

describe("a scan with a mask", () => {
  test("shows the last real carry of each row and zeros as results of padding", () => {
    const f = (xs: Tensor) =>
      scan((c, x: Tensor) => [add(c, x), add(c, x)], zeros([2]), xs, { sequenceLengths: int32([3, 1]) });
    bothWays(
      f,
      [
        tensor([
          [1, 10],
          [2, 20],
          [3, 30],
        ]),
      ],
      ([last, sums]) => {
        expect(toNested(last)).toEqual([6, 10]);
        expect(toNested(sums)).toEqual([
          [1, 10],
          [3, 0],
          [6, 0],
        ]);
      },
    );
  });

  test("does not show what the step makes of padding: NaN and infinity stay inside", () => {
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const f = (xs: Tensor) =>
      scan((c, x: Tensor) => [add(c, exp(x)), c], f64([0]), xs, { sequenceLengths: int32([1]) });
    for (const value of bad) {
      bothWays(f, [f64([0, value, value], [3, 1])], ([last, befores]) => {
        expect(toNested(last)).toEqual([1]);
        expect(toNested(befores)).toEqual([[0], [0], [0]]);
      });
    }
  });

  test("restarts rows where resetMask is 1, padded or not, from resetCarry", () => {
    const xs = tensor([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    const options = {
      resetMask: int32([0, 0, 0, 1, 1, 0], [3, 2]),
      mask: int32([1, 1, 1, 0, 1, 1], [3, 2]),
      resetCarry: tensor([100, 200]),
    };
    bothWays(
      (x: Tensor) => scan((c, now: Tensor) => [add(c, now), add(c, now)], zeros([2]), x, options),
      [xs],
      ([last, sums]) => {
        expect(toNested(last)).toEqual([103, 230]);
        expect(toNested(sums)).toEqual([
          [1, 10],
          [3, 0],
          [103, 230],
        ]);
      },
    );
  });

  test("restarts from the initial carry when there is no resetCarry", () => {
    const [last] = scan((c, x: Tensor) => [add(c, x), {}], f64([5]), f64([1, 2, 3], [3, 1]), {
      resetMask: int32([0, 0, 1], [3, 1]),
    });
    expect(toNested(last)).toEqual([8]);
  });
});
