/** Linear cells of one's own: the one of the documentation. (What all must do is in test/contracts/linear-cell.cases.ts.) */

import { describe, expect, test } from "vitest";
import { expectClose, f64 } from "../../../test/close.js";
import { runLinearCellCases } from "../../../test/contracts/linear-cell.cases.js";
import { fill, multiply, ones, sum, zeros } from "../../ops/index.js";
import type { FloatDType, Tensor } from "../../tensor/index.js";
import { recurrent } from "../recurrent/recurrent.js";
import { type LinearCell, linearCell } from "./linear-cell.js";
import { linearRecurrent } from "./linear-recurrent.js";

type Params = { readonly a: Tensor; readonly b: Tensor };
type State = { readonly h: Tensor };

/** h' = a h + b x for the sum of the inputs. */
const leaky = (inputSize: number): LinearCell<Params, State> =>
  linearCell<Params, State>({
    inputSize,
    outputSize: 1,
    init: (_, dtype: FloatDType = "float32") => ({ a: fill([1], 0.9, dtype), b: ones([1], dtype) }),
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, 1], dtype) }),
    coefficients: ({ a, b }, xs) => ({ a, b: multiply(sum(xs, { axes: -1, keepAxes: true }), b) }),
    readout: (_, { h }) => h,
  });

runLinearCellCases({ name: "a linear cell of a user", cell: leaky(3) });

describe("a linear leaky unit", () => {
  test("answers an impulse with b aᵏ for ever: checked for k = 0 to 200, one by one and all at once", () => {
    const [a, b, steps] = [0.93, 1.7, 201];
    const params = { a: f64([a]), b: f64([b]) };
    const impulse = f64(
      Array.from({ length: steps }, (_, t) => (t === 0 ? 1 : 0)),
      [steps, 1, 1],
    );
    const response = f64(
      Array.from({ length: steps }, (_, k) => b * a ** k),
      [steps, 1, 1],
    );
    const layers = [
      recurrent(leaky(1)),
      linearRecurrent(leaky(1), { method: "sequential" }),
      linearRecurrent(leaky(1), { method: "associative" }),
    ];
    for (const layer of layers) {
      const { outputs } = layer.apply(params, impulse);
      expectClose(outputs, response, 1e-12);
      expect(outputs.data[200]).toBeGreaterThan(0);
    }
  });
});
