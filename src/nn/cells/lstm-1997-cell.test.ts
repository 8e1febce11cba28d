/** The LSTM of 1997: the cases of every cell, the nets of the paper's experiments, and its constant error flow. */

import { describe, expect, test } from "vitest";
import { expectClose, f64, numbers } from "../../../test/close.js";
import { type CellCase, rowTimes, runCellCases, sigma } from "../../../test/contracts/cell.cases.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { add, at, ones, randomKey, sin, sum, zeros } from "../../ops/index.js";
import { mapTensors, sizeOf, type Tensor, tensorsByPath } from "../../tensor/index.js";
import { grad } from "../../transforms/index.js";
import { dense } from "../layers/dense.js";
import { recurrent } from "../recurrent/recurrent.js";
import { type LSTM1997Options, lstm1997 } from "./lstm-1997-cell.js";

/** What a case of `runCellCases` fixes beside the number of blocks. */
type Fixed = Omit<LSTM1997Options, "inputSize" | "blocks">;

/** The equations of the paper, unit by unit. */
const equationsOf =
  ({
    blockSize = 1,
    outputGates = true,
    recurrentWeights = true,
    bias = "all",
    ...squash
  }: Fixed): CellCase["equations"] =>
  (read, state, x, blocks) => {
    const cells = blocks * blockSize;
    const g = (net: number) => (squash.cellInput === "logistic" ? sigma(net) : 4 * sigma(net) - 2);
    const h = (c: number) => (squash.cellOutput === "identity" ? c : 2 * sigma(c) - 1);
    const net = (unit: number): number => {
      const seen = recurrentWeights ? rowTimes(read, "weightHh", unit, state.u!) : 0;
      const isCell = unit >= blocks && unit < blocks + cells;
      const hasBias = bias === "all" || (bias === "gates" && !isCell);
      const offset = hasBias ? read("bias", bias === "gates" && unit >= blocks ? unit - cells : unit) : 0;
      return rowTimes(read, "weightIh", unit, x) + seen + offset;
    };
    const [i, c, y, o]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let block = 0; block < blocks; block++) {
      i[block] = sigma(net(block));
      o[block] = outputGates ? sigma(net(blocks + cells + block)) : 1;
      for (let k = block * blockSize; k < (block + 1) * blockSize; k++) {
        c[k] = state.c![k]! + i[block]! * g(net(blocks + k));
        y[k] = o[block]! * h(c[k]!);
      }
    }
    return { state: { c, u: [...i, ...y, ...(outputGates ? o : [])] }, y };
  };

const OPTIONS = [
  ...["inputSize", "blocks", "blockSize", "cellInput", "cellOutput", "outputGates", "recurrentWeights", "bias"],
  ...["inputGateBias", "outputGateBias", "initialRange", "truncateGradient"],
];

const caseOf = (fixed: Fixed): Omit<CellCase, "paramShapes" | "stateWidths" | "golden"> => ({
  name: "lstm1997",
  make: ({ inputSize, hiddenSize, ...others }) => lstm1997({ inputSize, blocks: hiddenSize, ...fixed, ...others }),
  options: OPTIONS,
  sizeOptions: ["inputSize", "blocks", "blockSize"],
  orthogonalStart: false,
  goldenFile: "gated",
  equations: equationsOf(fixed),
});

runCellCases({
  ...caseOf({}),
  paramShapes: (i, b) => ({ weightIh: [3 * b, i], weightHh: [3 * b, 3 * b], bias: [3 * b] }),
  stateWidths: (_, b) => ({ c: b, u: 3 * b }),
  drawn: ["weightIh", "weightHh", "bias"],
  golden: ["lstm1997"],
});

describe("in blocks of two cells, with biases for gates alone,", () => {
  runCellCases({
    ...caseOf({ blockSize: 2, bias: "gates" }),
    paramShapes: (i, b) => ({ weightIh: [4 * b, i], weightHh: [4 * b, 4 * b], bias: [2 * b] }),
    stateWidths: (_, b) => ({ c: 2 * b, u: 4 * b }),
    outputSize: (_, b) => 2 * b,
    drawn: ["weightIh", "weightHh", "bias"],
    golden: ["lstm1997Blocks"],
  });
});

describe("as in experiment 2a, without output gates, recurrent weights and biases,", () => {
  runCellCases({
    ...caseOf({
      outputGates: false,
      recurrentWeights: false,
      bias: "none",
      cellInput: "logistic",
      cellOutput: "identity",
    }),
    paramShapes: (i, b) => ({ weightIh: [2 * b, i] }),
    stateWidths: (_, b) => ({ c: b, u: 2 * b }),
    drawn: ["weightIh"],
    golden: ["lstm1997Bare"],
  });
});

describe("lstm1997 has the weights that table 10 of the paper counts:", () => {
  const count = (tree: object): number =>
    tensorsByPath(tree as never).reduce((total, [, { shape }]) => total + sizeOf(shape), 0);
  const net = (options: LSTM1997Options, outputSize: number, outputBias: boolean): number => {
    const cell = lstm1997(options);
    const { weight, bias } = dense({ inputSize: cell.outputSize, outputSize }).init(randomKey(0));
    return count(cell.init(randomKey(0))) + count(outputBias ? { weight, bias } : { weight });
  };

  test.each<[string, number, LSTM1997Options, number, boolean]>([
    ["1, 4 blocks", 264, { inputSize: 7, blocks: 4, bias: "gates" }, 7, false],
    ["1, 3 blocks of 2", 276, { inputSize: 7, blocks: 3, blockSize: 2, bias: "gates" }, 7, false],
    ["2c, p = 50", 6 * 50 + 64, { inputSize: 54, blocks: 2, bias: "none" }, 2, false],
    ["2c, p = 1000", 6 * 1000 + 64, { inputSize: 1004, blocks: 2, bias: "none" }, 2, false],
    ["3", 102, { inputSize: 1, blocks: 3 }, 1, false],
    ["4 and 5", 93, { inputSize: 2, blocks: 2, blockSize: 2 }, 1, true],
    ["6a", 156, { inputSize: 8, blocks: 2, blockSize: 2 }, 4, true],
    ["6b", 308, { inputSize: 8, blocks: 3, blockSize: 2 }, 8, true],
  ])("experiment %s: %i", (_, weights, options, outputSize, outputBias) => {
    expect(net(options, outputSize, outputBias)).toBe(weights);
  });

  test("experiment 2a: 10,504, with an output layer that sees the inputs as well", () => {
    const cell = lstm1997({ inputSize: 101, blocks: 1, outputGates: false, recurrentWeights: false, bias: "none" });
    const { weight } = dense({ inputSize: 101 + cell.outputSize, outputSize: 101 }).init(randomKey(0));
    expect(count({ cell: cell.init(randomKey(0)), weight })).toBe(10_504);
  });
});

describe("lstm1997 over 1000 steps", () => {
  const sizes = { inputSize: 2, blocks: 2, blockSize: 2 };
  const xs = numbers(1, [1000, 3, 2]);
  const exact = lstm1997(sizes);
  const params = mapTensors((weights) => numbers(2, weights.shape), exact.init(randomKey(0), "float64"));
  const start = { c: numbers(3, [3, 4]), u: numbers(4, [3, 8]) };
  /** The sum over ∂c_1000/∂c_0. */
  const errorFlow = (cell: typeof exact, all: typeof params): Tensor =>
    grad((c: Tensor) => sum(recurrent(cell).apply(all, xs, { carry: { ...start, c } }).carry.c))(start.c);

  test("scales the error that flows through its cells by exactly 1 where the gates do not see them", () => {
    const frozen = { ...params, weightHh: zeros([8, 8], "float64") };
    expect(errorFlow(exact, frozen).data).toEqual(ones([3, 4], "float64").data);
  });

  test("scales it by exactly 1 with any weights if the gradient is truncated, and not otherwise", () => {
    const truncated = lstm1997({ ...sizes, truncateGradient: true });
    expect(errorFlow(truncated, params).data).toEqual(ones([3, 4], "float64").data);
    expect(errorFlow(exact, params).data).not.toEqual(ones([3, 4], "float64").data);
  });
});

test("the truncated gradient is that of a net whose units see recorded outputs of the step before", () => {
  const sizes = { inputSize: 2, blocks: 2, blockSize: 2 };
  const xs = numbers(1, [6, 3, 2]);
  const cell = lstm1997(sizes);
  const params = mapTensors((weights) => numbers(2, weights.shape), cell.init(randomKey(0), "float64"));
  const recorded: Tensor[] = [];
  let carry = cell.initialCarry(3, "float64");
  for (let t = 0; t < 6; t++) {
    recorded.push(carry.u);
    carry = cell.step(params, carry, at(xs, t))[0];
  }
  const ofRecorded = grad((all: typeof params) => {
    let { c } = cell.initialCarry(3, "float64");
    let loss = f64([0], []);
    recorded.forEach((u, t) => {
      const [next, y] = cell.step(all, { c, u }, at(xs, t));
      c = next.c;
      loss = add(loss, sum(sin(y)));
    });
    return loss;
  })(params);
  const truncated = recurrent(lstm1997({ ...sizes, truncateGradient: true }));
  const gradient = grad((all: typeof params) => sum(sin(truncated.apply(all, xs).outputs)))(params);
  expectClose(gradient, ofRecorded, TOLERANCES.float64);
  expectClose(truncated.apply(params, xs).outputs, recurrent(cell).apply(params, xs).outputs, TOLERANCES.exact);
});

describe("lstm1997", () => {
  test("starts with weights and biases within the range, and with the gate biases that are asked for", () => {
    const sizes = { inputSize: 20, blocks: 3, blockSize: 2, initialRange: 0.2 };
    const largest = (x: Tensor) => Math.max(...Array.from(x.data, Math.abs));
    const random = lstm1997(sizes).init(randomKey(1));
    for (const weights of [random.weightIh, random.weightHh, random.bias]) {
      expect(largest(weights as Tensor)).toBeLessThanOrEqual(0.2);
      expect(largest(weights as Tensor)).toBeGreaterThan(0.12);
    }
    const given = { inputGateBias: [-1, -3, -5], outputGateBias: [-2, -4, -6] };
    const all = Array.from(lstm1997({ ...sizes, ...given }).init(randomKey(1)).bias!.data);
    expect([all.slice(0, 3), all.slice(9)]).toEqual([given.inputGateBias, given.outputGateBias]);
    expect(all.slice(3, 9)).toEqual(Array.from(random.bias!.data.slice(3, 9)));
    const gates = lstm1997({ ...sizes, ...given, bias: "gates" }).init(randomKey(1)).bias!;
    expect(Array.from(gates.data)).toEqual([...given.inputGateBias, ...given.outputGateBias]);
  });

  test("shares gates within a block: a closed input gate keeps both cells of its block, and no others", () => {
    const cell = lstm1997({ inputSize: 1, blocks: 2, blockSize: 2, inputGateBias: [-1000, 0] });
    const [{ c }] = cell.step(
      cell.init(randomKey(1), "float64"),
      { c: f64([1, 2, 3, 4], [1, 4]), u: zeros([1, 8], "float64") },
      f64([1], [1, 1]),
    );
    expect(Array.from(c.data, (value, k) => value === k + 1)).toEqual([true, true, false, false]);
  });

  test.each<[object, string]>([
    [{ inputGateBias: [1] }, "inputGateBias must hold one number for each of 2 blocks, but holds 1"],
    [{ outputGateBias: [1, Number.NaN] }, "outputGateBias[1] must be a finite number, but is NaN"],
    [{ inputGateBias: [1, 2], bias: "none" }, 'inputGateBias has no effect, as bias is "none"; leave it out'],
    [{ outputGateBias: [1, 2], outputGates: false }, "outputGateBias has no effect, as there are no output gates"],
    [{ truncateGradient: true, recurrentWeights: false }, "truncateGradient has no effect, as there are no recurrent"],
    [{ bias: "gate" }, 'bias cannot be "gate"; did you mean gates? The choices are none, gates, all'],
    [{ cellInput: "tanh" }, 'cellInput cannot be "tanh"'],
    [{ cellOutput: "logistic" }, 'cellOutput cannot be "logistic"'],
    [{ initialRange: 0 }, "initialRange must be a number greater than 0, but is 0"],
  ])("refuses %j", (options, message) => {
    expect(() => lstm1997({ inputSize: 1, blocks: 2, ...options })).toThrow(`lstm1997: ${message}`);
  });
});
