/**
 * brain.js. It has no batches: a call is as many runs of one sequence as the batch has. It predicts the next input at every
 * step, with RMSprop; so its losses are not those of the others, and nothing is checked.
 */

import { inputNumbers } from "../dist/numbers.js";
import { CannotDo, serve } from "../dist/worker.js";
import { load } from "./load.mjs";

const NETWORKS = { lstm: "LSTMTimeStep", gru: "GRUTimeStep", rnn: "RNNTimeStep" };
const SETTINGS = { iterations: 1, errorThresh: -1, learningRate: 1e-4 };

function build(workload) {
  const { kind, cell, time, batch, inputSize, hiddenSize, layers } = workload;
  if (!(cell in NETWORKS)) throw new CannotDo("brain.js has no such cell");
  const { recurrent } = load("brain.js");
  const sizes = { inputSize, hiddenLayers: Array(layers).fill(hiddenSize), outputSize: inputSize };
  const network = new recurrent[NETWORKS[cell]](sizes);
  const numbers = inputNumbers(workload);
  const row = (t) => numbers.slice((t % time) * batch * inputSize, (t % time) * batch * inputSize + inputSize);
  const sequence = Array.from({ length: time + 1 }, (_, t) => row(t));
  const inputs = sequence.slice(0, time);
  const once = kind === "train" ? () => network.train([sequence], SETTINGS) : () => network.run(inputs);
  if (kind !== "train") network.train([sequence], SETTINGS); // it only runs once trained
  return {
    run: () => {
      for (let k = 0; k < batch; k++) once();
    },
  };
}

await serve(({ prepare, threads }) => {
  if (threads > 1) throw new CannotDo("brain.js runs on one thread");
  if (prepare.kind === "gemm") throw new CannotDo("brain.js offers no matrix product");
  if (prepare.kind === "step") throw new CannotDo("brain.js cannot run one step and keep the state");
  return [{ make: () => build(prepare) }];
});
