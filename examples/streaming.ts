import { at, dense, gru, normal, randomKey, recurrent, stacked, stepper } from "through-time";

const layer = stacked([
  recurrent(gru({ inputSize: 2, hiddenSize: 16 })),
  recurrent(gru({ inputSize: 16, hiddenSize: 16 })),
]);
const readout = dense({ inputSize: 16, outputSize: 1 });
const [params, readoutParams] = [layer.init(randomKey(1)), readout.init(randomKey(2))];

// Two streams side by side, and what is read off them.
const stream = stepper(layer, params, { batchSize: 2, readout: (y) => readout.apply(readoutParams, y) });

const xs = normal(randomKey(3), [50, 2, 2]);
const atOnce = readout.apply(readoutParams, layer.apply(params, xs).outputs);
let largest = 0;
for (let t = 0; t < 50; t++) {
  const y = stream.push(at(xs, t));
  y.forEach((value, row) => {
    largest = Math.max(largest, Math.abs(value - (atOnce.data[2 * t + row] as number)));
  });
}
console.log(`step by step as at once, to 1e-5: ${largest < 1e-5}`);

stream.reset([1]); // the second stream begins anew
console.log(`state of layer 2: [${stream.state[1]?.h.shape}]`);
