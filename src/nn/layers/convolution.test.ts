/** The layers of convolution: their equations, ragged batches, and what they make of sequences in front of a recurrence. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, numbers } from "../../../test/close.js";
import { build, element } from "../../../test/scalar-loops.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError } from "../../core/index.js";
import { nativeAddon } from "../../node/index.js";
import { add, conv1d, conv2d, multiply, randomKey, reshape, select, slice, sum } from "../../ops/index.js";
import { compile, nativeKernels, wasmKernels } from "../../runtime/index.js";
import { HostTensor, type Tensor } from "../../tensor/index.js";
import { valueAndGrad } from "../../transforms/index.js";
import { gru } from "../cells/index.js";
import { linear } from "../linear.js";
import { recurrent } from "../recurrent/recurrent.js";
import { convolution1d } from "./convolution-1d.js";
import { convolution2d } from "./convolution-2d.js";
import { separableConvolution1d, separableConvolution2d } from "./convolution-separable.js";
import { maxPool1d } from "./pooling.js";

const STEPS = { kernelSize: 3, stride: 2, dilation: 2, padding: "same" } as const;

describe("convolution1d", () => {
  test("is conv1d with a bias, with the shapes of its documentation", () => {
    const layer = convolution1d({ inputSize: 8, outputSize: 32, kernelSize: 5, stride: 4 }); // the example of its documentation
    expect([layer.inputSize, layer.outputSize]).toEqual([8, 32]);
    const { weight, bias } = layer.init(randomKey(1));
    expect([weight.shape, bias.shape, weight.dtype, bias.dtype]).toEqual([[32, 5, 8], [32], "float32", "float32"]);
    expect(Array.from(bias.data)).toEqual(new Array(32).fill(0));
    const x = numbers(1, [21, 2, 8], "float32");
    const moved = { weight, bias: numbers(2, [32], "float32") };
    expectSame(layer.apply(moved, x), add(conv1d(x, weight, { stride: 4 }), moved.bias));
    expect(layer.apply(moved, x).shape).toEqual([layer.outputLength(21), 2, 32]);
  });

  test("starts within Glorot's limit, of what an output reads and an input is read by", () => {
    const { weight } = convolution1d({ inputSize: 12, outputSize: 24, kernelSize: 5, groups: 4 }).init(randomKey(1));
    const limit = Math.sqrt(6 / (5 * 3 + 5 * 6));
    const largest = Math.max(...Array.from(weight.data, Math.abs));
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBeGreaterThan(0.95 * limit);
  });

  test("knows how many steps it makes, of one length and of each sequence", () => {
    const moves = fc.record({
      kernelSize: fc.integer({ min: 1, max: 5 }),
      stride: fc.integer({ min: 1, max: 4 }),
      dilation: fc.integer({ min: 1, max: 3 }),
      padding: fc.constantFrom("valid" as const, "same" as const, "causal" as const, [0, 3] as const),
    });
    fc.assert(
      fc.property(moves, (options) => {
        const layer = convolution1d({ inputSize: 1, outputSize: 1, ...options });
        const params = layer.init(randomKey(1));
        const lengths = Array.from({ length: 12 }, (_, time) => time);
        const found = lengths.map(
          (time) => layer.apply(params, numbers(1, [time, 1, 1], "float32")).shape[0] as number,
        );
        expect(lengths.map(layer.outputLength)).toEqual(found);
        expectSame(layer.outputLengths(int32(lengths)), int32(found));
      }),
      { numRuns: 100 },
    );
  });

  test.each(["valid", "same", "causal", [1, 2]] as const)(
    "with padding %s gives each sequence of a ragged batch the steps and gradients that it has alone",
    (padding) => {
      const layer = convolution1d({ inputSize: 2, outputSize: 3, kernelSize: 3, stride: 2, padding });
      const params = { ...layer.init(randomKey(1), "float64"), bias: numbers(5, [3]) };
      const [time, lengths] = [9, [9, 6, 1, 0]];
      const whole = numbers(2, [time, lengths.length, 2]);
      const x = build("float64", whole.shape, (t, b, i) => (t < lengths[b]! ? element(whole, t, b, i) : Number.NaN));
      const outputLengths = layer.outputLengths(int32(lengths));
      const isReal = build("int32", [layer.outputLength(time), lengths.length, 1], (t, b) =>
        t < element(outputLengths, b) ? 1 : 0,
      );
      const weighted = numbers(3, [layer.outputLength(time), lengths.length, 3]);
      const run = valueAndGrad((at: typeof params) => {
        const y = select(isReal, layer.apply(at, x, { sequenceLengths: int32(lengths) }), 0);
        return [sum(multiply(y, weighted)), y] as const;
      });
      const alone = valueAndGrad((at: typeof params) =>
        lengths
          .map((length, b) => {
            const own = slice(slice(whole, 1, b, b + 1), 0, 0, length);
            const y = layer.apply(at, own);
            return sum(multiply(y, slice(slice(weighted, 1, b, b + 1), 0, 0, y.shape[0])));
          })
          .reduce((total, term) => add(total, term)),
      );
      const [together, apart] = [run(params), alone(params)];
      expectClose(together.value, apart.value, TOLERANCES.float64);
      expectClose(together.gradient, apart.gradient, TOLERANCES.float64);
    },
  );

  test("says what it does not take", () => {
    const sizes = { inputSize: 4, outputSize: 6, kernelSize: 3 };
    expect(() => convolution1d({ ...sizes, kernelSize: 0 })).toThrow(
      new OptionError("convolution1d: kernelSize must be a whole number of at least 1, but is 0"),
    );
    expect(() => convolution1d({ ...sizes, stride: 0 })).toThrow(
      "convolution1d: stride must be a whole number of at least 1, but is 0",
    );
    expect(() => convolution1d({ ...sizes, groups: 3 })).toThrow(
      "convolution1d: groups must divide both sizes, but is 3 with inputSize 4 and outputSize 6",
    );
    expect(() => convolution1d({ ...sizes, strides: 2 } as never)).toThrow(
      'convolution1d: there is no option "strides"; the options are inputSize, outputSize, kernelSize, stride, dilation, padding, groups',
    );
    const layer = convolution1d(sizes);
    const params = layer.init(randomKey(1), "float64");
    expect(() => layer.apply(params, numbers(1, [5, 2, 3]))).toThrow(
      "convolution1d: needs float [time,batch,4], but was given float64[5,2,3]",
    );
    const x = numbers(1, [5, 2, 4]);
    expect(() => layer.apply(params, x, { sequenceLengths: int32([5]) })).toThrow(
      "convolution1d: sequenceLengths must be int32[2], but is int32[1]",
    );
    expect(() => layer.apply(params, x, { sequenceLengths: int32([5, 6]) })).toThrow("6 is outside [0, 5]");
    expect(() => layer.apply(params, x, { mask: int32([1]) } as never)).toThrow(
      'convolution1d: there is no option "mask"; the options are sequenceLengths',
    );
  });
});

describe("convolution2d", () => {
  test("is conv2d with a bias, with the shapes of its documentation", () => {
    const layer = convolution2d({ inputSize: 1, outputSize: 16, kernelSize: 3, padding: "same" }); // the example of its documentation
    const { weight, bias } = layer.init(randomKey(1));
    expect([weight.shape, bias.shape]).toEqual([[16, 3, 3, 1], [16]]);
    const x = numbers(1, [2, 5, 4, 1], "float32");
    const moved = { weight, bias: numbers(2, [16], "float32") };
    expectSame(layer.apply(moved, x), add(conv2d(x, weight, { padding: "same" }), moved.bias));
    const wide = convolution2d({ inputSize: 4, outputSize: 6, kernelSize: [2, 5], groups: 2 }).init(randomKey(1));
    expect(wide.weight.shape).toEqual([6, 2, 5, 2]);
    expect(() => convolution2d({ inputSize: 1, outputSize: 1, kernelSize: [3, 0] })).toThrow(
      "convolution2d: kernelSize must be a whole number of at least 1, but is 0",
    );
  });
});

describe("a separable convolution", () => {
  test("along time is its two steps, and the convolution by the products of their weights", () => {
    const layer = separableConvolution1d({ inputSize: 3, outputSize: 4, ...STEPS });
    const params = { ...layer.init(randomKey(1), "float64"), bias: numbers(2, [4]) };
    const { depthwise, pointwise, bias } = params;
    expect([depthwise.shape, pointwise.shape]).toEqual([
      [3, 3, 1],
      [4, 3],
    ]);
    const x = numbers(3, [9, 2, 3]);
    const { kernelSize: _, ...moves } = STEPS;
    const found = layer.apply(params, x);
    expectSame(found, linear(conv1d(x, depthwise, { ...moves, groups: 3 }), pointwise, bias));
    const weight = build("float64", [4, 3, 3], (o, k, c) => element(pointwise, o, c) * element(depthwise, c, k, 0));
    expectClose(found, add(conv1d(x, weight, moves), bias), TOLERANCES.float64);
    expect(found.shape[0]).toBe(layer.outputLength(9));
    expectSame(layer.outputLengths(int32([9, 4, 0])), int32([9, 4, 0].map(layer.outputLength)));
    expectSame(slice(layer.apply(params, x, { sequenceLengths: int32([9, 5]) }), 1, 0, 1), slice(found, 1, 0, 1));
  });

  test("of images is its two steps, and the convolution by the products of their weights", () => {
    const layer = separableConvolution2d({ inputSize: 3, outputSize: 4, kernelSize: [2, 3], stride: 2 });
    const params = { ...layer.init(randomKey(1), "float64"), bias: numbers(2, [4]) };
    const { depthwise, pointwise, bias } = params;
    const x = numbers(3, [2, 5, 6, 3]);
    const found = layer.apply(params, x);
    expectSame(found, linear(conv2d(x, depthwise, { stride: 2, groups: 3 }), pointwise, bias));
    const weight = build(
      "float64",
      [4, 2, 3, 3],
      (o, i, j, c) => element(pointwise, o, c) * element(depthwise, c, i, j, 0),
    );
    expectClose(found, add(conv2d(x, weight, { stride: 2 }), bias), TOLERANCES.float64);
  });

  test("has no groups of its own", () => {
    expect(() => separableConvolution1d({ inputSize: 2, outputSize: 2, kernelSize: 1, groups: 2 } as never)).toThrow(
      'separableConvolution1d: there is no option "groups"',
    );
  });
});

describe("in front of a recurrence", () => {
  const convolution = convolution1d({ inputSize: 2, outputSize: 4, kernelSize: 3, padding: "causal" });
  const pool = maxPool1d({ size: 2 });
  const layer = recurrent(gru({ inputSize: 4, hiddenSize: 3 }));
  const params = { convolution: convolution.init(randomKey(1)), layer: layer.init(randomKey(2)) };
  const lengths = int32([8, 5, 1]);
  const x = numbers(1, [8, 3, 2], "float32");
  const ragged = build("float32", x.shape, (t, b, i) => (t < element(lengths, b) ? element(x, t, b, i) : Number.NaN));

  const step = valueAndGrad((at: typeof params) => {
    const features = convolution.apply(at.convolution, ragged, { sequenceLengths: lengths });
    const between = convolution.outputLengths(lengths);
    const short = pool.apply(features, { sequenceLengths: between });
    const { outputs } = layer.apply(at.layer, short, { sequenceLengths: pool.outputLengths(between) });
    return [sum(multiply(outputs, outputs)), outputs] as const;
  });
  const run = (at: typeof params) => {
    const { gradient, extra } = step(at);
    return { gradient, extra };
  };

  const found = wasmKernels();
  const loaded = nativeAddon();
  const variants = "addon" in loaded ? loaded.addon.variants().filter(({ supported }) => supported) : [];
  const sets = [
    ...("kernels" in found ? [found.kernels] : []),
    ...variants.map((variant) =>
      nativeKernels((loaded as { addon: Parameters<typeof nativeKernels>[0] }).addon, variant),
    ),
  ];

  test.each(sets)("a ragged batch with NaN in its padding trains on the kernels of $name", (kernels) => {
    const compiled = compile(run, { kernels });
    expect(compiled.kernels(params).name).toBe(kernels.name);
    expectClose(compiled(params), run(params), 1e-5);
    expectSame(
      slice(compiled(params).extra, 1, 2),
      new HostTensor({ dtype: "float32", shape: [4, 1, 3] }, new Float32Array(12)),
    );
  });

  test.each(sets)("images inside the step of a scan run on the kernels of $name", (kernels) => {
    const image = convolution2d({ inputSize: 2, outputSize: 3, kernelSize: 2 });
    const frames = recurrent({
      inputSize: 4 * 4 * 2,
      outputSize: 27,
      init: image.init,
      initialCarry: (batch, dtype) => numbers(9, [batch, 27], dtype),
      step: (at, carry, frame) => {
        const seen = image.apply(at, reshape(frame, [2, 4, 4, 2]));
        const next = add(multiply(carry, 0.5), reshape(seen, [2, 27]));
        return [next, next];
      },
    });
    const start = frames.init(randomKey(3));
    const film = numbers(4, [3, 2, 32], "float32");
    const both = valueAndGrad((at: typeof start) => sum(multiply(frames.apply(at, film).outputs, 0.1)));
    const gradient = (at: typeof start): { gradient: typeof start; value: Tensor } => ({ ...both(at) });
    const compiled = compile(gradient, { kernels });
    expect(compiled.kernels(start).name).toBe(kernels.name);
    expectClose(compiled(start), gradient(start), 1e-5);
  });
});
