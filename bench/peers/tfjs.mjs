/** TensorFlow.js: its layers, and for training also its operations with a cell written by hand. */

import {
  inputNumbers,
  layerWeights,
  meanAbsolute,
  productNumbers,
  readoutWeights,
  targetNumbers,
} from "../dist/numbers.js";
import { CannotDo, serve } from "../dist/worker.js";
import { GATES, LEARNING_RATE, layerInputSize, READOUT_SIZE } from "../dist/workloads.js";
import { folderOf, load } from "./load.mjs";

const backend = process.argv[3];
const tf = load("@tensorflow/tfjs");

async function start(threads) {
  if (backend === "wasm") {
    const wasm = load("@tensorflow/tfjs-backend-wasm");
    wasm.setWasmPaths(folderOf("@tensorflow/tfjs-backend-wasm"));
    wasm.setThreadsCount(threads);
  }
  await tf.setBackend(backend);
  await tf.ready();
}

/** Column blocks of `[rows, order.length * size]`: block k of the result is block `order[k]`. */
function reorderBlocks(values, size, order) {
  const [columns, result] = [order.length * size, new Float32Array(values.length)];
  for (let row = 0; row < values.length; row += columns) {
    order.forEach((from, to) => {
      result.set(values.subarray(row + from * size, row + (from + 1) * size), row + to * size);
    });
  }
  return result;
}

/** Time and batch exchanged: this library has the batch first. */
const inputsBatchFirst = (workload) =>
  tf.tidy(() =>
    tf.tensor3d(inputNumbers(workload), [workload.time, workload.batch, workload.inputSize]).transpose([1, 0, 2]),
  );

const LAYERS = { lstm: tf.layers.lstm, gru: tf.layers.gru, rnn: tf.layers.simpleRNN };

/** Its LSTM has our gates i, f, g, o; its GRU has z, r, n and resets the state before the product, which is another cell. */
const GATE_ORDERS = { lstm: [0, 1, 2, 3], gru: [1, 0, 2], rnn: [0] };

function layersModel(workload, { returnSequences, stateful = false }) {
  const { cell, hiddenSize, layers, time, batch } = workload;
  const [model, order, columns] = [tf.sequential(), GATE_ORDERS[cell], GATES[cell] * hiddenSize];
  for (let k = 0; k < layers; k++) {
    const rows = layerInputSize(workload, k);
    const layer = LAYERS[cell]({
      units: hiddenSize,
      activation: "tanh",
      recurrentActivation: "sigmoid",
      returnSequences: returnSequences || k < layers - 1,
      stateful,
      // Weights are set below; making orthogonal ones first would take longer than the measurement.
      recurrentInitializer: "zeros",
      unitForgetBias: false,
      ...(k === 0 && { batchInputShape: [batch, time, rows] }),
    });
    model.add(layer);
    const { input, recurrent, bias } = layerWeights(workload, k);
    layer.setWeights([
      tf.tensor2d(reorderBlocks(input, hiddenSize, order), [rows, columns]),
      tf.tensor2d(reorderBlocks(recurrent, hiddenSize, order), [hiddenSize, columns]),
      tf.tensor1d(reorderBlocks(bias, hiddenSize, order)),
    ]);
  }
  return model;
}

function trainingByLayers(workload) {
  const model = layersModel(workload, { returnSequences: false });
  const { weight, bias } = readoutWeights(workload);
  const readout = tf.layers.dense({ units: READOUT_SIZE });
  model.add(readout);
  readout.setWeights([tf.tensor2d(weight, [workload.hiddenSize, READOUT_SIZE]), tf.tensor1d(bias)]);
  model.compile({ optimizer: tf.train.sgd(LEARNING_RATE), loss: "meanSquaredError" });
  const x = inputsBatchFirst(workload);
  const target = tf.tensor2d(targetNumbers(workload), [workload.batch, READOUT_SIZE]);
  let loss = Number.NaN;
  return {
    run: async () => {
      loss = await model.trainOnBatch(x, target);
    },
    check: () => loss,
  };
}

function normalize(x) {
  const { mean, variance } = tf.moments(x, -1, true);
  return x.sub(mean).div(variance.add(1e-5).sqrt());
}

/** One step of cells that are written by hand: `(weights, projected input, h, c)` to `[h, c]`. */
const STEPS = {
  lstm: (weights, projected, h, c) => {
    const [i, f, g, o] = tf.split(projected.add(tf.matMul(h, weights.recurrent)), 4, 1);
    const nextC = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(nextC.tanh()), nextC];
  },
  peephole: ({ recurrent, peepI, peepF, peepO }, projected, h, c) => {
    const [i, f, g, o] = tf.split(projected.add(tf.matMul(h, recurrent)), 4, 1);
    const forget = f.add(peepF.mul(c)).sigmoid();
    const nextC = forget.mul(c).add(i.add(peepI.mul(c)).sigmoid().mul(g.tanh()));
    return [o.add(peepO.mul(nextC)).sigmoid().mul(nextC.tanh()), nextC];
  },
  lnlstm: ({ recurrent, gainHh, gainC, shiftC }, projected, h, c) => {
    const [i, f, g, o] = tf.split(projected.add(normalize(tf.matMul(h, recurrent)).mul(gainHh)), 4, 1);
    const nextC = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(normalize(nextC).mul(gainC).add(shiftC).tanh()), nextC];
  },
};

function trainingByOperations(workload) {
  const { cell, hiddenSize, inputSize, time, batch } = workload;
  const columns = GATES[cell] * hiddenSize;
  const variable = (values, shape) => tf.variable(tf.tensor(values, shape));
  const { input, recurrent, bias, peepholes } = layerWeights(workload, 0);
  const weights = {
    input: variable(input, [inputSize, columns]),
    recurrent: variable(recurrent, [hiddenSize, columns]),
    bias: variable(bias, [columns]),
    ...(cell === "peephole" && {
      peepI: variable(peepholes[0], [hiddenSize]),
      peepF: variable(peepholes[1], [hiddenSize]),
      peepO: variable(peepholes[2], [hiddenSize]),
    }),
    ...(cell === "lnlstm" && {
      gainIh: tf.variable(tf.ones([columns])),
      gainHh: tf.variable(tf.ones([columns])),
      gainC: tf.variable(tf.ones([hiddenSize])),
      shiftC: tf.variable(tf.zeros([hiddenSize])),
    }),
  };
  const readout = readoutWeights(workload);
  const [readoutWeight, readoutBias] = [
    variable(readout.weight, [hiddenSize, READOUT_SIZE]),
    variable(readout.bias, [READOUT_SIZE]),
  ];
  const x = tf.tensor2d(inputNumbers(workload), [time * batch, inputSize]);
  const target = tf.tensor2d(targetNumbers(workload), [batch, READOUT_SIZE]);
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const lossOf = () => {
    const products = tf.matMul(x, weights.input); // for all steps at once
    const projected = (cell === "lnlstm" ? normalize(products).mul(weights.gainIh) : products).add(weights.bias);
    let [h, c] = [tf.zeros([batch, hiddenSize]), tf.zeros([batch, hiddenSize])];
    for (const one of tf.unstack(projected.reshape([time, batch, columns]), 0)) {
      [h, c] = STEPS[cell](weights, one, h, c);
    }
    return tf.losses.meanSquaredError(target, h.matMul(readoutWeight).add(readoutBias));
  };
  let loss = Number.NaN;
  return {
    run: () => {
      const value = optimizer.minimize(lossOf, true);
      loss = value.dataSync()[0];
      value.dispose();
    },
    check: () => loss,
  };
}

function streamingByLayers(workload) {
  const model = layersModel(workload, { returnSequences: false, stateful: true });
  const numbers = inputNumbers(workload);
  let output;
  return {
    run: () => {
      const x = tf.tensor3d(numbers, [1, 1, workload.inputSize]);
      const y = model.predict(x);
      output = y.dataSync();
      x.dispose();
      y.dispose();
    },
    check: () => meanAbsolute(output),
  };
}

/** Its step function has the gates i, g, f, o and one kernel for input and state. */
function streamingByCell(workload) {
  const { inputSize, hiddenSize } = workload;
  const { input, recurrent, bias } = layerWeights(workload, 0);
  const order = [0, 2, 1, 3];
  const both = [input, recurrent].flatMap((values) => Array.from(reorderBlocks(values, hiddenSize, order)));
  const kernel = tf.tensor2d(Float32Array.from(both), [inputSize + hiddenSize, 4 * hiddenSize]);
  const [shift, forgetBias] = [tf.tensor1d(reorderBlocks(bias, hiddenSize, order)), tf.scalar(0)];
  const numbers = inputNumbers(workload);
  let [c, h, output] = [tf.zeros([1, hiddenSize]), tf.zeros([1, hiddenSize])];
  return {
    run: () => {
      const next = tf.tidy(() =>
        tf.basicLSTMCell(forgetBias, kernel, shift, tf.tensor2d(numbers, [1, inputSize]), c, h),
      );
      c.dispose();
      h.dispose();
      [c, h] = next;
      output = h.dataSync();
    },
    check: () => meanAbsolute(output),
  };
}

function inference(workload) {
  const model = layersModel(workload, { returnSequences: true });
  const x = inputsBatchFirst(workload);
  let output;
  return {
    run: () => {
      const y = model.predict(x);
      output = y.dataSync();
      y.dispose();
    },
    check: () => meanAbsolute(output),
  };
}

function product(workload) {
  const { left, right } = productNumbers(workload);
  const a = tf.tensor2d(left, [workload.rows, workload.inner]);
  const b = tf.tensor2d(right, [workload.inner, workload.columns]);
  let output;
  return {
    run: () => {
      const y = tf.matMul(a, b);
      output = y.dataSync();
      y.dispose();
    },
    check: () => meanAbsolute(output),
  };
}

function variantsOf(workload) {
  switch (workload.kind) {
    case "train": {
      const variants = [];
      if (workload.cell in LAYERS) variants.push({ name: "layers", make: () => trainingByLayers(workload) });
      if (workload.cell in STEPS && workload.layers === 1) {
        variants.push({ name: "operations", make: () => trainingByOperations(workload) });
      }
      return variants;
    }
    case "step":
      return [
        { name: "layers", make: () => streamingByLayers(workload) },
        { name: "basicLSTMCell", make: () => streamingByCell(workload) },
      ];
    case "seq":
      return [{ make: () => inference(workload) }];
    case "gemm":
      return [{ make: () => product(workload) }];
  }
  throw new CannotDo(`there is no ${workload.kind}`);
}

await serve(async ({ prepare, threads }) => {
  await start(threads);
  return variantsOf(prepare);
});
