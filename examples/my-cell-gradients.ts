import { checkGradients, normal, randomKey, recurrent } from "through-time";
import { learnedLeak } from "./my-cell.js";

const layer = recurrent(learnedLeak(2, 3));
const xs = normal(randomKey(1), [4, 2, 2], "float64");

// First and second derivatives, forward and reverse, against central differences. It throws if they differ.
const { maxError, comparisons } = checkGradients(
  (params, inputs) => layer.apply(params, inputs).outputs,
  [layer.init(randomKey(2), "float64"), xs],
);
console.log(`${comparisons} comparisons, largest error below 1e-8: ${maxError < 1e-8}`);
