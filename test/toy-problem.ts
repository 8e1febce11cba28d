/** A small recurrent regression in any float type, to learn and to measure: an Elman cell that follows a sequence. */

import type { SequenceProblem } from "../src/learn/index.js";
import {
  type DenseParams,
  dense,
  dropout,
  type ElmanParams,
  type ElmanState,
  elman,
  meanSquaredError,
  recurrent,
} from "../src/nn/index.js";
import { foldIn, randomKey } from "../src/ops/index.js";
import { type FloatDType, HostTensor, type Tensor } from "../src/tensor/index.js";
import { numbers } from "./close.js";

export type ToyParams = { readonly cell: ElmanParams; readonly readout: DenseParams };
export type ToyBatch = {
  readonly xs: Tensor;
  readonly targets: Tensor;
  readonly mask: Tensor;
  readonly resetMask: Tensor;
};
export type ToyCarry = ElmanState;
export type ToyProblem = SequenceProblem<ToyParams, ToyCarry, ToyBatch>;

const [INPUTS, HIDDEN, OUTPUTS] = [2, 4, 2] as const;
const layer = recurrent(elman({ inputSize: INPUTS, hiddenSize: HIDDEN }));
const readout = dense({ inputSize: HIDDEN, outputSize: OUTPUTS });

/** Starting parameters. */
export const toyParams = (dtype: FloatDType = "float64", seed = 0): ToyParams => ({
  cell: layer.init(foldIn(randomKey(seed), 0), dtype),
  readout: readout.init(foldIn(randomKey(seed), 1), dtype),
});

/** The problem. @param rate dropout of the outputs while it is learnt */
export const toyProblem = (rate = 0): ToyProblem => ({
  initialCarry: ({ xs }) => layer.initialCarry(xs.shape[1] as number, xs.dtype as FloatDType),
  loss: (params, carry, { xs, targets, mask, resetMask }, key) => {
    const result = layer.apply(params.cell, xs, { carry, mask, resetMask });
    const outputs = key === undefined || rate === 0 ? result.outputs : dropout(key, result.outputs, rate);
    return {
      loss: meanSquaredError(readout.apply(params.readout, outputs), targets, mask),
      carry: result.carry,
    };
  },
});

const ones = (shape: readonly number[], value: number): Tensor =>
  new HostTensor({ dtype: "int32", shape }, new Int32Array(shape.reduce((a, b) => a * b, 1)).fill(value));

/** Steps `from` to `to` of two endless sequences; the target is the input two steps before, halved. */
export function toyWindow(from: number, to: number, dtype: FloatDType = "float64"): ToyBatch {
  const at = (step: number): number[] => Array.from(numbers(1000 + step, [2, INPUTS], dtype).data);
  const stack = (step: (time: number) => number[]): Tensor => {
    const values = Array.from({ length: to - from }, (_, index) => step(from + index)).flat();
    const data = dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values);
    return new HostTensor({ dtype, shape: [to - from, 2, INPUTS] }, data);
  };
  return {
    xs: stack(at),
    targets: stack((time) => (time < 2 ? [0, 0, 0, 0] : at(time - 2).map((value) => value / 2))),
    mask: ones([to - from, 2], 1),
    resetMask: ones([to - from, 2], 0),
  };
}
