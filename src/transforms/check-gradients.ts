/** Gradient checking: derivatives against central differences, as a tool for users' own cells too. */

import { flattenTree, GradientError, unflattenTree } from "../core/index.js";
import { foldIn, multiply, normal, randomKey, sum, zerosLike } from "../ops/index.js";
import { allocate, HostTensor, isFloat, isTensor, type Tensor, type TensorTree, toNumber } from "../tensor/index.js";
import { jvp, vjp } from "./derivatives.js";

/** How a gradient check is done. */
export interface GradientCheckOptions {
  /** Derivatives up to this order are checked. Default 2. */
  readonly order?: 1 | 2;
  /** Directions that are compared; any two should agree. Default both. */
  readonly modes?: readonly ("forward" | "reverse")[];
  /** Largest allowed relative error. Default 1e-6. */
  readonly tolerance?: number;
  /** Step of the central difference, relative to a direction of unit normal entries. Default 1e-4. */
  readonly step?: number;
  /** Seed of the random directions. Default 0. */
  readonly seed?: number;
}

/** The largest relative error found. */
export interface GradientCheck {
  readonly maxError: number;
  readonly comparisons: number;
}

/**
 * Compares derivatives of a function with a fourth-order central difference along random directions u, v:
 *
 *   (f(x - 2εu) - 8 f(x - εu) + 8 f(x + εu) - f(x + 2εu)) / 12ε  =  ∂f/∂x · u      forward mode
 *   ⟨v, ∂f/∂x · u⟩  =  ⟨v ∂f/∂x, u⟩                                                reverse mode
 *
 * and, for order 2, does the same for x -> ∂f/∂x · u and x -> v ∂f/∂x. Arguments must be concrete float64 (integers are
 * left alone). The error is relative to 1 + the size of the compared number.
 * @throws GradientError naming the mode, the order and both numbers
 * @example checkGradients((params) => lossOf(params, x), [params])
 */
export function checkGradients<const Args extends readonly TensorTree[]>(
  f: (...args: Args) => TensorTree,
  args: Args,
  options: GradientCheckOptions = {},
): GradientCheck {
  const { order = 2, modes = ["forward", "reverse"], tolerance = 1e-6, step = 1e-4, seed = 0 } = options;
  const { leaves, definition } = flattenTree(args, isTensor);
  const varied = leaves.flatMap((leaf, index) => (isFloat(leaf.dtype) ? [index] : []));
  if (varied.some((index) => leaves[index]?.dtype !== "float64")) {
    throw new GradientError("checkGradients: arguments must be float64; float32 rounding would hide errors");
  }
  const complete = (points: readonly Tensor[]): Args => {
    const all = [...leaves];
    varied.forEach((index, place) => {
      all[index] = points[place] as Tensor;
    });
    return unflattenTree(definition, all) as unknown as Args;
  };
  // The function of its float leaves alone, with the float leaves of its result as a list.
  const flat = (...points: Tensor[]): Tensor[] => {
    const results = flattenTree(f(...complete(points)), isTensor).leaves.filter(({ dtype }) => dtype === "float64");
    if (results.length > 0) return results;
    throw new GradientError("checkGradients: the function returned no float64 tensor, so there is nothing to compare");
  };
  const checker = new Checker(modes, tolerance, step, seed);
  checker.compare(
    flat,
    varied.map((index) => leaves[index] as Tensor),
    order,
    "",
  );
  return { maxError: checker.maxError, comparisons: checker.comparisons };
}

type Points = readonly Tensor[];

class Checker {
  maxError = 0;
  comparisons = 0;
  private drawn = 0;

  constructor(
    private readonly modes: readonly ("forward" | "reverse")[],
    private readonly tolerance: number,
    private readonly step: number,
    private readonly seed: number,
  ) {}

  compare(f: (...points: Tensor[]) => Tensor[], at: Points, order: number, of: string): void {
    const direction = this.directions(at);
    const values = f(...at);
    const weights = this.directions(values);
    const weighted = (results: Points): number =>
      results.reduce((total, result, k) => total + toNumber(sum(multiply(result, weights[k] as Tensor))), 0);

    const around = (factor: number) =>
      weighted(f(...at.map((point, k) => move(point, direction[k] as Tensor, factor * this.step))));
    const difference = (around(-2) - 8 * around(-1) + 8 * around(1) - around(2)) / (12 * this.step);

    const forward = (...points: Tensor[]): Tensor[] =>
      jvp((...p: Tensor[]) => f(...p), points, direction as Tensor[]).tangent as Tensor[];
    const reverse = (...points: Tensor[]): Tensor[] =>
      vjp((...p: Tensor[]) => f(...p), ...points).pullback(weights as Tensor[]);
    if (this.modes.includes("forward")) {
      this.agree(`${of}forward mode`, weighted(forward(...at)), difference);
      if (order > 1) this.compare(forward, at, order - 1, `second order, derivative of forward mode: ${of}`);
    }
    if (this.modes.includes("reverse")) {
      const gradient = reverse(...at);
      const along = gradient.reduce((total, g, k) => total + toNumber(sum(multiply(g, direction[k] as Tensor))), 0);
      this.agree(`${of}reverse mode`, along, difference);
      if (order > 1) this.compare(reverse, at, order - 1, `second order, derivative of reverse mode: ${of}`);
    }
  }

  private directions(like: Points): Tensor[] {
    return like.map(({ shape, dtype }) =>
      isFloat(dtype) ? normal(foldIn(randomKey(this.seed), this.drawn++), shape, dtype) : zerosLike({ shape, dtype }),
    );
  }

  private agree(what: string, derivative: number, difference: number): void {
    const error = Math.abs(derivative - difference) / (1 + Math.abs(difference));
    this.comparisons += 1;
    this.maxError = Math.max(this.maxError, error);
    if (error <= this.tolerance) return;
    throw new GradientError(
      `checkGradients: ${what} gives ${derivative}, but the difference quotient is ${difference} (error ${error.toExponential(1)}, ` +
        `allowed ${this.tolerance.toExponential(1)}); a derivative rule is wrong, or the function has a kink here`,
    );
  }
}

function move(point: Tensor, direction: Tensor, distance: number): Tensor {
  const data = allocate(point.dtype, point.data.length);
  for (let k = 0; k < data.length; k++) data[k] = (point.data[k] as number) + distance * (direction.data[k] as number);
  return new HostTensor(point, data);
}
