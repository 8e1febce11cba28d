/** jax-js on its WASM device. It has no scan: the loop over time is unrolled into the traced function. */

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
import { importFrom } from "./load.mjs";

const jax = await importFrom("@jax-js/jax/dist/index.js");
const { numpy: np, nn, tree } = jax;

// Arguments are consumed by the functions that they are given to; `.ref` keeps one for another use.
const array = (values, shape) => np.array(values).reshape(shape);
const normalize = (x) => nn.standardize(x, -1);

/** One step: `(weights, projected input, h, c)` to `[h, c]`. */
const STEPS = {
  lstm: (weights, projected, h, c) => {
    const [i, f, g, o] = np.split(projected.add(np.matmul(h, weights.recurrent.ref)), 4, 1);
    const nextC = nn
      .sigmoid(f)
      .mul(c)
      .add(nn.sigmoid(i).mul(np.tanh(g)));
    return [nn.sigmoid(o).mul(np.tanh(nextC.ref)), nextC];
  },
  peephole: ({ recurrent, peepI, peepF, peepO }, projected, h, c) => {
    const [i, f, g, o] = np.split(projected.add(np.matmul(h, recurrent.ref)), 4, 1);
    const forget = nn.sigmoid(f.add(peepF.ref.mul(c.ref)));
    const input = nn.sigmoid(i.add(peepI.ref.mul(c.ref)));
    const nextC = forget.mul(c).add(input.mul(np.tanh(g)));
    return [nn.sigmoid(o.add(peepO.ref.mul(nextC.ref))).mul(np.tanh(nextC.ref)), nextC];
  },
  lnlstm: ({ recurrent, gainHh, gainC, shiftC }, projected, h, c) => {
    const [i, f, g, o] = np.split(projected.add(normalize(np.matmul(h, recurrent.ref)).mul(gainHh.ref)), 4, 1);
    const nextC = nn
      .sigmoid(f)
      .mul(c)
      .add(nn.sigmoid(i).mul(np.tanh(g)));
    return [nn.sigmoid(o).mul(np.tanh(normalize(nextC.ref).mul(gainC.ref).add(shiftC.ref))), nextC];
  },
  gru: ({ recurrent }, projected, h, c) => {
    const [xr, xz, xn] = np.split(projected, 3, 1);
    const [hr, hz, hn] = np.split(np.matmul(h.ref, recurrent.ref), 3, 1);
    const [r, z] = [nn.sigmoid(xr.add(hr)), nn.sigmoid(xz.add(hz))];
    const n = np.tanh(xn.add(r.mul(hn)));
    return [n.ref.add(z.mul(h.sub(n))), c];
  },
  rnn: ({ recurrent }, projected, h, c) => [np.tanh(projected.add(np.matmul(h, recurrent.ref))), c],
};

function startParams(workload) {
  const { cell, hiddenSize, layers } = workload;
  const columns = GATES[cell] * hiddenSize;
  const readout = readoutWeights(workload);
  return {
    layers: Array.from({ length: layers }, (_, layer) => {
      const { input, recurrent, bias, peepholes } = layerWeights(workload, layer);
      return {
        input: array(input, [layerInputSize(workload, layer), columns]),
        recurrent: array(recurrent, [hiddenSize, columns]),
        bias: np.array(bias),
        ...(cell === "peephole" && {
          peepI: np.array(peepholes[0]),
          peepF: np.array(peepholes[1]),
          peepO: np.array(peepholes[2]),
        }),
        ...(cell === "lnlstm" && {
          gainIh: np.ones([columns]),
          gainHh: np.ones([columns]),
          gainC: np.ones([hiddenSize]),
          shiftC: np.zeros([hiddenSize]),
        }),
      };
    }),
    readout: { weight: array(readout.weight, [hiddenSize, READOUT_SIZE]), bias: np.array(readout.bias) },
  };
}

/** Bias and normalization of the products with the input; consumes them, borrows the weights. */
const finish = ({ cell }, weights, products) =>
  (cell === "lnlstm" ? normalize(products).mul(weights.gainIh.ref) : products).add(weights.bias.ref);

/** All inputs times the weights, in one product and cut up, or step by step; which is faster depends on the sizes. */
function projections(workload, weights, xs, inputSize, projectFirst) {
  const { cell, hiddenSize, time, batch } = workload;
  const columns = GATES[cell] * hiddenSize;
  const project = (x) => finish(workload, weights, np.matmul(x, weights.input.ref));
  if (!projectFirst) return np.split(xs, time, 0).map((x) => project(x.reshape([batch, inputSize])));
  const all = project(xs.reshape([time * batch, inputSize]));
  return np.split(all.reshape([time, batch, columns]), time, 0).map((one) => one.reshape([batch, columns]));
}

/** Outputs of the last layer: all, or the last alone. Consumes `xs`, borrows the layers. */
function network(workload, layers, xs, { projectFirst, all }) {
  const { batch, hiddenSize } = workload;
  let outputs = [];
  layers.forEach((weights, layer) => {
    const inputs = layer === 0 ? xs : np.stack(outputs, 0);
    const keepAll = all || layer < layers.length - 1;
    const steps = projections(workload, weights, inputs, layerInputSize(workload, layer), projectFirst);
    let [h, c] = [np.zeros([batch, hiddenSize]), np.zeros([batch, hiddenSize])];
    outputs = [];
    steps.forEach((projected, t) => {
      [h, c] = STEPS[workload.cell](weights, projected, h, c);
      if (keepAll || t === steps.length - 1) outputs.push(h.ref);
    });
    h.dispose();
    c.dispose();
  });
  return all ? np.stack(outputs, 0) : outputs[0];
}

function training(workload, projectFirst) {
  const lossOf = (params, x, target) => {
    const h = network(workload, params.layers, x, { projectFirst, all: false });
    const outputs = np.matmul(h, params.readout.weight.ref).add(params.readout.bias.ref);
    const loss = np.mean(np.square(outputs.sub(target)));
    tree.dispose(params);
    return loss;
  };
  const step = jax.jit((params, x, target) => {
    const [loss, gradient] = jax.valueAndGrad(lossOf)(tree.ref(params), x, target);
    return [loss, tree.map((p, g) => p.sub(g.mul(LEARNING_RATE)), params, gradient)];
  });
  const x = array(inputNumbers(workload), [workload.time, workload.batch, workload.inputSize]);
  const target = array(targetNumbers(workload), [workload.batch, READOUT_SIZE]);
  let [params, loss] = [startParams(workload), Number.NaN];
  return {
    run: async () => {
      const [value, next] = step(params, x.ref, target.ref);
      params = next;
      await jax.blockUntilReady(params);
      loss = value.dataSync()[0];
    },
    check: () => loss,
  };
}

function streaming(workload) {
  const [weights] = startParams(workload).layers;
  const step = jax.jit((given, x, h, c) => {
    const next = STEPS.lstm(given, finish(workload, given, np.matmul(x, given.input.ref)), h, c);
    tree.dispose(given);
    return next;
  });
  const { inputSize, hiddenSize } = workload;
  const numbers = inputNumbers(workload);
  let [h, c, output] = [np.zeros([1, hiddenSize]), np.zeros([1, hiddenSize])];
  return {
    run: () => {
      [h, c] = step(tree.ref(weights), array(numbers, [1, inputSize]), h, c);
      output = h.ref.dataSync();
    },
    check: () => meanAbsolute(output),
  };
}

function inference(workload, projectFirst) {
  const { layers } = startParams(workload);
  const x = array(inputNumbers(workload), [workload.time, workload.batch, workload.inputSize]);
  const run = jax.jit((given, xs) => {
    const outputs = network(workload, given, xs, { projectFirst, all: true });
    tree.dispose(given);
    return outputs;
  });
  let output;
  return {
    run: async () => {
      output = await run(tree.ref(layers), x.ref).data();
    },
    check: () => meanAbsolute(output),
  };
}

function product(workload) {
  const { left, right } = productNumbers(workload);
  const a = array(left, [workload.rows, workload.inner]);
  const b = array(right, [workload.inner, workload.columns]);
  const multiply = jax.jit((x, y) => np.matmul(x, y));
  let output;
  return {
    run: () => {
      output = multiply(a.ref, b.ref).dataSync();
    },
    check: () => meanAbsolute(output),
  };
}

const bothWays = (make) => [
  { name: "step by step", make: () => make(false) },
  { name: "projected first", make: () => make(true) },
];

await serve(async ({ prepare, threads }) => {
  if (threads > 1) throw new CannotDo("jax-js runs on one thread in Node");
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  switch (prepare.kind) {
    case "train":
      return bothWays((projectFirst) => training(prepare, projectFirst));
    case "seq":
      return bothWays((projectFirst) => inference(prepare, projectFirst));
    case "step":
      return [{ make: () => streaming(prepare) }];
    default:
      return [{ make: () => product(prepare) }];
  }
});
