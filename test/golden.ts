/** Recurrent layers against the golden values of PyTorch in test/golden (what a case holds: make_recurrent.py). */

import { readFileSync } from "node:fs";
import { describe, test } from "vitest";
import type { RecurrentLayer } from "../src/nn/index.js";
import { add, multiply, sum } from "../src/ops/index.js";
import { compile } from "../src/runtime/index.js";
import { type FloatDType, type Tensor, type TensorTree, tensor, tensorsByPath } from "../src/tensor/index.js";
import { valueAndGrad } from "../src/transforms/index.js";
import { expectClose, int32 } from "./close.js";

/** The numbers of a file in test/golden. */
export const readGolden = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), "utf8"));

/** Golden `{shape, data}` as tensors, in records and lists of any form. */
export function goldenTensors(value: unknown, dtype: FloatDType): TensorTree {
  if (Array.isArray(value)) return value.map((inner) => goldenTensors(inner, dtype));
  const record = value as Record<string, unknown>;
  if (Array.isArray(record.data)) {
    const data = dtype === "float32" ? Float32Array.from(record.data) : Float64Array.from(record.data);
    return tensor(data, { shape: record.shape as number[] });
  }
  return Object.fromEntries(Object.entries(record).map(([key, inner]) => [key, goldenTensors(inner, dtype)]));
}

/** Both sides compute in float64, and the files hold all digits. */
const FLOAT64 = 1e-12;
/** Five steps of composed operations, rounded to float32 between them, and sums over steps and batch in the gradients. */
const FLOAT32 = 1e-5;

/**
 * Outputs, last carry, loss and the gradients for parameters, inputs and initial carry of one golden case.
 * @param file default recurrent
 */
export function runGoldenCase(name: string, anyLayer: unknown, file = "recurrent"): void {
  const layer = anyLayer as RecurrentLayer<TensorTree, TensorTree>;
  describe(`golden values of PyTorch: ${name}`, () => {
    test.each([
      ["float64", FLOAT64],
      ["float32", FLOAT32],
    ] as const)("in %s, outputs, carry, loss and all gradients", (dtype, tolerance) => {
      const golden = readGolden(file)[name] as Record<string, unknown> & { readonly grad: unknown };
      const read = (value: unknown): TensorTree => goldenTensors(value, dtype);
      const lengths = golden.lengths as number[] | undefined;
      const point = { params: read(golden.params), x: read(golden.x) as Tensor, initial: read(golden.initial) };
      const loss = ({ params, x, initial }: typeof point): readonly [Tensor, { y: Tensor; final: TensorTree }] => {
        const { outputs, carry } = layer.apply(params, x, {
          carry: initial,
          ...(lengths && { sequenceLengths: int32(lengths) }),
        });
        const weights = tensorsByPath(read(golden.wState));
        const total = tensorsByPath(carry).reduce(
          (partial, [, state], index) => add(partial, sum(multiply(state, weights[index]![1]))),
          sum(multiply(outputs, read(golden.wY) as Tensor)),
        );
        return [total, { y: outputs, final: carry }];
      };
      const run = (at: typeof point) => ({ ...valueAndGrad(loss)(at) });
      const expected = {
        value: tensor([golden.loss as number], { dtype, shape: [] }),
        gradient: read(golden.grad),
        extra: { y: read(golden.y), final: read(golden.final) },
      };
      expectClose(run(point), expected, tolerance);
      expectClose(compile(run)(point), expected, tolerance);
    });
  });
}
