/** What every cell must do. A cell's own test calls `runCellCases` with its equations written out in scalar loops. */

import { describe, expect, test } from "vitest";
import { OptionError, ShapeError } from "../../src/core/index.js";
import { type Cell, recurrent } from "../../src/nn/index.js";
import { randomKey, slice } from "../../src/ops/index.js";
import { compile } from "../../src/runtime/index.js";
import { mapTensors, type Shape, type Tensor, type TensorTree, tensorsByPath } from "../../src/tensor/index.js";
import { checkGradients } from "../../src/transforms/index.js";
import { expectSame, numbers } from "../close.js";
import { runGoldenCase } from "../golden.js";
import { TOLERANCES } from "../tolerances.js";

/** A record of tensors. */
type Tensors = Readonly<Record<string, Tensor>>;

/** One row of a state, by name. */
export type Row = Readonly<Record<string, readonly number[]>>;

/** Reads `weights[row][column]` or `bias[row]` of a parameter. */
export type Read = (name: string, row: number, column?: number) => number;

/** What is special about one cell. */
export interface CellCase {
  readonly name: string;
  /** The cell; the sizes are checked by the cases. */
  readonly make: (sizes: {
    readonly inputSize: number;
    readonly hiddenSize: number;
  }) => Cell<never, never> | Cell<Tensors, Tensors>;
  /** The shapes that the documentation gives. */
  readonly paramShapes: (inputSize: number, hiddenSize: number) => Readonly<Record<string, Shape>>;
  /** Names of the parts of the carry, each `[batch, hiddenSize]`. */
  readonly stateNames: readonly string[];
  /** The equations of the documentation for one row of the batch. */
  readonly equations: (
    read: Read,
    state: Row,
    x: readonly number[],
    hiddenSize: number,
  ) => { state: Row; y: readonly number[] };
  /** Names of the cases in test/golden/recurrent.json for this cell over time. */
  readonly golden: readonly string[];
}

const rowOf = (x: Tensor, row: number): number[] => {
  const width = x.shape[1] as number;
  return Array.from(x.data.subarray(row * width, (row + 1) * width));
};

/** Runs all cases for one cell. */
export function runCellCases({ name, make, paramShapes, stateNames, equations, golden }: CellCase): void {
  const build = (inputSize: number, hiddenSize: number): Cell<Tensors, Tensors> =>
    make({ inputSize, hiddenSize }) as Cell<Tensors, Tensors>;
  const randomParams = (inputSize: number, hiddenSize: number): Tensors =>
    Object.fromEntries(
      Object.entries(paramShapes(inputSize, hiddenSize)).map(([key, shape], index) => [
        key,
        numbers(10 + index, shape),
      ]),
    );
  const randomCarry = (batch: number, hiddenSize: number): Tensors =>
    Object.fromEntries(stateNames.map((key, index) => [key, numbers(30 + index, [batch, hiddenSize])]));

  describe(`${name} as a cell`, () => {
    test.each([
      [1, 1, 1],
      [3, 2, 4],
      [2, 5, 3],
    ])("equals its equations written out (input %i, hidden %i, batch %i)", (inputSize, hiddenSize, batch) => {
      const cell = build(inputSize, hiddenSize);
      const [params, carry] = [randomParams(inputSize, hiddenSize), randomCarry(batch, hiddenSize)];
      const x = numbers(50, [batch, inputSize]);
      const read: Read = (key, row, column = 0) => {
        const { data, shape } = params[key]!;
        return data[row * (shape[1] ?? 1) + column]!;
      };
      for (const [next, y] of [cell.step(params, carry, x), compile(cell.step)(params, carry, x)]) {
        for (let row = 0; row < batch; row++) {
          const state = Object.fromEntries(stateNames.map((key) => [key, rowOf(carry[key]!, row)]));
          const expected = equations(read, state, rowOf(x, row), hiddenSize);
          for (const key of stateNames) {
            rowOf(next[key]!, row).forEach((value, k) => {
              expect(Math.abs(value - expected.state[key]![k]!)).toBeLessThanOrEqual(TOLERANCES.float64);
            });
          }
          rowOf(y, row).forEach((value, k) => {
            expect(Math.abs(value - expected.y[k]!)).toBeLessThanOrEqual(TOLERANCES.float64);
          });
        }
      }
    });

    test("has the parameters and the carry of its documentation, in float32 unless told otherwise", () => {
      const cell = build(3, 2);
      expect([cell.inputSize, cell.outputSize]).toEqual([3, 2]);
      for (const dtype of ["float32", "float64"] as const) {
        const typesOf = (tree: TensorTree) => tensorsByPath(tree).map(([path, t]) => [path, t.dtype, t.shape]);
        const params = Object.entries(paramShapes(3, 2)).map(([path, shape]) => [path, dtype, shape]);
        const state = stateNames.map((path) => [path, dtype, [4, 2]]);
        const given = dtype === "float32" ? [] : ([dtype] as const);
        expect(typesOf(cell.init(randomKey(0), ...given)).sort()).toEqual(params.sort());
        expect(typesOf(cell.initialCarry(4, ...given)).sort()).toEqual(state.sort());
      }
    });

    test("starts with a carry of zeros", () => {
      for (const [, { data }] of tensorsByPath(build(3, 2).initialCarry(2))) {
        expect(Array.from(data).every((value) => value === 0)).toBe(true);
      }
    });

    test("gives the same weights for the same key, and others for another key", () => {
      const cell = build(3, 4);
      expectSame(cell.init(randomKey(7)), cell.init(randomKey(7)));
      for (const key of ["weightIh", "weightHh"]) {
        expect(cell.init(randomKey(7))[key]!.data).not.toEqual(cell.init(randomKey(8))[key]!.data);
      }
    });

    test("starts each gate with an orthogonal recurrent block and input weights within Glorot's limit", () => {
      const [inputSize, hiddenSize] = [5, 4];
      const { weightIh, weightHh } = build(inputSize, hiddenSize).init(randomKey(3), "float64") as Tensors;
      const limit = Math.sqrt(6 / (inputSize + hiddenSize));
      const largest = Math.max(...Array.from(weightIh!.data, Math.abs));
      expect(largest).toBeLessThanOrEqual(limit);
      expect(largest).toBeGreaterThan(0.8 * limit);
      for (let gate = 0; gate < weightHh!.shape[0]! / hiddenSize; gate++) {
        for (let a = 0; a < hiddenSize; a++) {
          for (let b = 0; b < hiddenSize; b++) {
            let product = 0;
            for (let row = gate * hiddenSize; row < (gate + 1) * hiddenSize; row++) {
              product += weightHh!.data[row * hiddenSize + a]! * weightHh!.data[row * hiddenSize + b]!;
            }
            expect(Math.abs(product - (a === b ? 1 : 0))).toBeLessThan(TOLERANCES.float64);
          }
        }
      }
    });

    test("keeps the rows of a batch apart: a batch of one equals that row of a bigger batch", () => {
      const cell = build(3, 2);
      const [params, carry, x] = [randomParams(3, 2), randomCarry(4, 2), numbers(50, [4, 3])];
      const [next, y] = cell.step(params, carry, x);
      for (let row = 0; row < 4; row++) {
        const only = (t: Tensor) => slice(t, 0, row, row + 1);
        const alone = cell.step(params, mapTensors(only, carry), only(x));
        expectSame([...alone], [mapTensors(only, next), only(y)]);
      }
    });

    test("has gradients of first and second order that agree with differences, for one step", () => {
      const cell = build(2, 2);
      const point = [randomParams(2, 2), randomCarry(2, 2), numbers(50, [2, 2])] as const;
      const { maxError } = checkGradients((params, carry, x) => [...cell.step(params, carry, x)], [...point]);
      expect(maxError).toBeLessThan(TOLERANCES.gradient);
    });

    test("has gradients of first and second order that agree with differences, over time", () => {
      const layer = recurrent(build(2, 2));
      const point = [randomParams(2, 2), randomCarry(2, 2), numbers(50, [3, 2, 2])] as const;
      const run = (params: Tensors, carry: Tensors, xs: Tensor) => {
        const result = layer.apply(params, xs, { carry });
        return [result.outputs, result.carry];
      };
      expect(checkGradients(run, [...point]).maxError).toBeLessThan(TOLERANCES.gradient);
    });

    test.each([0, 1.5, -1, Number.NaN])("refuses sizes of %d", (size) => {
      for (const option of ["inputSize", "hiddenSize"]) {
        const sizes = { inputSize: 2, hiddenSize: 2, [option]: size };
        expect(() => make(sizes)).toThrow(OptionError);
        expect(() => make(sizes)).toThrow(`${name}: ${option} must be a whole number of at least 1, but is ${size}`);
      }
    });

    test("refuses an option that it does not know", () => {
      const sizes = { inputSize: 2, hiddenSize: 3, hidenSize: 4 };
      expect(() => make(sizes)).toThrow(
        `${name}: there is no option "hidenSize"; the options are inputSize, hiddenSize`,
      );
    });

    test("names both widths when the input has another one", () => {
      const cell = build(3, 2);
      const params = randomParams(3, 2);
      const step = () => cell.step(params, randomCarry(4, 2), numbers(50, [4, 5]));
      expect(step).toThrow(ShapeError);
      expect(step).toThrow(
        `linear: float64[4,5] does not fit the weight float64[${params.weightIh!.shape}]; its last axis must be 3`,
      );
      expect(() => recurrent(cell).apply(params, numbers(50, [6, 4, 5]))).toThrow(
        "recurrent: needs float [time,batch,3], but was given float64[6,4,5]",
      );
    });
  });

  for (const goldenName of golden) runGoldenCase(goldenName, recurrent(build(4, 3)));
}
