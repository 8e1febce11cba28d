/**
 * What tells RNN, GRU and LSTM from each other: gates, states, and the cell for some settings. Where the settings are those of a cell of
 * the toolkit, it is that cell; otherwise the cell gets another step.
 *
 * @see https://onnx.ai/onnx/operators/onnx__LSTM.html and its neighbours
 */

import { type Cell, elman, gru, gruResetBefore, linear, lstm } from "../../../nn/index.js";
import { add, multiply, slice, split, subtract } from "../../../ops/index.js";
import type { Tensor } from "../../../tensor/index.js";
import type { NodeCall } from "../node-call.js";
import type { ActivationName } from "./activations.js";
import type { Activations } from "./recurrent-activations.js";

/** The weights of one direction, gates in the order of the toolkit. */
export interface Weights {
  /** `[gates*hiddenSize, inputSize]` */
  readonly weightIh: Tensor;
  /** `[gates*hiddenSize, hiddenSize]` */
  readonly weightHh: Tensor;
  /** `[gates*hiddenSize]` */
  readonly biasIh: Tensor;
  /** `[gates*hiddenSize]` */
  readonly biasHh: Tensor;
  /** `[3*hiddenSize]` for i, o, f: the order of the operator */
  readonly peephole: Tensor | undefined;
}

/** Features of the input and units of the state. */
export interface Sizes {
  readonly inputSize: number;
  readonly hiddenSize: number;
}

/** Tensors by name: parameters, or a carry. */
type State = { readonly [name: string]: Tensor };

/** A cell with its parameters. */
export interface Ready {
  readonly cell: Cell<State, State>;
  readonly params: State;
}

/** What tells one recurrent operator from another. */
export interface Kind {
  /** For each gate of the toolkit, the place of that gate in the operator. */
  readonly gates: readonly number[];
  readonly activations: readonly ActivationName[];
  /** Components of the state, in the order of the inputs and the outputs. */
  readonly state: readonly string[];
  /** Reads the operator's own attributes. @returns the cell of a direction */
  readonly settings: (node: NodeCall) => (sizes: Sizes, weights: Weights, activations: Activations) => Ready;
}

/** A cell whose types are given up, with parameters that fit it. */
const ready = <Params extends State, Carry extends State>(cell: Cell<Params, Carry>, params: Params): Ready => ({
  cell: cell as unknown as Cell<State, State>,
  params,
});

type Apply = (x: Tensor) => Tensor;

/** h' = f(W x + U h + b) */
export const RNN: Kind = {
  gates: [0],
  activations: ["Tanh"],
  state: ["h"],
  settings:
    () =>
    (sizes, { weightIh, weightHh, biasIh, biasHh }, { functions, usual }) => {
      const [f] = functions as [Apply];
      const plain = elman(sizes);
      const step: typeof plain.step = (params, { h }, x) => {
        const next = f(add(linear(x, params.weightIh, params.bias), linear(h, params.weightHh)));
        return [{ h: next }, next];
      };
      return ready(usual ? plain : { ...plain, step }, { weightIh, weightHh, bias: add(biasIh, biasHh) });
    },
};

/** z, r = f(...), n = g(...), h' = (1 - z) ⊙ n + z ⊙ h; the reset acts before or after the recurrent product of n. */
export const GRU: Kind = {
  gates: [1, 0, 2],
  activations: ["Sigmoid", "Tanh"],
  state: ["h"],
  settings: (node) => {
    const resetAfter = node.int("linear_before_reset", 0) !== 0;
    return (sizes, { weightIh, weightHh, biasIh, biasHh }, { functions, usual }) => {
      if (usual && !resetAfter) {
        return ready(gruResetBefore(sizes), { weightIh, weightHh, bias: add(biasIh, biasHh) });
      }
      const plain = gru(sizes);
      const step = gruStep(sizes, functions, resetAfter);
      return ready(usual ? plain : { ...plain, step }, { weightIh, weightHh, biasIh, biasHh });
    };
  },
};

function gruStep(
  { hiddenSize }: Sizes,
  functions: readonly Apply[],
  resetAfter: boolean,
): ReturnType<typeof gru>["step"] {
  const [f, g] = functions as [Apply, Apply];
  return ({ weightIh, weightHh, biasIh, biasHh }, { h }, x) => {
    const gates = 2 * hiddenSize;
    const [xr, xz, xn] = split(linear(x, weightIh, biasIh), 3);
    const [hr, hz] = split(linear(h, slice(weightHh, 0, 0, gates), slice(biasHh, 0, 0, gates)), 2);
    const proposal = (from: Tensor) => linear(from, slice(weightHh, 0, gates), slice(biasHh, 0, gates));
    const r = f(add(xr, hr));
    const z = f(add(xz, hz));
    const n = g(add(xn, resetAfter ? multiply(r, proposal(h)) : proposal(multiply(r, h))));
    const next = add(multiply(subtract(1, z), n), multiply(z, h));
    return [{ h: next }, next];
  };
}

/** i, f, o = f(...), g = g(...), c' = f ⊙ c + i ⊙ g, h' = o ⊙ h(c'); with peepholes, i and f also see c, and o sees c'. */
export const LSTM: Kind = {
  gates: [0, 2, 3, 1],
  activations: ["Sigmoid", "Tanh", "Tanh"],
  state: ["h", "c"],
  settings: (node) => {
    const coupled = node.int("input_forget", 0) !== 0;
    return (sizes, { weightIh, weightHh, biasIh, biasHh, peephole }, { functions, usual }) => {
      const plain = lstm(sizes);
      const isPlain = usual && !coupled && peephole === undefined;
      const step = lstmStep(functions, peephole, coupled);
      return ready(isPlain ? plain : { ...plain, step }, { weightIh, weightHh, bias: add(biasIh, biasHh) });
    };
  },
};

function lstmStep(
  functions: readonly Apply[],
  peephole: Tensor | undefined,
  coupled: boolean,
): ReturnType<typeof lstm>["step"] {
  const [gate, proposal, shown] = functions as [Apply, Apply, Apply];
  const peepholes = peephole && split(peephole, 3);
  const seeing = (x: Tensor, which: 0 | 1 | 2, c: Tensor): Tensor =>
    peepholes === undefined ? x : add(x, multiply(c, peepholes[which] as Tensor));
  return ({ weightIh, weightHh, bias }, { h, c }, x) => {
    const gates = add(linear(x, weightIh, bias), linear(h, weightHh));
    const [xi, xf, xg, xo] = split(gates, 4);
    const i = gate(seeing(xi, 0, c));
    const f = coupled ? subtract(1, i) : gate(seeing(xf, 2, c));
    const nextC = add(multiply(f, c), multiply(i, proposal(xg)));
    const nextH = multiply(gate(seeing(xo, 1, nextC)), shown(nextC));
    return [{ h: nextH, c: nextC }, nextH];
  };
}
