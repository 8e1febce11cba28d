import * as tt from "through-time";

const cell = tt.minGru({ inputSize: 4, hiddenSize: 8 });
const params = cell.init(tt.randomKey(1));
const xs = tt.normal(tt.randomKey(2), [200, 3, 4]);

// The same cell, step by step, and with all coefficients computed before the states.
const stepwise = tt.recurrent(cell).apply(params, xs).outputs;
const atOnce = tt.linearRecurrent(cell).apply(params, xs).outputs;
const inRounds = tt.linearRecurrent(cell, { method: "associative" }).apply(params, xs).outputs;

const differ = (a: tt.Tensor, b: tt.Tensor) => tt.toNumber(tt.max(tt.abs(tt.subtract(a, b))));
console.log(`linearRecurrent: the same to 1e-5: ${differ(stepwise, atOnce) < 1e-5}`);
console.log(`associative:     the same to 1e-5: ${differ(stepwise, inRounds) < 1e-5}`);
