/** Models of layers, exported once with open lengths: ONNX Runtime and our own importer give our numbers at every size. */

import { describe, expect, test } from "vitest";
import { expectClose, int32, numbers } from "../../../test/close.js";
import { openOnnx } from "../../../test/onnx-runtime.js";
import { OptionError } from "../../core/index.js";
import {
  additiveAttention,
  batchNorm,
  bidirectional,
  convolution1d,
  convolution2d,
  encoderDecoder,
  gru,
  highway,
  layerNorm,
  linearRecurrent,
  lru,
  lstm,
  maxOverTime,
  maxPool1d,
  maxPool2d,
  meanPool1d,
  meanPool2d,
  minGru,
  minLstm,
  recurrent,
  residual,
  separableConvolution1d,
  separableConvolution2d,
} from "../../nn/index.js";
import { add, concatenate, randomKey, relu, reshape, slice, transpose } from "../../ops/index.js";
import { mapTensors, type Tensor, type TensorTree, tensor, tensorsByPath } from "../../tensor/index.js";
import { exportOnnx } from "./export.js";
import { importOnnx } from "./import.js";

/** float32, sums in another order, over a handful of steps. */
const CLOSE = 1e-5;

type Inputs = Readonly<Record<string, Tensor>>;

interface Model {
  readonly params: TensorTree;
  readonly apply: (params: TensorTree, inputs: Inputs) => TensorTree;
}

/** A layer with random parameters, so that nothing is hidden by zeros. */
function model<Params extends TensorTree>(
  layer: { init(key: Tensor): Params },
  apply: (params: Params, inputs: Inputs) => TensorTree,
): Model {
  let seed = 1;
  const params = mapTensors(({ shape }) => numbers(seed++, shape, "float32"), layer.init(randomKey(1)));
  return { params, apply: apply as Model["apply"] };
}

const onX = <Params extends TensorTree>(layer: {
  init(key: Tensor): Params;
  apply(params: Params, x: Tensor): TensorTree;
}): Model => model(layer, (params, { x }) => layer.apply(params, x as Tensor));

const withoutParams = (layer: { apply(x: Tensor): TensorTree }): Model => ({
  params: {},
  apply: (_, { x }) => layer.apply(x as Tensor),
});

/** Exports at open lengths, and compares at some. */
async function compare(
  { params, apply }: Model,
  shapes: Readonly<Record<string, readonly (string | number)[]>>,
  makeInputs: readonly Inputs[],
): Promise<void> {
  const lengths = { dtype: "int32", shape: ["batch"] } as const;
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape }]));
  const isRagged = makeInputs.some((given) => given.lengths);
  const bytes = exportOnnx({
    params,
    inputs: { ...inputs, ...(isRagged && { lengths }) },
    apply: (all, given) => ({ y: apply(all, given) }),
  });
  const run = await openOnnx(bytes);
  const imported = importOnnx(bytes);
  for (const given of makeInputs) {
    const expected = Object.fromEntries(tensorsByPath({ y: apply(params, given) }));
    expectClose(await run(given), expected, CLOSE);
    expectClose(imported.run(given), expected, CLOSE);
  }
}

const [inputSize, hiddenSize, outputSize, kernelSize] = [2, 3, 4, 3];
const sizes = { inputSize, outputSize, kernelSize };
const norm = batchNorm({ inputSize });
const running = { mean: tensor([-0.5, 0.25]), variance: tensor([0.5, 2]) };

describe("sequences", () => {
  const shorter = convolution1d({ ...sizes, padding: "same", stride: 2 });
  const pool = maxPool1d({ size: 3, stride: 2 });
  const halves = meanPool1d({ size: 2 });
  const reader = bidirectional(lstm({ inputSize: outputSize, hiddenSize }));
  const translator = encoderDecoder({
    encoder: bidirectional(gru({ inputSize, hiddenSize })),
    decoder: (size) => gru({ inputSize: size, hiddenSize }),
    attention: additiveAttention({ querySize: hiddenSize, memorySize: 2 * hiddenSize, hiddenSize: 2 }),
    outputSize: 2,
  });
  const models: Readonly<Record<string, Model>> = {
    convolution1d: onX(convolution1d(sizes)),
    "convolution1d, same, dilated": onX(convolution1d({ ...sizes, padding: "same", dilation: 2 })),
    "convolution1d, causal, in groups": onX(convolution1d({ ...sizes, padding: "causal", groups: 2 })),
    "convolution1d, stride": onX(shorter),
    separableConvolution1d: onX(separableConvolution1d({ ...sizes, padding: "same" })),
    "maxPool1d, side by side": withoutParams(maxPool1d({ size: 3 })),
    "maxPool1d, overlapping": withoutParams(pool),
    "meanPool1d, one after the other": withoutParams({ apply: (x) => halves.apply(halves.apply(x)) }),
    maxOverTime: withoutParams({ apply: (x) => maxOverTime(x) }),
    "every second step": withoutParams({ apply: (x) => add(slice(x, 0, 1, undefined, 2), 1) }),
    "batchNorm with its running statistics": model(
      norm,
      (params, { x }) => norm.apply(params, running, x as Tensor, { training: false }).y,
    ),
    layerNorm: onX(layerNorm({ inputSize })),
    residual: onX(residual(recurrent(gru({ inputSize, hiddenSize: inputSize })))),
    highway: onX(highway(recurrent(lstm({ inputSize, hiddenSize: inputSize })))),
    minGru: onX(linearRecurrent(minGru({ inputSize, hiddenSize }))),
    "minLstm, reverse": onX(linearRecurrent(minLstm({ inputSize, hiddenSize }), { reverse: true })),
    lru: onX(linearRecurrent(lru({ inputSize, hiddenSize }))),
    "a recurrence behind convolution and pooling": model(
      { init: (key) => ({ shorter: shorter.init(key), reader: reader.init(key) }) },
      (params, { x }) => reader.apply(params.reader, halves.apply(relu(shorter.apply(params.shorter, x as Tensor)))),
    ),
    "an encoder-decoder with attention, three steps written": model(
      translator,
      (params, { x }) => translator.decode(params, translator.encode(params, x as Tensor), { length: 3 }).outputs,
    ),
  };
  test.each(Object.entries(models))("%s", async (_, one) => {
    const shapes = [
      [4, 1],
      [7, 3],
      [9, 2],
    ] as const;
    const inputs = shapes.map(([time, batch]) => ({ x: numbers(20, [time, batch, inputSize], "float32") }));
    await compare(one, { x: ["time", "batch", inputSize] }, inputs);
  });

  test("a recurrence behind a convolution with a stride, over sequences of lengths of their own", async () => {
    const ragged = model(
      { init: (key) => ({ shorter: shorter.init(key), reader: reader.init(key) }) },
      (params, { x, lengths }) => {
        const xs = shorter.apply(params.shorter, x as Tensor, { sequenceLengths: lengths as Tensor });
        return reader.apply(params.reader, xs, { sequenceLengths: shorter.outputLengths(lengths as Tensor) }).outputs;
      },
    );
    const inputs = [
      { x: numbers(21, [6, 3, inputSize], "float32"), lengths: int32([3, 6, 1]) },
      { x: numbers(22, [5, 2, inputSize], "float32"), lengths: int32([5, 4]) },
    ];
    await compare(ragged, { x: ["time", "batch", inputSize] }, inputs);
  });
});

describe("images", () => {
  const first = convolution2d({ inputSize: 1, outputSize: 2, kernelSize: 3, padding: "same" });
  const second = convolution2d({ ...sizes, padding: "same", stride: [2, 1] });
  const pool = maxPool2d({ size: 2 });
  const reader = bidirectional(lstm({ inputSize: 2 * outputSize, hiddenSize }));
  const line = {
    init: (key: Tensor) => ({
      first: first.init(key),
      norm: norm.init(key),
      second: second.init(key),
      reader: reader.init(key),
    }),
  };
  const models: Readonly<Record<string, Model>> = {
    convolution2d: onX(convolution2d({ inputSize: 1, outputSize: 2, kernelSize: [3, 2], stride: [2, 3] })),
    separableConvolution2d: onX(separableConvolution2d({ inputSize: 1, outputSize: 2, kernelSize: 3 })),
    "maxPool2d, overlapping": withoutParams(maxPool2d({ size: 3, stride: [1, 2] })),
    meanPool2d: withoutParams(meanPool2d({ size: [2, 3] })),
    "maxPool2d, one after the other": withoutParams({ apply: (x) => pool.apply(pool.apply(x)) }),
    "a reader of lines: convolutions, pooling, and a recurrence over columns": model(line, (params, { x }) => {
      const seen = norm.apply(params.norm, running, first.apply(params.first, x as Tensor), { training: false }).y;
      const image = second.apply(params.second, pool.apply(relu(seen)));
      const columns = transpose(image, [2, 0, 1, 3]);
      return reader.apply(params.reader, reshape(columns, [...columns.shape.slice(0, 2), 2 * outputSize])).outputs;
    }),
  };
  test.each(Object.entries(models))("%s", async (_, one) => {
    const shapes = [
      [1, 5],
      [3, 8],
      [2, 6],
    ] as const;
    const inputs = shapes.map(([batch, width]) => ({ x: numbers(30, [batch, 8, width, 1], "float32") }));
    await compare(one, { x: ["batch", 8, "width", 1] }, inputs);
  });
});

test("windows whose numbers no sample tells apart are refused", () => {
  const apply = (_: TensorTree, { x }: Inputs) => {
    const every = (first: number) => slice(x as Tensor, 0, first, undefined, 8);
    return concatenate([0, 1, 2, 3, 4, 5, 6, 7].map(every), 0);
  };
  const given = { params: {}, inputs: { x: { shape: ["time"] } }, apply };
  expect(() => exportOnnx(given)).toThrow(OptionError);
  expect(() => exportOnnx(given)).toThrow("the strides of several windows along time cannot be told apart");
});
