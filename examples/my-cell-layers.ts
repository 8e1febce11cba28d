import { bidirectional, normal, randomKey, recurrent, stacked, tensor, toNested } from "through-time";
import { learnedLeak } from "./my-cell.js";

// Two layers of it, in time.
const deep = stacked([recurrent(learnedLeak(3, 8)), recurrent(learnedLeak(8, 8))]);

// Both directions of it, over two sequences of 5 and 2 steps, side by side.
const both = bidirectional(learnedLeak(3, 8));
const xs = normal(randomKey(1), [5, 2, 3]); // [time, batch, features]
const sequenceLengths = tensor([5, 2], { dtype: "int32" });

console.log(`stacked: [${deep.apply(deep.init(randomKey(2)), xs, { sequenceLengths }).outputs.shape}]`);
const { outputs } = both.apply(both.init(randomKey(3)), xs, { sequenceLengths });
console.log(`both directions: [${outputs.shape}]`);

// Where the second sequence has ended, its outputs are 0.
const first = (toNested(outputs) as number[][][]).map(([, second]) => second?.[0]?.toFixed(2));
console.log(`first output of the second sequence: ${first.join(", ")}`);
