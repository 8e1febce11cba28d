/** LSTM-like cells as a user would write them. */

import { type Cell, glorotUniform, linear, orthogonal } from "../src/nn/index.js";
import {
  add,
  divide,
  mean,
  multiply,
  ones,
  sigmoid,
  split,
  sqrt,
  square,
  subtract,
  tanh,
  zeros,
} from "../src/ops/index.js";
import type { Tensor } from "../src/tensor/index.js";

export type GateParams = { readonly w: Tensor; readonly u: Tensor; readonly b: Tensor; readonly p: Tensor };
export type GateState = { readonly h: Tensor; readonly c: Tensor };

/** 3 inputs, 4 units. */
const userCell = (step: Cell<GateParams, GateState>["step"]): Cell<GateParams, GateState> => ({
  inputSize: 3,
  outputSize: 4,
  init: (key, dtype) => ({
    w: glorotUniform(key, [16, 3], dtype),
    u: orthogonal(key, [16, 4], dtype),
    b: zeros([16], dtype),
    p: ones([12], dtype),
  }),
  initialCarry: (batchSize, dtype) => ({ h: zeros([batchSize, 4], dtype), c: zeros([batchSize, 4], dtype) }),
  step,
});

/** Gates that see the cell. */
export const peephole = userCell(({ w, u, b, p }, { h, c }, x) => {
  const [i, f, g, o] = split(add(linear(x, w, b), linear(h, u)), 4);
  const [pi, pf, po] = split(p, 3);
  const next = add(multiply(sigmoid(add(f, multiply(pf, c))), c), multiply(sigmoid(add(i, multiply(pi, c))), tanh(g)));
  const y = multiply(sigmoid(add(o, multiply(po, next))), tanh(next));
  return [{ h: y, c: next }, y];
});

const normalize = (x: Tensor): Tensor => {
  const centred = subtract(x, mean(x, { axes: -1, keepAxes: true }));
  return divide(centred, sqrt(add(mean(square(centred), { axes: -1, keepAxes: true }), 1e-5)));
};

/** Normalised products and cell. */
export const layerNormLstm = userCell(({ w, u, b }, { h, c }, x) => {
  const gates = add(normalize(linear(x, w)), add(normalize(linear(h, u)), b));
  const [i, f, g, o] = split(gates, 4);
  const next = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)));
  const y = multiply(sigmoid(o), tanh(normalize(next)));
  return [{ h: y, c: next }, y];
});
