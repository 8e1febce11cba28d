/** Elman's network and his way of learning: one update after each step, with the context copied from the step before. */

import { sgd } from "../../learn/index.js";
import { type Cell, dense, type ElmanState, elman, linear, uniformInit } from "../../nn/index.js";
import { add, foldIn, multiply, sigmoid, square, subtract, sum } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { scan } from "../../scan/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import { valueAndGrad } from "../../transforms/index.js";

/** Sizes, and the step size of gradient descent, which the paper does not tell. */
export interface ElmanNetOptions {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly outputSize: number;
  readonly learningRate: number;
}

/** Elman's cell with the logistic units of his paper:  h' = σ(W x + U h + b) */
const logisticElman = (options: { readonly inputSize: number; readonly hiddenSize: number }) => {
  const cell = elman(options);
  return {
    ...cell,
    step: ({ weightIh, weightHh, bias }, { h }, x) => {
      const next = sigmoid(add(linear(x, weightIh, bias), linear(h, weightHh)));
      return [{ h: next }, next];
    },
  } satisfies Cell<ReturnType<typeof cell.init>, ElmanState>;
};

/** All weights and biases uniform in [-1, 1). */
function uniformWeights<Params extends TensorTree>(key: Tensor, like: Params): Params {
  let count = 0;
  return mapTensors(({ shape }) => uniformInit(1)(foldIn(key, count++), shape), like);
}

/**
 * A simple recurrent network that learns from one long stream.
 *
 *   h_t = σ(W x_t + U h_{t-1} + b)      o_t = σ(V h_t + c)      E_t = ½ Σₖ (targetₖ - oₖ)²
 *
 * After each step the weights follow the gradient of E_t with h_{t-1} held constant: it looks back one step. A pass over the
 * stream, updates included, is one `scan`, whose carry holds the weights.
 * @see Elman 1990, Finding structure in time, doi:10.1207/s15516709cog1402_1
 */
export function elmanNet({ inputSize, hiddenSize, outputSize, learningRate }: ElmanNetOptions) {
  const cell = logisticElman({ inputSize, hiddenSize });
  const readout = dense({ inputSize: hiddenSize, outputSize });
  const optimizer = sgd({ learningRate });

  const init = (key: Tensor) => {
    const params = uniformWeights(key, { cell: cell.init(key), readout: readout.init(key) });
    return { params, optimizer: optimizer.init(params), context: cell.initialCarry(1) };
  };
  type State = ReturnType<typeof init>;

  const errorOf = (params: State["params"], before: ElmanState, x: Tensor, target: Tensor) => {
    const [context, h] = cell.step(params.cell, before, x);
    const squared = square(subtract(target, sigmoid(readout.apply(params.readout, h))));
    return [multiply(sum(squared), 0.5), { context, squared }] as const;
  };
  const step = (before: State, { x, target }: { readonly x: Tensor; readonly target: Tensor }) => {
    const { gradient, extra } = valueAndGrad(errorOf)(before.params, before.context, x, target);
    const { params, state } = optimizer.update(before.params, gradient, before.optimizer);
    return [{ params, optimizer: state, context: extra.context }, extra.squared] as const;
  };
  return {
    init,
    /**
     * One pass; gives up the state.
     * @param xs `[time, 1, inputSize]`
     * @param targets `[time, 1, outputSize]`
     * @returns the state after it, and the squared errors `[time, 1, outputSize]`, each before its update
     */
    pass: compile((state: State, x: Tensor, target: Tensor) => scan(step, state, { x, target }), { donate: [0] }),
  };
}
