import { describe, expect, test } from "vitest";
import { expectClose, f64 } from "../../../test/close.js";
import { toyParams, toyProblem, toyWindow } from "../../../test/toy-problem.js";
import { averageLoss } from "../../nn/index.js";
import { randomKey } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { mapTensors, type Tensor, tensorsByPath, toNumber } from "../../tensor/index.js";
import { valueAndGrad, vjp } from "../../transforms/index.js";
import { withJacobianNorm } from "../index.js";

const KEY = randomKey(0);
const problem = toyProblem();
const TIME = 4;
const batch = toyWindow(0, TIME);
type Params = ReturnType<typeof toyParams>;

/** Carries h_0 ... h_T of both sequences. */
function carriesOf(params: Params) {
  const carries = [problem.initialCarry(batch)];
  for (let t = 0; t < TIME; t++) carries.push(problem.loss(params, carries[t]!, toyWindow(t, t + 1)).carry);
  return carries;
}

/** δ_t = ∂L/∂h_t for t = 1 ... T - 1, by the loss of what comes after. */
const deltasOf = (params: Params, carries: ReturnType<typeof carriesOf>) =>
  Array.from({ length: TIME - 1 }, (_, index) => {
    const t = index + 1;
    const rest = (carry: (typeof carries)[0]) => problem.loss(params, carry, toyWindow(t, TIME)).loss.total;
    return vjp(rest, carries[t]!).pullback(f64([1], []))[0];
  });

/** Ω for given δ, step by step in plain numbers; carries run on from the parameters, or are given. */
function omega(params: Params, deltas: ReturnType<typeof deltasOf>, given?: ReturnType<typeof carriesOf>): number {
  const carries = given ?? carriesOf(params);
  let total = 0;
  for (let t = 1; t < TIME; t++) {
    const step = (carry: (typeof carries)[0]) => problem.loss(params, carry, toyWindow(t - 1, t)).carry;
    const [back] = vjp(step, carries[t - 1]!).pullback(deltas[t - 1]!);
    for (const row of [0, 1]) {
      const norm = ({ h }: { readonly h: Tensor }) => Math.hypot(...h.data.subarray(4 * row, 4 * row + 4));
      total += (norm(back) / norm(deltas[t - 1]!) - 1) ** 2 / 2;
    }
  }
  return total;
}

const regularizedLoss = (weight: number, immediate: boolean) => (params: Params) => {
  const { loss } = withJacobianNorm(problem, { weight, immediate }).loss(
    params,
    problem.initialCarry(batch),
    batch,
    KEY,
  );
  return averageLoss(loss);
};
const plainLoss = (params: Params) => averageLoss(problem.loss(params, problem.initialCarry(batch), batch, KEY).loss);

describe("withJacobianNorm", () => {
  test("adds the term of its equation", () => {
    const params = toyParams();
    const added = toNumber(regularizedLoss(0.7, true)(params)) - toNumber(plainLoss(params));
    const deltas = deltasOf(params, carriesOf(params));
    expect(added).toBeCloseTo(0.7 * omega(params, deltas), 12);
    expect(added).toBeGreaterThan(0.01);
  });

  test.each([true, false])(
    "has the gradient of the term with δ held constant, and carries too if immediate (%s)",
    (immediate) => {
      const params = toyParams();
      const deltas = deltasOf(params, carriesOf(params));
      const fixed = carriesOf(params);
      const [whole, plain] = [regularizedLoss(0.7, immediate), plainLoss].map(
        (loss) => valueAndGrad(loss)(params).gradient,
      );
      const step = 1e-6;
      for (const [path, leaf] of tensorsByPath(params)) {
        const [a, b] = [whole!, plain!].map((tree) => new Map(tensorsByPath(tree)).get(path)!);
        for (let k = 0; k < leaf.data.length; k++) {
          const before = leaf.data[k]!;
          const at = (shift: number) => {
            leaf.data[k] = before + shift;
            const value = omega(params, deltas, immediate ? fixed : undefined);
            leaf.data[k] = before;
            return value;
          };
          const expected = (0.7 * (at(step) - at(-step))) / (2 * step);
          expect(Math.abs(a!.data[k]! - b!.data[k]! - expected), `${path}[${k}]`).toBeLessThan(1e-8);
        }
      }
    },
  );

  test("leaves evaluation as it is", () => {
    const params = toyParams();
    const evaluate = (p: typeof problem) => toNumber(averageLoss(p.loss(params, p.initialCarry(batch), batch).loss));
    expect(evaluate(withJacobianNorm(problem, { weight: 3 }))).toBe(evaluate(problem));
  });

  test("compiled equals eager, and padding that no gradient reaches does not count", () => {
    const params = toyParams();
    const masked = { ...batch, mask: mapTensors((x) => x, batch.mask) };
    masked.mask.data.fill(0, 4);
    const loss = (p: Params) =>
      averageLoss(withJacobianNorm(problem, { weight: 1 }).loss(p, problem.initialCarry(masked), masked, KEY).loss);
    const run = (p: Params) => ({ ...valueAndGrad(loss)(p) });
    const eager = run(params);
    expectClose(compile(run)(params), eager, 1e-13);
    expect(Number.isFinite(toNumber(eager.value))).toBe(true);
    masked.mask.data.fill(1, 4);
    // A restart hands nothing back: its step does not count, and makes no NaN.
    masked.resetMask.data.fill(1, 4, 6);
    const restarted = run(params);
    masked.resetMask.data.fill(0, 4, 6);
    expect(tensorsByPath(restarted).every(([, { data }]) => data.every(Number.isFinite))).toBe(true);
  });

  test("refuses a weight that is no weight", () => {
    expect(() => withJacobianNorm(problem, { weight: 0 })).toThrow(
      "withJacobianNorm: weight must be a number greater than 0",
    );
  });
});
