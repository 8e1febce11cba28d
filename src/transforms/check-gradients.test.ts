/** The gradient check finds wrong derivatives, of either rule and either order. */

import { describe, expect, test } from "vitest";
import { float64, int32, spread } from "../../test/scalar-loops.js";
import { GradientError } from "../core/index.js";
import * as ops from "../ops/index.js";
import { sizeOf, type Tensor, type TensorType, tensor, type View } from "../tensor/index.js";
import { checkGradients } from "./index.js";

/** x² with slopes that are right (2x) unless told otherwise. */
const squareWith = (slopes: { vjp?: (x: Tensor) => Tensor; jvp?: (x: Tensor) => Tensor }) => {
  const right = (x: Tensor) => ops.multiply(x, 2);
  const operation = ops.defineOperation<null>({
    name: "squareWith",
    infer: ([x]) => x as TensorType,
    evaluate: ([x], output) => {
      const { data, offset } = x as View;
      for (let k = 0; k < sizeOf(output.shape); k++) output.data[output.offset + k] = (data[offset + k] as number) ** 2;
    },
    vjp: (cotangent, { inputs: [x] }) => [ops.multiply(cotangent, (slopes.vjp ?? right)(x as Tensor))],
    jvp: ([tangent], { inputs: [x] }) => ops.multiply(tangent as Tensor, (slopes.jvp ?? right)(x as Tensor)),
  });
  return (x: Tensor) => operation([x], null);
};

const x = spread([3]);
const wrong = (y: Tensor) => ops.multiply(y, 2.001);

describe("checkGradients", () => {
  test("passes right rules, and says how many numbers it compared", () => {
    const { maxError, comparisons } = checkGradients(squareWith({}), [x]);
    expect(maxError).toBeLessThan(1e-9);
    expect(comparisons).toBe(6);
    expect(checkGradients(squareWith({}), [x], { order: 1, modes: ["reverse"] }).comparisons).toBe(1);
  });

  test("finds a wrong vjp", () => {
    const check = () => checkGradients(squareWith({ vjp: wrong }), [x]);
    expect(check).toThrow(GradientError);
    expect(check).toThrow(
      /^checkGradients: reverse mode gives .* a derivative rule is wrong, or the function has a kink here$/,
    );
  });

  test("finds a wrong jvp", () => {
    expect(() => checkGradients(squareWith({ jvp: wrong }), [x])).toThrow(/^checkGradients: forward mode gives/);
  });

  test("looks only in the modes that are asked for", () => {
    const options = { order: 1, modes: ["forward"] } as const;
    expect(() => checkGradients(squareWith({ vjp: wrong }), [x], options)).not.toThrow();
  });

  test("finds a rule whose value is right and whose own derivative is wrong", () => {
    const stopped = (y: Tensor) => ops.multiply(ops.stopGradient(y), 2);
    expect(() => checkGradients(squareWith({ vjp: stopped }), [x], { order: 1 })).not.toThrow();
    expect(() => checkGradients(squareWith({ vjp: stopped }), [x])).toThrow(/second order/);
    expect(() => checkGradients(squareWith({ jvp: stopped }), [x])).toThrow(/second order/);
  });

  test("finds NaN", () => {
    const nothing = (y: Tensor) => ops.multiply(y, Number.NaN);
    expect(() => checkGradients(squareWith({ vjp: nothing }), [x])).toThrow(/reverse mode gives NaN/);
  });

  test("says so at a kink", () => {
    expect(() => checkGradients(ops.relu, [float64(0)])).toThrow(/or the function has a kink here/);
  });

  test("leaves whole numbers alone, and takes trees", () => {
    const f = (params: { table: Tensor }, k: Tensor) => ({ rows: ops.sin(ops.gather(params.table, k)) });
    expect(checkGradients(f, [{ table: spread([4, 2]) }, int32(1, 3)]).maxError).toBeLessThan(1e-9);
  });

  test("wants float64 arguments", () => {
    expect(() => checkGradients(ops.sin, [tensor([1])])).toThrow(
      new GradientError("checkGradients: arguments must be float64; float32 rounding would hide errors"),
    );
  });

  test("wants a float64 result: it would have nothing to compare", () => {
    const message = "checkGradients: the function returned no float64 tensor, so there is nothing to compare";
    expect(() => checkGradients((y: Tensor) => ops.cast(y, "float32"), [x])).toThrow(new GradientError(message));
  });
});
