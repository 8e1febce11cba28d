import { normal, randomKey, recurrent, toNested } from "through-time";
import { learnedLeak } from "./my-cell.js";

// Variational dropout on input, state and output, and zoneout. "h" is the name that the cell gave to its state.
const layer = recurrent(learnedLeak(3, 8), {
  dropout: { input: 0.2, state: 0.3, output: 0.3 },
  zoneout: { h: 0.1 },
});
const params = layer.init(randomKey(1));
const xs = normal(randomKey(2), [5, 1, 3]);

const { outputs } = layer.apply(params, xs, { key: randomKey(3) });
const dropped = (toNested(outputs) as number[][][]).map(([row]) => row?.map((y) => (y === 0 ? "." : "x")).join(""));

// A column of dots: a unit that is dropped at all steps. A single one: zoneout held a unit at its first state, 0.
console.log(dropped.join("\n"));
