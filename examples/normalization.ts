import { batchNorm, layerNorm, normal, randomKey, tensor } from "through-time";

const xs = normal(randomKey(1), [20, 8, 4]);

// Each row by itself: nothing to remember, the same in training and after it.
const rows = layerNorm({ inputSize: 4 });
console.log(`layerNorm [${rows.apply(rows.init(randomKey(2)), xs).shape}]`);

// Each feature over the batch: its running statistics are a state that you keep.
const features = batchNorm({ inputSize: 1 });
const params = features.init(randomKey(3));
let state = features.initialState();
for (let batch = 0; batch < 100; batch++)
  ({ state } = features.apply(params, state, tensor([[9], [10], [11]]), { training: true }));
console.log(`running mean ${state.mean.data[0]?.toFixed(1)}, variance ${state.variance.data[0]?.toFixed(1)}`);
const { y } = features.apply(params, state, tensor([[12]]), { training: false });
console.log(`12 is ${y.data[0]?.toFixed(1)} deviations above the mean`);
