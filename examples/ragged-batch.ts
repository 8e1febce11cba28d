import { bidirectional, gru, lstm, raggedBatch, randomKey, recurrent, stacked, tensor, toNested } from "through-time";

// Three sequences of 4, 2 and 0 steps, one feature each.
const { values, sequenceLengths } = raggedBatch([[[0.1], [0.2], [0.3], [0.4]], [[0.5], [0.6]], [] as number[][]]);
const stack = stacked([
  recurrent(lstm({ inputSize: 1, hiddenSize: 4 })),
  recurrent(lstm({ inputSize: 4, hiddenSize: 4 })),
]);
const params = stack.init(randomKey(1));

const all = stack.apply(params, values, { sequenceLengths });
const last = stack.apply(params, values, { sequenceLengths, return: "last" });
const states = stack.apply(params, values, { sequenceLengths, return: "states" });
console.log(
  `sequence [${all.outputs.shape}], last [${last.outputs.shape}], c of layer 1 [${states.states[1]?.c.shape}]`,
);

const both = bidirectional(gru({ inputSize: 1, hiddenSize: 4 }));
const ends = both.apply(both.init(randomKey(2)), values, { sequenceLengths, return: "last" });
console.log(`both directions, last: [${ends.outputs.shape}]`);

// A restart in the middle of a row: step 2 of the first sequence begins anew.
const resetMask = tensor(
  [
    [0, 0, 0],
    [0, 0, 0],
    [1, 0, 0],
    [0, 0, 0],
  ],
  { dtype: "int32" },
);
const restarted = stack.apply(params, values, { sequenceLengths, resetMask });
const changed = (toNested(restarted.outputs) as number[][][]).map((step, t) =>
  step.map((row, k) =>
    row.every((y, j) => y === (toNested(all.outputs) as number[][][])[t]?.[k]?.[j]) ? "same" : "new",
  ),
);
console.log(changed.map((step) => step.join(" ")).join(" | "));
