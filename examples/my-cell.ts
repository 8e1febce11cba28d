import {
  add,
  type Cell,
  foldIn,
  glorotUniform,
  linear,
  multiply,
  orthogonal,
  sigmoid,
  subtract,
  type Tensor,
  tanh,
  zeros,
} from "through-time";

type Params = { readonly w: Tensor; readonly u: Tensor; readonly leak: Tensor };

/** h' = h + α ⊙ (tanh(W x + U h) - h) with α = σ(leak), learnt for each unit. */
export const learnedLeak = (inputSize: number, hiddenSize: number): Cell<Params, { readonly h: Tensor }> => ({
  inputSize,
  outputSize: hiddenSize,
  init: (key, dtype) => ({
    w: glorotUniform(key, [hiddenSize, inputSize], dtype),
    u: orthogonal(foldIn(key, 1), [hiddenSize, hiddenSize], dtype),
    leak: zeros([hiddenSize], dtype),
  }),
  initialCarry: (batchSize, dtype) => ({ h: zeros([batchSize, hiddenSize], dtype) }),
  step: ({ w, u, leak }, { h }, x) => {
    const proposal = tanh(add(linear(x, w), linear(h, u)));
    const next = add(h, multiply(sigmoid(leak), subtract(proposal, h)));
    return [{ h: next }, next];
  },
});
