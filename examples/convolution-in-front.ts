import { convolution1d, gru, maxPool1d, normal, randomKey, recurrent, relu, tensor } from "through-time";

const convolution = convolution1d({ inputSize: 3, outputSize: 16, kernelSize: 5, stride: 2, padding: "same" });
const pool = maxPool1d({ size: 5 });
const layer = recurrent(gru({ inputSize: 16, hiddenSize: 32 }));

const xs = normal(randomKey(1), [1000, 2, 3]); // [time, batch, features]
const lengths = tensor([1000, 480], { dtype: "int32" });
const convolved = relu(convolution.apply(convolution.init(randomKey(2)), xs, { sequenceLengths: lengths }));
const afterConvolution = convolution.outputLengths(lengths);
const pooled = pool.apply(convolved, { sequenceLengths: afterConvolution });
const sequenceLengths = pool.outputLengths(afterConvolution);

const { outputs } = layer.apply(layer.init(randomKey(3)), pooled, { sequenceLengths });
console.log(`${xs.shape[0]} steps become ${outputs.shape[0]}, of which ${Array.from(sequenceLengths.data)} are real`);
