/** Methods that go forward in time, against backpropagation through a graph from which the same derivatives were taken out. */

import { describe, expect, test } from "vitest";
import { expectClose, f64, numbers } from "../../../test/close.js";
import { type Cell, dense, elman, gru, lstm, meanSquaredError, recurrent, stacked } from "../../nn/index.js";
import { foldIn, randomKey, slice, stopGradient, zerosLike } from "../../ops/index.js";
import { type FloatDType, mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";
import { vjp } from "../../transforms/index.js";
import {
  bptt,
  eProp,
  type LearningMethod,
  rflo,
  rtrl,
  type SequenceProblem,
  snap,
  truncatedGradient1997,
} from "../index.js";

type Batch = { readonly xs: Tensor; readonly targets: Tensor };
type Params = { readonly layer: TensorTree; readonly readout: { readonly weight: Tensor; readonly bias: Tensor } };

const UNITS = 3;
const readout = dense({ inputSize: UNITS, outputSize: 2 });

/** A readout behind cells on top of each other. */
function problemOf(cells: readonly Cell<never, never>[]): {
  readonly problem: SequenceProblem<Params, TensorTree, Batch>;
  readonly params: Params;
} {
  const layers = cells.map((cell) => recurrent(cell as unknown as Cell<TensorTree, TensorTree>));
  const layer = stacked(layers);
  return {
    problem: {
      initialCarry: ({ xs }) => layer.initialCarry(xs.shape[1] as number, xs.dtype as FloatDType),
      loss: (params, carry, { xs, targets }) => {
        const result = layer.apply(params.layer as readonly TensorTree[], xs, {
          carry: carry as readonly TensorTree[],
        });
        return { loss: meanSquaredError(readout.apply(params.readout, result.outputs), targets), carry: result.carry };
      },
    },
    params: {
      layer: layer.init(foldIn(randomKey(1), 0), "float64"),
      readout: readout.init(foldIn(randomKey(1), 1), "float64"),
    },
  };
}

const batch: Batch = { xs: numbers(1, [7, 2, 2]), targets: numbers(2, [7, 2, 2]) };

const gradientBy = (method: LearningMethod, { problem, params }: ReturnType<typeof problemOf>): Params =>
  method.step(problem, params, method.init(problem, batch, params), batch, randomKey(0)).gradient;

/** The cell with the derivative by parts of its carry taken as zero. */
const stopAt = (cell: Cell<never, never>, names: readonly string[]): Cell<never, never> => {
  const inner = cell as unknown as Cell<TensorTree, Record<string, Tensor>>;
  const step: typeof inner.step = (params, carry, x) =>
    inner.step(
      params,
      Object.fromEntries(
        Object.entries(carry).map(([name, part]) => [name, names.includes(name) ? stopGradient(part) : part]),
      ),
      x,
    );
  return { ...inner, step } as unknown as Cell<never, never>;
};

const sizes = { inputSize: 2, hiddenSize: UNITS };
const upper = { inputSize: UNITS, hiddenSize: UNITS };
const CELLS = { elman, lstm, gru } as const;

describe.each(Object.entries(CELLS))("of %s", (name, make) => {
  const plain = problemOf([make(sizes) as Cell<never, never>]);
  const stack = problemOf([make(sizes), make(upper)] as Cell<never, never>[]);

  test("rtrl is bptt, plain and stacked", () => {
    for (const problem of [plain, stack]) expectClose(gradientBy(rtrl(), problem), gradientBy(bptt(), problem), 1e-10);
  });

  test("snap of an order as high as there are units is rtrl", () => {
    expectClose(gradientBy(snap({ order: 2 * UNITS }), plain), gradientBy(rtrl(), plain), 1e-12);
    expectClose(gradientBy(snap({ order: 4 * UNITS }), stack), gradientBy(rtrl(), stack), 1e-12);
  });

  test("snap leaves something out at order 1, and less at order 2", () => {
    const exact = gradientBy(rtrl(), stack);
    const distance = (order: number) => difference(gradientBy(snap({ order }), stack), exact);
    expect(distance(1)).toBeGreaterThan(1e-6);
    expect(distance(2)).toBeLessThan(distance(1));
    expect(name in CELLS).toBe(true);
  });
});

const difference = (a: Params, b: Params): number => {
  const [x, y] = [a, b].map(({ layer }) => (layer as readonly Record<string, Tensor>[])[0]!.weightHh as Tensor);
  return Math.hypot(...Array.from(x!.data, (value, k) => value - y!.data[k]!));
};

describe("truncatedGradient1997", () => {
  test("is the gradient that is left when derivatives by h of the step before are zero", () => {
    const method = truncatedGradient1997();
    const cells = [lstm(sizes), lstm(upper)] as unknown as Cell<never, never>[];
    const cut = cells.map((cell) => stopAt(cell, ["h"]));
    for (const count of [1, 2]) {
      const [whole, without] = [cells, cut].map((list) => problemOf(list.slice(0, count)));
      expectClose(gradientBy(method, whole!), gradientBy(bptt(), without!), 1e-12);
    }
  });

  test("keeps one number for each weight of an lstm", () => {
    const { problem, params } = problemOf([lstm(sizes) as unknown as Cell<never, never>]);
    const state = truncatedGradient1997().init(problem, batch, params) as { memory: Tensor[] };
    const batchSize = 2;
    const weights = 4 * UNITS * (2 + UNITS + 1);
    expect(state.memory.reduce((sum, { data }) => sum + data.length, 0)).toBe(batchSize * weights);
  });

  test("asks for the names of the cells where there are none", () => {
    const elmans = problemOf([elman(sizes) as unknown as Cell<never, never>]);
    expect(() => gradientBy(truncatedGradient1997(), elmans)).toThrow(
      "truncatedGradient1997: the carry has no tensor named c; it has h. Name the memory cells by the option cells",
    );
  });
});

describe("eProp", () => {
  test("of an lstm is the gradient without what h tells the next step", () => {
    const [whole, without] = [lstm(sizes), stopAt(lstm(sizes) as unknown as Cell<never, never>, ["h"])].map((cell) =>
      problemOf([cell as unknown as Cell<never, never>]),
    );
    expectClose(gradientBy(eProp(), whole!), gradientBy(bptt(), without!), 1e-12);
  });
});

/**
 * P_t = S ⊙ (D'_t P_{t-1} + ∂c_t/∂θ) in plain numbers, unit by unit, for the first sequence of the batch; D' and S are what is kept of D and P.
 * @returns the gradient of the average loss, all parameters behind each other
 */
function influenceByLoops(
  { problem, params }: ReturnType<typeof problemOf>,
  keepD: (D: number, to: number, from: number) => number,
  keepP: (unit: number, value: number, direct: number) => number = (_, value) => value,
): number[] {
  const flat = (tree: TensorTree): number[] => tensorsByPath(tree).flatMap(([, { data }]) => Array.from(data));
  const one = mapTensors((leaf) => slice(leaf, 1, 0, 1), batch);
  let carry = problem.initialCarry(one);
  const units = flat(carry).length;
  let P = Array.from({ length: units }, () => new Array<number>(flat(params).length).fill(0));
  const gradient = new Array<number>(flat(params).length).fill(0);
  for (let t = 0; t < 7; t++) {
    const window = mapTensors((leaf) => slice(leaf, 0, t, t + 1), one);
    const { value, pullback } = vjp(
      (at: Params, before: TensorTree) => {
        const { loss, carry: after } = problem.loss(at, before, window);
        return { total: loss.total, after };
      },
      params,
      carry,
    );
    const still = mapTensors(zerosLike, value.after);
    const [now, back] = pullback({ total: f64([1], []), after: still }).map(flat) as [number[], number[]];
    gradient.forEach((_, k) => {
      gradient[k]! += now[k]! + back.reduce((sum, pull, unit) => sum + pull * P[unit]![k]!, 0);
    });
    P = P.map((_, to) => {
      const seed = mapTensors(
        (leaf) =>
          f64(
            Array.from(leaf.data, () => 0),
            leaf.shape,
          ),
        value.after,
      );
      let left = to;
      for (const [, { data }] of tensorsByPath(seed)) {
        if (left >= 0 && left < data.length) data[left] = 1;
        left -= data.length;
      }
      const [direct, D] = pullback({ total: f64([0], []), after: seed }).map(flat) as [number[], number[]];
      return direct.map((own, k) =>
        keepP(to, own + D.reduce((sum, d, from) => sum + keepD(d, to, from) * P[from]![k]!, 0), own),
      );
    });
    carry = value.after;
  }
  return gradient.map((value) => value / 7);
}

const oneSequence = (method: LearningMethod, { problem, params }: ReturnType<typeof problemOf>): number[] => {
  const one = mapTensors((leaf) => slice(leaf, 1, 0, 1), batch);
  const { gradient } = method.step(problem, params, method.init(problem, one, params), one, randomKey(0));
  return tensorsByPath(gradient).flatMap(([, { data }]) => Array.from(data));
};

const expectNear = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  expect(Math.max(...actual.map((value, k) => Math.abs(value - expected[k]!)))).toBeLessThan(1e-12);
};

describe.each([
  ["elman", elman(sizes)],
  ["gru", gru(sizes)],
])("with the recursion written in loops, for %s", (_, cell) => {
  const problem = problemOf([cell as unknown as Cell<never, never>]);

  test("rtrl keeps all", () => {
    expectNear(
      oneSequence(rtrl(), problem),
      influenceByLoops(problem, (D) => D),
    );
  });

  test("eProp keeps what passes from a unit to itself, if the layer shows all of its carry", () => {
    const expected = influenceByLoops(problem, (D, to, from) => (to === from ? D : 0));
    expectNear(oneSequence(eProp(), problem), expected);
    expect(Math.max(...expected.map((value, k) => Math.abs(value - oneSequence(rtrl(), problem)[k]!)))).toBeGreaterThan(
      1e-4,
    );
  });

  test("rflo has its leak in place of D, and forgets what a step does not see", () => {
    const expected = influenceByLoops(problem, (_D, to, from) => (to === from ? 0.7 : 0));
    expectNear(oneSequence(rflo({ leakRate: 0.3 }), problem), expected);
  });

  test("snap of order 1 keeps what a parameter does within a step", () => {
    expectNear(
      oneSequence(snap(), problem),
      influenceByLoops(
        problem,
        (D) => D,
        (_unit, value, direct) => (direct === 0 ? 0 : value),
      ),
    );
  });
});

test.each([rtrl(), snap(), eProp(), rflo({ leakRate: 0.5 })])(
  "$name names a tensor that has not the axes of the others",
  (method) => {
    const { problem, params } = problemOf([elman(sizes) as unknown as Cell<never, never>]);
    const odd = { ...batch, targets: slice(batch.targets, 0, 0, 6) };
    expect(() => method.init(problem, odd, params)).toThrow(
      `${method.name}: xs of the batch is float64[7,2,2], but others are [6,2,...]`,
    );
  },
);
