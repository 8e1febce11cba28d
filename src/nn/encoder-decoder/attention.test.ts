/** Attention: scores by plain loops, padding, gradients. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, int32, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError, ShapeError } from "../../core/index.js";
import { add, multiply, randomKey, slice, sum } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree, toNumber } from "../../tensor/index.js";
import { checkGradients, grad } from "../../transforms/index.js";
import { type Attention, additiveAttention, dotAttention, generalAttention } from "../index.js";

const [TIME, BATCH, MEMORY, QUERY, UNITS] = [5, 3, 4, 4, 2];

const row = (x: Tensor, ...at: number[]): number[] => {
  const width = x.shape.at(-1)!;
  const place = at.reduce((total, index, axis) => total * x.shape[axis]! + index, 0);
  return Array.from(x.data.subarray(place * width, (place + 1) * width));
};
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, value, k) => total + value * b[k]!, 0);
const times = (weight: Tensor, x: readonly number[]): number[] =>
  Array.from({ length: weight.shape[0]! }, (_, k) => dot(row(weight, k), x));

type Params = Readonly<Record<string, Tensor>>;
type Score = (params: Params, query: readonly number[], step: readonly number[]) => number;

const CASES: Readonly<Record<string, readonly [Attention<TensorTree>, Score]>> = {
  additive: [
    additiveAttention({ querySize: QUERY, memorySize: MEMORY, hiddenSize: UNITS }) as unknown as Attention<TensorTree>,
    ({ weightQuery, weightKey, bias, weightScore }, query, step) => {
      const [asked, known] = [times(weightQuery!, query), times(weightKey!, step)];
      return dot(
        row(weightScore!, 0),
        asked.map((value, k) => Math.tanh(value + known[k]! + bias!.data[k]!)),
      );
    },
  ],
  dot: [dotAttention({ size: MEMORY }) as unknown as Attention<TensorTree>, (_, query, step) => dot(query, step)],
  "scaled dot": [
    dotAttention({ size: MEMORY, scaled: true }) as unknown as Attention<TensorTree>,
    (_, query, step) => dot(query, step) / Math.sqrt(MEMORY),
  ],
  general: [
    generalAttention({ querySize: QUERY, memorySize: MEMORY }) as unknown as Attention<TensorTree>,
    ({ weight }, query, step) => dot(step, times(weight!, query)),
  ],
};

describe.each(Object.entries(CASES))("%s attention", (_, [attention, score]) => {
  const params = mapTensors((x) => add(x, multiply(numbers(9, x.shape), 0.2)), attention.init(randomKey(1), "float64"));
  const [memory, query] = [numbers(1, [TIME, BATCH, MEMORY]), numbers(2, [BATCH, QUERY])];
  const lengths = [5, 2, 0];
  const ragged = { sequenceLengths: int32(lengths) };
  const run = (p: TensorTree, m: Tensor, q: Tensor, padding = {}) =>
    attention.attend(p, attention.prepare(p, m, padding), q);

  test("is a mean of the real steps, weighted by the softmax of their scores, by plain loops", () => {
    const { context, weights } = run(params, memory, query, ragged);
    lengths.forEach((length, b) => {
      const scores = Array.from({ length }, (_, s) =>
        Math.exp(score(params as Params, row(query, b), row(memory, s, b))),
      );
      const total = scores.reduce((left, right) => left + right, 0);
      const expected = Array.from({ length: TIME }, (_, s) => (s < length ? scores[s]! / total : 0));
      expectClose(f64(row(weights, b)), f64(expected), TOLERANCES.float64);
      const mean = Array.from({ length: MEMORY }, (_, k) =>
        expected.reduce((partial, weight, s) => partial + weight * row(memory, s, b)[k]!, 0),
      );
      expectClose(f64(row(context, b)), f64(mean), TOLERANCES.float64);
    });
  });

  test("gives zeros for a sequence without a real step, and finite gradients", () => {
    const { context, weights } = run(params, memory, query, ragged);
    expect([...row(context, 2), ...row(weights, 2)]).toEqual(new Array(MEMORY + TIME).fill(0));
    const gradient = grad((m: Tensor) => sum(run(params, m, query, ragged).context))(memory);
    expect(gradient.data.every(Number.isFinite)).toBe(true);
    expect(row(gradient, 0, 2)).toEqual(new Array(MEMORY).fill(0));
  });

  test("does not see padding, NaN included, and takes a mask as it takes lengths", () => {
    const spoilt = f64([...memory.data], [TIME, BATCH, MEMORY]);
    (spoilt.data as Float64Array).fill(Number.NaN, (2 * BATCH + 1) * MEMORY, (2 * BATCH + 2) * MEMORY);
    expectSame(run(params, spoilt, query, ragged), run(params, memory, query, ragged));
    const mask = int32(
      Array.from({ length: TIME * BATCH }, (_, k) => +(Math.floor(k / BATCH) < lengths[k % BATCH]!)),
      [TIME, BATCH],
    );
    expectSame(run(params, memory, query, { mask }), run(params, memory, query, ragged));
  });

  test("gives a ragged batch what its sequences give alone", () => {
    const together = run(params, memory, query, ragged).context;
    [0, 1].forEach((b) => {
      const own = slice(slice(memory, 1, b, b + 1), 0, 0, lengths[b]);
      const alone = run(params, own, slice(query, 0, b, b + 1)).context;
      expectClose(slice(together, 0, b, b + 1), alone, TOLERANCES.float64);
    });
  });

  test("weights of a long memory sum to 1, with scores however large", () => {
    const { weights, context } = run(params, numbers(3, [300, BATCH, MEMORY]), multiply(query, 1e5));
    for (let b = 0; b < BATCH; b++) expect(toNumber(sum(slice(weights, 0, b, b + 1)))).toBeCloseTo(1, 12);
    expect(context.data.every(Number.isFinite)).toBe(true);
  });

  test("has the gradients of finite differences", () => {
    checkGradients(
      (p, m, q) => run(p as TensorTree, m as Tensor, q as Tensor, ragged).context,
      [params, memory, query],
    );
  });

  test("compiled on the fastest kernels equals eager", () => {
    const to32 = (x: Tensor) => numbers(1, x.shape, "float32");
    const [p, m, q] = [mapTensors(to32, params), to32(memory), to32(query)];
    const compiled = compile((a: TensorTree, b: Tensor, c: Tensor) => run(a, b, c, ragged) as TensorTree);
    expectClose(compiled(p, m, q), run(p, m, q, ragged), TOLERANCES.float32);
    expect(compiled.kernels(p, m, q).name).not.toBe("reference");
  });

  test("refuses a memory or a query of another width", () => {
    expect(() => run(params, numbers(1, [TIME, BATCH, 3]), query)).toThrow(ShapeError);
    expect(() => run(params, numbers(1, [TIME, BATCH, 3]), query)).toThrow(
      `the memory must be [time,batch,${MEMORY}], but is float64[5,3,3]`,
    );
    expect(() => run(params, memory, numbers(1, [2, QUERY]))).toThrow(
      `the query must be [3,${QUERY}], a row for each sequence, but is float64[2,4]`,
    );
    expect(() => attention.prepare(params, memory, { lengths: query } as never)).toThrow(OptionError);
  });
});

test("attention refuses sizes that are not whole numbers of at least 1", () => {
  expect(() => dotAttention({ size: 0 })).toThrow("dotAttention: size must be a whole number of at least 1, but is 0");
  expect(() => generalAttention({ querySize: 2, memorySize: 1.5 })).toThrow("generalAttention: memorySize");
  expect(() => additiveAttention({ querySize: 2, memorySize: 2, hiddenSize: 0 })).toThrow(
    "additiveAttention: hiddenSize",
  );
  expect(() => additiveAttention({ querySize: 2, memorySize: 2, units: 3 } as never)).toThrow(
    'there is no option "units"',
  );
});
