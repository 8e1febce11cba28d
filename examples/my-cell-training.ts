import * as tt from "through-time";
import { learnedLeak } from "./my-cell.js";

// Say at the end what came at the first of 30 steps; what comes after it is noise.
const layer = tt.recurrent(learnedLeak(1, 16));
const readout = tt.dense({ inputSize: 16, outputSize: 1 });

type Params = { layer: tt.ParamsOf<typeof layer>; readout: tt.DenseParams };
type Batch = { xs: tt.Tensor };
const problem: tt.SequenceProblem<Params, ReturnType<typeof layer.initialCarry>, Batch> = {
  initialCarry: ({ xs }) => layer.initialCarry(xs.shape[1] as number),
  loss: (params, carry, { xs }) => {
    const result = layer.apply(params.layer, xs, { carry, return: "last" });
    return {
      loss: tt.meanSquaredError(readout.apply(params.readout, result.outputs), tt.at(xs, 0)),
      carry: result.carry,
    };
  },
};

const first = tt.pad(tt.ones([1, 32, 1]), 0, 0, 29); // 1 at the first step, 0 at the others
const batch = (update: number): Batch => {
  const noise = tt.normal(tt.foldIn(tt.randomKey(1), update), [30, 32, 1]);
  return { xs: tt.multiply(noise, tt.add(tt.multiply(first, 0.8), 0.2)) };
};
const params = { layer: layer.init(tt.randomKey(2)), readout: readout.init(tt.randomKey(3)) };
const optimizer = tt.adam({ learningRate: 0.01 });
const state = tt.initialState({ problem, optimizer, batch, params, key: tt.randomKey(4) });

for await (const { step, averageLoss } of tt.train({ problem, state, optimizer, batch, steps: 300 })) {
  if (step === 1 || step === 300) console.log(`update ${step}: squared error ${averageLoss.toFixed(1)}`);
}
