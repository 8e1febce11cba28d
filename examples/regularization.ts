import { lstm, max, normal, randomKey, recurrent, stacked, subtract, type Tensor, toNumber } from "through-time";

const sizes = { inputSize: 8, hiddenSize: 8 };
const layer = stacked(
  [
    recurrent(lstm(sizes), { dropout: { input: 0.2, state: 0.3 } }), // the same units at all steps
    recurrent(lstm({ ...sizes, updateDropout: 0.2 }), { zoneout: { h: 0.05, c: 0.2 } }), // others at each step
  ],
  { dropout: 0.5 }, // between the layers
);
const params = layer.init(randomKey(1));
const xs = normal(randomKey(2), [6, 4, 8]);
const differ = (a: Tensor, b: Tensor) => toNumber(max(subtract(a, b))) > 0;

const run = (seed: number) => layer.apply(params, xs, { key: randomKey(seed) }).outputs;
const [first, again, other, evaluated] = [run(3), run(3), run(4), layer.apply(params, xs).outputs] as const;
console.log(`the same key draws others: ${differ(first, again)}`);
console.log(`another key draws others:  ${differ(first, other)}`);
console.log(`no key, nothing is drawn:  ${differ(first, evaluated)}`);
