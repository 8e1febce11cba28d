import { grad, lstm, lstm1997, normal, randomKey, recurrent, sum, type Tensor } from "through-time";

const xs = normal(randomKey(1), [1000, 1, 2]);

// What the memory c after 1000 steps owes to the memory before them: ∂(Σ c_1000)/∂c_0.
const first = recurrent(lstm1997({ inputSize: 2, blocks: 3, truncateGradient: true }));
const begin = first.initialCarry(1);
const params = first.init(randomKey(2));
const owed = grad((c: Tensor) => sum(first.apply(params, xs, { carry: { ...begin, c } }).carry.c))(begin.c);
console.log(`1997:          ${Array.from(owed.data)}`);

// With a forget gate, at its usual start.
const gated = recurrent(lstm({ inputSize: 2, hiddenSize: 3 }));
const gatedParams = gated.init(randomKey(2));
const { h, c: cell } = gated.initialCarry(1);
const rest = grad((c: Tensor) => sum(gated.apply(gatedParams, xs, { carry: { h, c } }).carry.c))(cell);
console.log(`forget gate:   all below 1e-30: ${rest.data.every((value) => Math.abs(value) < 1e-30)}`);
