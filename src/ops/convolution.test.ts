/** Convolutions against plain loops and PyTorch (test/golden/convolution.json), and what is known of their responses. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, numbers } from "../../test/close.js";
import { goldenTensors, readGolden } from "../../test/golden.js";
import { build, element, expectTensor } from "../../test/scalar-loops.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { OptionError, ShapeError } from "../core/index.js";
import { compile } from "../runtime/index.js";
import type { FloatDType, Tensor } from "../tensor/index.js";
import { valueAndGrad } from "../transforms/index.js";
import { type Conv1dOptions, conv1d, conv2d, paddingOf } from "./convolution.js";
import { multiply, pad, slice, sum } from "./index.js";

interface GoldenCase {
  readonly options: object;
  readonly y: unknown;
}

/** Sums of some ten products, rounded to float32 between them. */
const FLOAT32 = 1e-5;

const convolutions = Object.entries(readGolden("convolution") as Record<string, GoldenCase>).filter(
  ([, one]) => "weight" in one,
);

describe.each(convolutions)("golden values of PyTorch: %s", (_, golden) => {
  test.each<[FloatDType, number]>([
    ["float64", TOLERANCES.float64],
    ["float32", FLOAT32],
  ])("in %s, value and both gradients, eagerly and compiled", (dtype, tolerance) => {
    const { options, ...tensors } = golden;
    const read = goldenTensors(tensors, dtype) as { x: Tensor; weight: Tensor; wY: Tensor; y: Tensor; grad: object };
    const convolve = (x: Tensor, weight: Tensor): Tensor =>
      x.shape.length === 3 ? conv1d(x, weight, options) : conv2d(x, weight, options);
    const both = valueAndGrad(({ x, weight }: { x: Tensor; weight: Tensor }) => {
      const y = convolve(x, weight);
      return [sum(multiply(y, read.wY)), y] as const;
    });
    const run = (at: { x: Tensor; weight: Tensor }) => {
      const { gradient, extra } = both(at);
      return { gradient, extra };
    };
    const point = { x: read.x, weight: read.weight };
    const expected = { gradient: read.grad as typeof point, extra: read.y };
    expectClose(run(point), expected, tolerance);
    expectClose(compile(run)(point), expected, tolerance);
  });
});

describe("conv1d", () => {
  test("is the sum of its documentation, for any sizes and options", () => {
    const options = fc.record({
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.integer({ min: 1, max: 3 }),
      groups: fc.integer({ min: 1, max: 3 }),
      padding: fc.constantFrom("valid" as const, "same" as const, "causal" as const, [2, 0] as const),
    });
    const sizes = fc.record({
      time: fc.nat({ max: 8 }),
      kernel: fc.integer({ min: 1, max: 4 }),
      inner: fc.integer({ min: 1, max: 2 }),
      outer: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(options, sizes, ({ stride, dilation, groups, padding }, { time, kernel, inner, outer }) => {
        const x = numbers(time, [time, 2, inner * groups]);
        const weight = numbers(kernel, [outer * groups, kernel, inner]);
        const [before, after] = paddingOf("test", { size: kernel, dilation, padding });
        const steps = Math.max(0, Math.floor((time + before + after - (kernel - 1) * dilation - 1) / stride) + 1);
        const wanted = build("float64", [steps, 2, outer * groups], (t, b, o) => {
          let total = 0;
          const group = Math.floor(o / outer);
          for (let k = 0; k < kernel; k++) {
            const from = t * stride + k * dilation - before;
            for (let c = 0; c < inner && from >= 0 && from < time; c++)
              total += element(weight, o, k, c) * element(x, from, b, group * inner + c);
          }
          return total;
        });
        expectTensor(conv1d(x, weight, { stride, dilation, groups, padding }), wanted, TOLERANCES.float64);
      }),
      { numRuns: 200 },
    );
  });

  test("has a finite response: of a window of K steps, the weights reversed and then exactly 0", () => {
    const [time, kernel, at] = [40, 5, 3];
    const weight = numbers(1, [1, kernel, 1]);
    const impulse = build("float64", [time, 1, 1], (t) => (t === at ? 1 : 0));
    const response = conv1d(impulse, weight, { padding: "causal" });
    for (let t = 0; t < time; t++) {
      const delay = t - at;
      expect(element(response, t, 0, 0)).toBe(
        delay >= 0 && delay < kernel ? element(weight, 0, kernel - 1 - delay, 0) : 0,
      );
    }
  });

  test.each<[string, Conv1dOptions]>([
    ["valid", { padding: "valid", stride: 2 }],
    ["same", { padding: "same", stride: 3 }],
    ["causal", { padding: "causal", dilation: 2 }],
    ["[before, after]", { padding: [1, 3], stride: 2 }],
  ])("with padding %s gives a sequence the same steps, however many zeros stand behind it", (_, options) => {
    const [x, weight] = [numbers(1, [7, 2, 3]), numbers(2, [4, 4, 3])];
    const alone = conv1d(x, weight, options);
    const longer = conv1d(pad(x, 0, 0, 5), weight, options);
    expectTensor(slice(longer, 0, 0, alone.shape[0]), alone, TOLERANCES.float64);
  });

  test("says what does not fit", () => {
    const x = numbers(1, [5, 2, 4]);
    const misfit = (groups: number, weight: string) =>
      new ShapeError(
        `conv1d: float64[5,2,4] and the weight ${weight} do not fit with groups ${groups}; they must be [time,batch,inputSize] ` +
          "and [outputSize,kernelSize,inputSize / groups], of one float type, and groups must divide both sizes",
      );
    expect(() => conv1d(x, numbers(1, [6, 3, 3]))).toThrow(misfit(1, "float64[6,3,3]"));
    expect(() => conv1d(x, numbers(1, [5, 3, 2]), { groups: 2 })).toThrow(misfit(2, "float64[5,3,2]"));
    expect(() => conv1d(x, numbers(1, [6, 3, 4], "float32"))).toThrow(misfit(1, "float32[6,3,4]"));
    expect(() => conv1d(x, numbers(1, [6, 4]))).toThrow(misfit(1, "float64[6,4]"));
    expect(() => conv1d(x, numbers(1, [6, 3, 4]), { groups: 0 })).toThrow(
      new OptionError("conv1d: groups must be a whole number of at least 1, but is 0"),
    );
    expect(() => conv1d(x, numbers(1, [6, 3, 4]), { padding: "full" as never })).toThrow(
      new OptionError('conv1d: padding must be "valid", "same", "causal" or [before, after], but is "full"'),
    );
    expect(() => conv1d(x, numbers(1, [6, 3, 4]), { dilation: 0.5 })).toThrow(
      "conv1d: dilation must be a whole number of at least 1, but is 0.5",
    );
    expect(() => conv1d(x, numbers(1, [6, 0, 4]))).toThrow(
      "conv1d: size must be a whole number of at least 1, but is 0",
    );
    expect(() => conv1d(x, numbers(1, [6, 3, 4]), { padding: [0, -1] })).toThrow(
      "conv1d: padding must be a whole number of at least 0, but is -1",
    );
    expect(() => conv1d(x, numbers(1, [6, 3, 4]), { strides: 2 } as never)).toThrow(
      'conv1d: there is no option "strides"; the options are stride, dilation, padding, groups',
    );
  });
});

describe("conv2d", () => {
  test("of images of height 1 is conv1d along their width", () => {
    const [x, weight] = [numbers(1, [7, 2, 3]), numbers(2, [4, 3, 3])];
    const image = build("float64", [2, 1, 7, 3], (b, _, t, c) => element(x, t, b, c));
    const kernel = build("float64", [4, 1, 3, 3], (o, _, k, c) => element(weight, o, k, c));
    const wanted = conv1d(x, weight, { stride: 2, padding: "same" });
    const found = conv2d(image, kernel, { stride: [1, 2], padding: "same" });
    const turned = build("float64", wanted.shape, (t, b, o) => element(found, b, 0, t, o));
    expectTensor(turned, wanted, TOLERANCES.float64);
  });

  test("says what does not fit", () => {
    expect(() => conv2d(numbers(1, [5, 2, 4]), numbers(1, [6, 3, 3, 4]))).toThrow(
      "conv2d: float64[5,2,4] and the weight float64[6,3,3,4] do not fit with groups 1; they must be [batch,height,width,channels]",
    );
    expect(() => conv2d(numbers(1, [1, 2, 3, 4]), numbers(1, [6, 1, 1, 4]), { stride: [1, 0] })).toThrow(
      "conv2d: stride must be a whole number of at least 1, but is 0",
    );
  });
});
