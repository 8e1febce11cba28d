import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64 } from "../../test/close.js";
import { goldenTensors, readGolden } from "../../test/golden.js";
import { OptionError } from "../core/index.js";
import { compile } from "../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree, tensorsByPath, toNumber } from "../tensor/index.js";
import { clipByNorm, clipByValue, globalNorm } from "./index.js";

const normOf = (tree: TensorTree): number => Math.hypot(...tensorsByPath(tree).flatMap(([, { data }]) => [...data]));

interface ClipCase {
  readonly maxNorm: number;
  readonly norm: number;
  readonly gradients: unknown;
  readonly clipped: unknown;
}
const golden = readGolden("optimizers").clip as Record<string, ClipCase>;

const gradients = fc
  .array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 3, maxLength: 8 })
  .map((values) => ({ a: f64(values.slice(0, 2)), b: [f64(values.slice(2))] }));
const limits = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

describe("clipByNorm", () => {
  test.each(Object.keys(golden))("equals PyTorch up to its 1e-6 beside the norm: %s the limit", (name) => {
    const { maxNorm, norm, gradients: given, clipped } = golden[name]!;
    const tree = goldenTensors(given, "float64") as Tensor[];
    expect(toNumber(globalNorm(tree))).toBeCloseTo(norm, 12);
    // PyTorch's factor is maxNorm / (norm + 1e-6); undo that.
    const undo = Math.min(1, maxNorm / norm) / Math.min(1, maxNorm / (norm + 1e-6));
    const expected = mapTensors(
      (leaf) =>
        f64(
          Array.from(leaf.data, (value) => value * undo),
          leaf.shape,
        ),
      goldenTensors(clipped, "float64") as Tensor[],
    );
    for (const clip of [clipByNorm(maxNorm), compile(clipByNorm(maxNorm))]) expectClose(clip(tree), expected, 1e-12);
  });

  test("keeps the direction, ends at the limit, and leaves what is below it untouched", () => {
    fc.assert(
      fc.property(gradients, limits, (tree, limit) => {
        const clipped = clipByNorm(limit)(tree);
        const norm = normOf(tree);
        if (norm <= limit) return expectSame(clipped, tree);
        expect(Math.abs(normOf(clipped) / limit - 1)).toBeLessThan(1e-12);
        expectClose(
          clipped,
          mapTensors((leaf) => f64(Array.from(leaf.data, (value) => (value * limit) / norm)), tree),
          1e-12,
        );
      }),
      { numRuns: 200 },
    );
  });

  test("leaves a gradient of zeros at zero", () => {
    expectSame(clipByNorm(1)([f64([0, 0])]), [f64([0, 0])]);
  });

  test("refuses a limit that is not positive", () => {
    expect(() => clipByNorm(0)).toThrow(OptionError);
    expect(() => clipByNorm(0)).toThrow("clipByNorm: maxNorm must be a number greater than 0, but is 0");
  });
});

describe("clipByValue", () => {
  test("holds each component in [-limit, limit] and leaves the others as they are", () => {
    fc.assert(
      fc.property(gradients, limits, (tree, limit) => {
        const expected = mapTensors(
          (leaf) => f64(Array.from(leaf.data, (value) => Math.min(limit, Math.max(-limit, value)))),
          tree,
        );
        expectSame(clipByValue(limit)(tree), expected);
        expectSame(compile(clipByValue(limit))(tree), expected);
      }),
      { numRuns: 50 },
    );
  });

  test("refuses a limit that is not positive", () => {
    expect(() => clipByValue(-1)).toThrow(OptionError);
    expect(() => clipByValue(-1)).toThrow("clipByValue: limit must be a number greater than 0, but is -1");
  });
});
