import {
  linearCell,
  linearRecurrent,
  multiply,
  ones,
  randomKey,
  sigmoid,
  type Tensor,
  tensor,
  zeros,
} from "through-time";

// A sum that leaks: h' = σ(leak) h + gain x. Neither factor nor summand reads h: that makes it linear.
const leakySum = linearCell<{ leak: Tensor; gain: Tensor }, { h: Tensor }>({
  inputSize: 1,
  outputSize: 1,
  init: (_, dtype) => ({ leak: zeros([1], dtype), gain: ones([1], dtype) }),
  initialCarry: (batchSize, dtype) => ({ h: zeros([batchSize, 1], dtype) }),
  coefficients: ({ leak, gain }, xs) => ({ a: sigmoid(leak), b: multiply(xs, gain) }),
  readout: (_, { h }) => h,
});

const layer = linearRecurrent(leakySum);
const xs = tensor([[[8]], [[0]], [[0]], [[1]]]); // [time, batch, features]
console.log(Array.from(layer.apply(layer.init(randomKey(1)), xs).outputs.data).join(" "));
