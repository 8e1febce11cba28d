/** What every cell must do. A cell's own test calls `runCellCases` with its equations written out in scalar loops. */

import { describe, expect, test } from "vitest";
import { OptionError, ShapeError } from "../../src/core/index.js";
import { type Cell, recurrent } from "../../src/nn/index.js";
import { randomKey, slice } from "../../src/ops/index.js";
import { compile } from "../../src/runtime/index.js";
import {
  type FloatDType,
  HostTensor,
  mapTensors,
  type Shape,
  type Tensor,
  type TensorTree,
  tensorsByPath,
} from "../../src/tensor/index.js";
import { checkGradients } from "../../src/transforms/index.js";
import { expectSame, numbers } from "../close.js";
import { runGoldenCase } from "../golden.js";
import { TOLERANCES } from "../tolerances.js";
import { runCellOverTimeCases } from "./cell-over-time.cases.js";

/** A record of tensors. */
type Tensors = Readonly<Record<string, Tensor>>;

/** The two sizes of a cell, and whatever other options a case hands over. */
type Sizes = { readonly inputSize: number; readonly hiddenSize: number };

/** One row of a state, by name. */
export type Row = Readonly<Record<string, readonly number[]>>;

/** Reads `weights[row][column]` or `bias[row]` of a parameter. */
export type Read = (name: string, row: number, column?: number) => number;

/** What is special about one cell. */
export interface CellCase {
  readonly name: string;
  /** The cell; what it is given beside the two sizes it hands on as options. */
  readonly make: (sizes: Sizes) => Cell<never, never> | Cell<Tensors, Tensors>;
  /** All options, in the order of the message about an unknown one. @default inputSize, hiddenSize */
  readonly options?: readonly string[];
  /** The options that are sizes. @default inputSize, hiddenSize */
  readonly sizeOptions?: readonly string[];
  /** The shapes that the documentation gives. */
  readonly paramShapes: (inputSize: number, hiddenSize: number) => Readonly<Record<string, Shape>>;
  /** The parts of the carry, each `[batch, width]`. */
  readonly stateWidths: (inputSize: number, hiddenSize: number) => Readonly<Record<string, number>>;
  /** Those of them that count steps: int32. @default none */
  readonly counters?: readonly string[];
  /** Width of the output. @default hiddenSize */
  readonly outputSize?: (inputSize: number, hiddenSize: number) => number;
  /** The equations of the documentation for one row of the batch. */
  readonly equations: (
    read: Read,
    state: Row,
    x: readonly number[],
    hiddenSize: number,
  ) => { state: Row; y: readonly number[] };
  /** The parameter that the input meets first. @default weightIh */
  readonly inputWeight?: string;
  /** The parameters that begin at random; the others begin alike for every key. @default weightIh, weightHh */
  readonly drawn?: readonly string[];
  /** Whether weightIh begins by Glorot's rule and weightHh with orthogonal blocks. @default true */
  readonly orthogonalStart?: boolean;
  /** Names of the golden cases for this cell over time, of 4 inputs and 3 units. */
  readonly golden: readonly string[];
  /** The file in test/golden that holds them. @default recurrent */
  readonly goldenFile?: string;
}

/** The logistic function. */
export const sigma = (x: number): number => 1 / (1 + Math.exp(-x));

/** Row `row` of a matrix times a vector. */
export const rowTimes = (read: Read, name: string, row: number, x: readonly number[]): number =>
  x.reduce((total, value, column) => total + read(name, row, column) * value, 0);

/** Zero mean and unit variance, with 1e-5 added to the variance. */
export function standardized(x: readonly number[]): number[] {
  const mean = x.reduce((total, value) => total + value, 0) / x.length;
  const variance = x.reduce((total, value) => total + (value - mean) ** 2, 0) / x.length;
  return x.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
}

const rowOf = (x: Tensor, row: number): number[] => {
  const width = x.shape[1] as number;
  return Array.from(x.data.subarray(row * width, (row + 1) * width));
};

const SIZE_OPTIONS = ["inputSize", "hiddenSize"];

/** Runs all cases for one cell. */
export function runCellCases(cellCase: CellCase): void {
  const { name, make, paramShapes, stateWidths, equations, golden } = cellCase;
  const { counters = [], options = SIZE_OPTIONS, sizeOptions = SIZE_OPTIONS, inputWeight = "weightIh" } = cellCase;
  const outputWidth = cellCase.outputSize ?? ((_, hiddenSize) => hiddenSize);
  const build = (inputSize: number, hiddenSize: number): Cell<Tensors, Tensors> =>
    make({ inputSize, hiddenSize }) as Cell<Tensors, Tensors>;
  const randomParams = (inputSize: number, hiddenSize: number, dtype: FloatDType = "float64"): Tensors =>
    Object.fromEntries(
      Object.entries(paramShapes(inputSize, hiddenSize)).map(([key, shape], index) => [
        key,
        numbers(10 + index, shape, dtype),
      ]),
    );
  const randomCarry = (batch: number, inputSize: number, hiddenSize: number, dtype: FloatDType = "float64"): Tensors =>
    Object.fromEntries(
      Object.entries(stateWidths(inputSize, hiddenSize)).map(([key, width], index) => {
        const shape = [batch, width];
        if (!counters.includes(key)) return [key, numbers(30 + index, shape, dtype)];
        return [
          key,
          new HostTensor(
            { dtype: "int32", shape },
            Int32Array.from({ length: batch * width }, (_, k) => k),
          ),
        ];
      }),
    );

  describe(`${name} as a cell`, () => {
    test.each([
      [1, 1, 1],
      [3, 2, 4],
      [2, 5, 3],
    ])("equals its equations written out (input %i, hidden %i, batch %i)", (inputSize, hiddenSize, batch) => {
      const cell = build(inputSize, hiddenSize);
      const [params, carry] = [randomParams(inputSize, hiddenSize), randomCarry(batch, inputSize, hiddenSize)];
      const x = numbers(50, [batch, inputSize]);
      const read: Read = (key, row, column = 0) => {
        const { data, shape } = params[key]!;
        return data[row * (shape[1] ?? 1) + column]!;
      };
      const expectRow = (actual: Tensor, row: number, expected: readonly number[]): void => {
        const found = rowOf(actual, row);
        expect(found.length).toBe(expected.length);
        found.forEach((value, k) => {
          expect(Math.abs(value - expected[k]!)).toBeLessThanOrEqual(TOLERANCES.float64);
        });
      };
      const step = (p: Tensors, s: Tensors, row: Tensor) => cell.step(p, s, row);
      for (const [next, y] of [step(params, carry, x), compile(step)(params, carry, x)]) {
        for (let row = 0; row < batch; row++) {
          const state = Object.fromEntries(Object.entries(carry).map(([key, part]) => [key, rowOf(part, row)]));
          const expected = equations(read, state, rowOf(x, row), hiddenSize);
          for (const key of Object.keys(carry)) expectRow(next[key]!, row, expected.state[key]!);
          expectRow(y, row, expected.y);
        }
      }
    });

    test("has the parameters and the carry of its documentation, in float32 unless told otherwise", () => {
      const cell = build(3, 2);
      expect([cell.inputSize, cell.outputSize]).toEqual([3, outputWidth(3, 2)]);
      for (const dtype of ["float32", "float64"] as const) {
        const typesOf = (tree: TensorTree) => tensorsByPath(tree).map(([path, t]) => [path, t.dtype, t.shape]);
        const params = Object.entries(paramShapes(3, 2)).map(([path, shape]) => [path, dtype, shape]);
        const state = Object.entries(stateWidths(3, 2)).map(([path, width]) => [
          path,
          counters.includes(path) ? "int32" : dtype,
          [4, width],
        ]);
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

    test("gives the same parameters for the same key, and other random ones for another key", () => {
      const cell = build(3, 4);
      const [first, again, other] = [7, 7, 8].map((seed) => cell.init(randomKey(seed))) as [Tensors, Tensors, Tensors];
      expectSame(first, again);
      const differing = Object.keys(first).filter((key) => first[key]!.data.some((x, k) => x !== other[key]!.data[k]));
      expect(differing.sort()).toEqual([...(cellCase.drawn ?? ["weightIh", "weightHh"])].sort());
    });

    if (cellCase.orthogonalStart ?? true) {
      test("starts each gate with an orthogonal recurrent block and input weights within Glorot's limit", () => {
        const hiddenSize = 4;
        const { weightIh, weightHh } = build(5, hiddenSize).init(randomKey(3), "float64") as Tensors;
        const limit = Math.sqrt(6 / (weightIh!.shape[1]! + hiddenSize));
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
    }

    test("keeps the rows of a batch apart: a batch of one equals that row of a bigger batch", () => {
      const cell = build(3, 2);
      const [params, carry, x] = [randomParams(3, 2), randomCarry(4, 3, 2), numbers(50, [4, 3])];
      const [next, y] = cell.step(params, carry, x);
      for (let row = 0; row < 4; row++) {
        const only = (t: Tensor) => slice(t, 0, row, row + 1);
        const alone = cell.step(params, mapTensors(only, carry), only(x));
        expectSame([...alone], [mapTensors(only, next), only(y)]);
      }
    });

    test("has gradients of first and second order that agree with differences, for one step", () => {
      const cell = build(2, 3);
      const point = [randomParams(2, 3), randomCarry(2, 2, 3), numbers(50, [2, 2])] as const;
      const { maxError } = checkGradients((params, carry, x) => [...cell.step(params, carry, x)], [...point]);
      expect(maxError).toBeLessThan(TOLERANCES.gradient);
    });

    test("has gradients of first and second order that agree with differences, over time", () => {
      const layer = recurrent(build(2, 3));
      const point = [randomParams(2, 3), randomCarry(2, 2, 3), numbers(50, [3, 2, 2])] as const;
      const run = (params: Tensors, carry: Tensors, xs: Tensor) => {
        const result = layer.apply(params, xs, { carry });
        return [result.outputs, result.carry];
      };
      expect(checkGradients(run, [...point]).maxError).toBeLessThan(TOLERANCES.gradient);
    });

    test.each([0, 1.5, -1, Number.NaN])("refuses sizes of %d", (size) => {
      for (const option of sizeOptions) {
        const sizes = { inputSize: 2, hiddenSize: 2, [option]: size };
        expect(() => make(sizes)).toThrow(OptionError);
        expect(() => make(sizes)).toThrow(`${name}: ${option} must be a whole number of at least 1, but is ${size}`);
      }
    });

    test("refuses an option that it does not know", () => {
      const sizes = { inputSize: 2, hiddenSize: 3, hidenSize: 4 };
      expect(() => make(sizes)).toThrow(
        new OptionError(`${name}: there is no option "hidenSize"; the options are ${options.join(", ")}`),
      );
    });

    test("names both widths when the input has another one", () => {
      const cell = build(3, 2);
      const params = randomParams(3, 2);
      const step = () => cell.step(params, randomCarry(4, 3, 2), numbers(50, [4, 5]));
      expect(step).toThrow(ShapeError);
      expect(step).toThrow(
        `linear: float64[4,5] does not fit the weight float64[${params[inputWeight]!.shape}]; its last axis must be 3`,
      );
      expect(() => recurrent(cell).apply(params, numbers(50, [6, 4, 5]))).toThrow(
        "recurrent: needs float [time,batch,3], but was given float64[6,4,5]",
      );
    });
  });

  runCellOverTimeCases({
    name,
    cell: build(3, 4),
    params: (dtype) => randomParams(3, 4, dtype),
    carry: (batch, dtype) => randomCarry(batch, 3, 4, dtype),
  });
  for (const goldenName of golden) runGoldenCase(goldenName, recurrent(build(4, 3)), cellCase.goldenFile);
}
