/** Norms of the Jacobians between any two steps, all in one pass. */

import {
  divide,
  expandDims,
  greater,
  identity,
  matmul,
  maximum,
  randomKey,
  reshape,
  select,
  sqrt,
  square,
  sum,
  uniform,
  zeros,
} from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { scan } from "../../scan/index.js";
import type { FloatDType, Tensor } from "../../tensor/index.js";

/** Steps of the power iteration for each norm; it begins where that of the step before ended. */
const ITERATIONS = 10;
/** What vectors of length 0 are divided by, so that they stay 0. */
const TINY = 1e-30;

/**
 * ‖∂c_to/∂c_from‖ for all from < to: products P of Jacobians that grow by one step at a time, all beginnings side by side, each with a
 * power iteration of its own,  u ← P w / ‖P w‖,  w ← Pᵀ u,  ‖P‖ ≈ ‖w‖,  from below. Products are kept near norm 1, so that they do not get
 * lost when they are tiny. Time O(T² n³), memory O(T n²).
 * @param jacobians D_t `[T, n, n]`
 * @returns entry [to][from], for 0 <= from <= to <= T; 1 where they are the same
 */
export function normsBetween(jacobians: Tensor): number[][] {
  const steps = jacobians.shape[0] as number;
  const stretches = compile(stretchesOf)(jacobians);
  const norms = [[1]];
  for (let to = 1; to <= steps; to++) {
    const before = norms[to - 1] as number[];
    norms.push([...before.map((norm, from) => norm * (stretches.data[(to - 1) * steps + from] as number)), 1]);
  }
  return norms;
}

/** How much D_t stretches each product `[T, T]`: a row for each t, a column for each beginning; 0 for those that are yet to begin. */
function stretchesOf(jacobians: Tensor): Tensor {
  const [steps, size] = jacobians.shape as [number, number, number];
  const dtype = jacobians.dtype as FloatDType;
  const unit = expandDims(identity(size, dtype), 0);
  const anyDirection = uniform(randomKey(0), [1, size, 1], dtype);
  const lengthOf = (vectors: Tensor) => sqrt(sum(square(vectors), { axes: 1, keepAxes: true }));
  const unitVectors = (vectors: Tensor) => divide(vectors, maximum(lengthOf(vectors), TINY));
  const start = {
    /** Pᵀ of each beginning, side by side, so that D_t is multiplied with all of them at once. */
    products: zeros([steps, size, size], dtype),
    directions: zeros([steps, size, 1], dtype),
  };
  const [, stretches] = scan(
    ({ products, directions }: typeof start, { jacobian, begins }: { jacobian: Tensor; begins: Tensor }) => {
      const now = greater(reshape(begins, [steps, 1, 1]), 0);
      const before = reshape(select(now, unit, products), [steps * size, size]);
      const longer = reshape(matmul(before, jacobian, { transposeB: true }), [steps, size, size]);
      const [found] = scan(
        (w: Tensor, none: readonly []) => {
          const u = matmul(longer, unitVectors(w), { transposeA: true });
          return [matmul(longer, unitVectors(u)), none];
        },
        select(now, anyDirection, directions),
        [],
        { length: ITERATIONS },
      );
      const stretch = lengthOf(found);
      const next = { products: divide(longer, maximum(stretch, TINY)), directions: found };
      return [next, reshape(stretch, [steps])];
    },
    start,
    { jacobian: jacobians, begins: identity(steps, dtype) },
  );
  return stretches;
}
