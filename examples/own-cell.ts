import * as tt from "through-time";

// A cell is one step: (params, carry, x) -> [next carry, output]. This is a leaky one, of your own.
const leaky = (inputSize: number, hiddenSize: number): tt.Cell<{ w: tt.Tensor; u: tt.Tensor }, tt.Tensor> => ({
  inputSize,
  outputSize: hiddenSize,
  init: (key) => ({
    w: tt.glorotUniform(key, [hiddenSize, inputSize]),
    u: tt.orthogonal(tt.foldIn(key, 1), [hiddenSize, hiddenSize]),
  }),
  initialCarry: (batchSize, dtype) => tt.zeros([batchSize, hiddenSize], dtype),
  step: ({ w, u }, h, x) => {
    const proposal = tt.tanh(tt.add(tt.linear(x, w), tt.linear(h, u)));
    const next = tt.add(tt.multiply(h, 0.2), tt.multiply(proposal, 0.8));
    return [next, next];
  },
});

// The toolkit derives the rest. Here: train it to repeat what it was given two steps ago.
const layer = tt.recurrent(leaky(1, 32));
const readout = tt.dense({ inputSize: 32, outputSize: 1 });

type Params = { layer: tt.ParamsOf<typeof layer>; readout: tt.DenseParams };
type Batch = { x: tt.Tensor; target: tt.Tensor };
const problem: tt.SequenceProblem<Params, tt.Tensor, Batch> = {
  initialCarry: ({ x }) => layer.initialCarry(x.shape[1] ?? 0),
  loss: (params, carry, { x, target }) => {
    const result = layer.apply(params.layer, x, { carry });
    return { loss: tt.meanSquaredError(readout.apply(params.readout, result.outputs), target), carry: result.carry };
  },
};

const batch = (update: number): Batch => {
  const x = tt.normal(tt.foldIn(tt.randomKey(7), update), [20, 16, 1]); // [time, batch, features]
  return { x, target: tt.pad(tt.slice(x, 0, 0, -2), 0, 2, 0) };
};
const params = { layer: layer.init(tt.randomKey(1)), readout: readout.init(tt.randomKey(2)) };
const optimizer = tt.adam({ learningRate: 0.01 });
const state = tt.initialState({ problem, optimizer, batch, params, key: tt.randomKey(3) });

for await (const { step, averageLoss } of tt.train({ problem, state, optimizer, batch, steps: 100 })) {
  if (step === 1 || step % 25 === 0) console.log(`update ${step}: squared error ${averageLoss.toFixed(2)}`);
}
