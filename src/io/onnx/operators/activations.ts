/** The activation functions of ONNX: operators of their own, and inside RNN, GRU and LSTM. */

import {
  abs,
  add,
  clamp,
  divide,
  expm1,
  greater,
  less,
  minimum,
  multiply,
  relu,
  select,
  sigmoid,
  softplus,
  tanh,
} from "../../../ops/index.js";
import type { Tensor } from "../../../tensor/index.js";
import type { NodeCall, Operator } from "../node-call.js";

/** A function of one number with up to two settings: their values where none is given, or null where one must be. */
export interface Activation {
  readonly apply: (x: Tensor, alpha: number, beta: number) => Tensor;
  readonly alpha?: number | null;
  readonly beta?: number | null;
}

/** By the name of their operator. Affine and ScaledTanh are functions of recurrent operators only. */
export const ACTIVATIONS = {
  Relu: { apply: relu },
  Tanh: { apply: tanh },
  Sigmoid: { apply: sigmoid },
  Softsign: { apply: (x) => divide(x, add(abs(x), 1)) },
  Softplus: { apply: softplus },
  Affine: { apply: (x, alpha, beta) => add(multiply(x, alpha), beta), alpha: null, beta: null },
  ScaledTanh: { apply: (x, alpha, beta) => multiply(tanh(multiply(x, beta)), alpha), alpha: null, beta: null },
  HardSigmoid: { apply: (x, alpha, beta) => clamp(add(multiply(x, alpha), beta), 0, 1), alpha: 0.2, beta: 0.5 },
  LeakyRelu: { apply: (x, alpha) => select(less(x, 0), multiply(x, alpha), x), alpha: 0.01 },
  ThresholdedRelu: { apply: (x, alpha) => select(greater(x, alpha), x, 0), alpha: 1 },
  // The minimum keeps the branch that is not chosen finite, for its gradient.
  Elu: { apply: (x, alpha) => select(less(x, 0), multiply(expm1(minimum(x, 0)), alpha), x), alpha: 1 },
} as const satisfies Readonly<Record<string, Activation>>;

/** Name of an activation function. */
export type ActivationName = keyof typeof ACTIVATIONS;

/** The operator of an activation function. */
export const activation = (name: Exclude<ActivationName, "Affine" | "ScaledTanh">): Operator => {
  const { apply, alpha, beta }: Activation = ACTIVATIONS[name];
  const read = (node: NodeCall, setting: string, missing: number | null | undefined): number =>
    typeof missing === "number" ? node.float(setting, missing) : 0;
  return (node) => apply(node.input(0), read(node, "alpha", alpha), read(node, "beta", beta));
};

/** λ x above 0, λ α (eˣ - 1) below: Klambauer et al. 2017, arXiv:1706.02515. */
export const selu: Operator = (node) => {
  const x = node.input(0);
  const [alpha, gamma] = [node.float("alpha", 1.6732632423543772), node.float("gamma", 1.0507009873554805)];
  return multiply(select(less(x, 0), multiply(expm1(minimum(x, 0)), alpha), x), gamma);
};

/** x, times what rises from 0 at -3 to 1 at 3: Howard et al. 2019, arXiv:1905.02244. */
export const hardSwish = (x: Tensor): Tensor => multiply(x, clamp(add(divide(x, 6), 0.5), 0, 1));
