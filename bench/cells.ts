/** Two cells that the toolkit does not have, written as a user would write them: one step, nothing else. */

import * as tt from "through-time";

type Sizes = { readonly inputSize: number; readonly hiddenSize: number };
type State = { readonly h: tt.Tensor; readonly c: tt.Tensor };

const startWeights = (key: tt.Tensor, { inputSize, hiddenSize }: Sizes) => {
  const [keyIh, keyHh] = tt.splitKey(key) as [tt.Tensor, tt.Tensor];
  return {
    weightIh: tt.glorotUniform(keyIh, [4 * hiddenSize, inputSize]),
    weightHh: tt.glorotUniform(keyHh, [4 * hiddenSize, hiddenSize]),
    bias: tt.zeros([4 * hiddenSize]),
  };
};

const startState =
  (hiddenSize: number) =>
  (batchSize: number, dtype: tt.FloatDType = "float32"): State => ({
    h: tt.zeros([batchSize, hiddenSize], dtype),
    c: tt.zeros([batchSize, hiddenSize], dtype),
  });

const splitGates = (gates: tt.Tensor) => tt.split(gates, 4) as [tt.Tensor, tt.Tensor, tt.Tensor, tt.Tensor];

/** `weightIh [4*hiddenSize, inputSize]`, `weightHh [4*hiddenSize, hiddenSize]`, `bias`; peepholes `[hiddenSize]` each */
export type PeepholeParams = Record<"weightIh" | "weightHh" | "bias" | "peepI" | "peepF" | "peepO", tt.Tensor>;

/**
 * LSTM whose gates also see the cell state.
 *
 *   i = σ(Wi x + Ui h + bi + pi ⊙ c)    f = σ(Wf x + Uf h + bf + pf ⊙ c)    g = tanh(Wg x + Ug h + bg)
 *   c' = f ⊙ c + i ⊙ g                  o = σ(Wo x + Uo h + bo + po ⊙ c')   h' = o ⊙ tanh(c')
 *
 * @see Gers & Schmidhuber 2000, Recurrent nets that time and count
 */
export const peepholeLstm = (sizes: Sizes): tt.Cell<PeepholeParams, State> => ({
  inputSize: sizes.inputSize,
  outputSize: sizes.hiddenSize,
  init: (key) => ({
    ...startWeights(key, sizes),
    peepI: tt.zeros([sizes.hiddenSize]),
    peepF: tt.zeros([sizes.hiddenSize]),
    peepO: tt.zeros([sizes.hiddenSize]),
  }),
  initialCarry: startState(sizes.hiddenSize),
  step: ({ weightIh, weightHh, bias, peepI, peepF, peepO }, { h, c }, x) => {
    const [i, f, g, o] = splitGates(tt.add(tt.linear(x, weightIh, bias), tt.linear(h, weightHh)));
    const input = tt.sigmoid(tt.add(i, tt.multiply(peepI, c)));
    const forget = tt.sigmoid(tt.add(f, tt.multiply(peepF, c)));
    const nextC = tt.add(tt.multiply(forget, c), tt.multiply(input, tt.tanh(g)));
    const nextH = tt.multiply(tt.sigmoid(tt.add(o, tt.multiply(peepO, nextC))), tt.tanh(nextC));
    return [{ h: nextH, c: nextC }, nextH];
  },
});

/** `weightIh`, `weightHh`, `bias` as above; `gainIh`, `gainHh [4*hiddenSize]`, `gainC`, `shiftC [hiddenSize]` */
export type LayerNormParams = Record<
  "weightIh" | "weightHh" | "bias" | "gainIh" | "gainHh" | "gainC" | "shiftC",
  tt.Tensor
>;

/**
 * LSTM with layer normalization N of both products and of the cell state.
 *
 *   (i f g o) = N(W x) ⊙ gainIh + b + N(U h) ⊙ gainHh
 *   c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g)      h' = σ(o) ⊙ tanh(N(c') ⊙ gainC + shiftC)
 *
 * @see Ba, Kiros & Hinton 2016, arXiv:1607.06450
 */
export const layerNormLstm = (sizes: Sizes): tt.Cell<LayerNormParams, State> => ({
  inputSize: sizes.inputSize,
  outputSize: sizes.hiddenSize,
  init: (key) => ({
    ...startWeights(key, sizes),
    gainIh: tt.ones([4 * sizes.hiddenSize]),
    gainHh: tt.ones([4 * sizes.hiddenSize]),
    gainC: tt.ones([sizes.hiddenSize]),
    shiftC: tt.zeros([sizes.hiddenSize]),
  }),
  initialCarry: startState(sizes.hiddenSize),
  step: ({ weightIh, weightHh, bias, gainIh, gainHh, gainC, shiftC }, { h, c }, x) => {
    const fromInput = tt.add(tt.multiply(tt.standardize(tt.linear(x, weightIh)), gainIh), bias);
    const [i, f, g, o] = splitGates(tt.add(fromInput, tt.multiply(tt.standardize(tt.linear(h, weightHh)), gainHh)));
    const nextC = tt.add(tt.multiply(tt.sigmoid(f), c), tt.multiply(tt.sigmoid(i), tt.tanh(g)));
    const shown = tt.tanh(tt.add(tt.multiply(tt.standardize(nextC), gainC), shiftC));
    const nextH = tt.multiply(tt.sigmoid(o), shown);
    return [{ h: nextH, c: nextC }, nextH];
  },
});
