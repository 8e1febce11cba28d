/** The error function against its series, in both precisions. */

import { expect, test } from "vitest";
import { f64 } from "../../../../test/close.js";
import { sum } from "../../../ops/index.js";
import { type Tensor, tensor } from "../../../tensor/index.js";
import { grad } from "../../../transforms/index.js";
import { erf } from "./erf.js";

/** erf(x) = 2/√π exp(-x²) Σₙ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · ... · (2n + 1)): all terms have one sign. */
function series(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 300; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

const points = Array.from({ length: 161 }, (_, k) => (k - 80) / 10 + 1e-3).concat([0.46875, -0.46875, 1e-9, 4, 6]);

const worst = (computed: Tensor, exact: readonly number[]): number =>
  Math.max(...exact.map((value, k) => Math.abs(computed.data[k]! - value)));

test("float64 keeps 15 digits", () => {
  expect(worst(erf(f64(points)), points.map(series))).toBeLessThan(3e-15);
});

test("float32 keeps what it can", () => {
  const rounded = Float32Array.from(points);
  expect(worst(erf(tensor(rounded)), [...rounded].map(series))).toBeLessThan(2.5e-7);
});

test("its derivative is 2/√π exp(-x²), also where the formulas meet and far out", () => {
  const slopes = grad((x: Tensor) => sum(erf(x)))(f64(points));
  expect(
    worst(
      slopes,
      points.map((x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)),
    ),
  ).toBeLessThan(1e-13);
});
