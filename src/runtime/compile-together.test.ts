/** Calls together: what single calls give, on the kernels that have no threads. The other kernels: test/contracts/kernels.cases.ts. */

import { describe, expect, test } from "vitest";
import { expectTensor, float64, scalar } from "../../test/scalar-loops.js";
import { OptionError, TraceError } from "../core/index.js";
import * as ops from "../ops/index.js";
import { type Tensor, tensor } from "../tensor/index.js";
import { compile, compileTogether, referenceKernels } from "./index.js";

const f = (w: Tensor, x: Tensor) => ({ y: ops.tanh(ops.multiply(w, x)), loss: ops.sum(ops.multiply(w, x)) });
const kernels = referenceKernels;

describe("compileTogether", () => {
  test("gives the results of single calls, in the same memory after every run", () => {
    for (const threads of [1, 2, 3]) {
      const together = compileTogether(f, { kernels, threads });
      const w = float64(1, 2);
      const results = together([
        [w, float64(3, 4)],
        [w, float64(-1, 0.5)],
      ]);
      const memory = results.map(({ y }) => y.data);
      expect(memory[0]).not.toBe(memory[1]);
      expectTensor(results[0]?.loss as Tensor, scalar(11));
      expectTensor(results[1]?.y as Tensor, float64(Math.tanh(-1), Math.tanh(1)));
      const again = together([
        [w, float64(0, 1)],
        [w, float64(1, 0)],
      ]);
      expect(again.map(({ y }) => y.data)).toEqual(memory);
      expect(again[0]?.y.data).toBe(memory[0]);
      expectTensor(results[0]?.loss as Tensor, scalar(2));
    }
  });

  test("takes more or fewer calls than before, and none", () => {
    const together = compileTogether((x: Tensor) => ops.add(x, 1), { kernels });
    expect(together([])).toEqual([]);
    for (const count of [1, 4, 2]) {
      const results = together(Array.from({ length: count }, (_, k) => [float64(k)]));
      expect(results.map(({ data }) => data[0])).toEqual(Array.from({ length: count }, (_, k) => k + 1));
    }
  });

  test("traces once for each set of types", () => {
    let calls = 0;
    const together = compileTogether(
      (x: Tensor) => {
        calls += 1;
        return ops.sin(x);
      },
      { kernels },
    );
    together([[float64(1)], [float64(2)], [float64(3)]]);
    together([[float64(1)]]);
    expect(together.plan([float64(7)]).outputs).toEqual([{ dtype: "float64", shape: [1] }]);
    expect(calls).toBe(1);
    together([[tensor([1, 2])]]);
    expect(calls).toBe(2);
  });

  test("needs calls of one type with concrete tensors", () => {
    const together = compileTogether((x: Tensor) => ops.square(x), { kernels });
    const sentence =
      "compileTogether: needs calls with concrete tensors of the same types; pad or cut them to one size";
    expect(() => together([[float64(1)], [float64(1, 2)]])).toThrow(new TraceError(sentence));
    expect(() => compile((x: Tensor) => together([[x]])[0] as Tensor)(float64(1))).toThrow(new TraceError(sentence));
  });

  test.each([0, -1, 1.5, Number.NaN])("needs a whole number of threads of at least 1, not %d", (threads) => {
    expect(() => compileTogether((x: Tensor) => x, { threads })).toThrow(OptionError);
  });
});
