import { describe, expect, test } from "vitest";
import { expectClose } from "../../../test/close.js";
import { randomKey } from "../../ops/index.js";
import { type Tensor, tensor, tensorsByPath, toNested } from "../../tensor/index.js";
import { elmanNet } from "./net.js";

const XS = [
  [1, 0],
  [0, 1],
  [1, 1],
  [0, 0],
  [1, 0],
];
const TARGETS = [[0], [1], [1], [0], [1]];
const RATE = 0.5;

const column = (rows: number[][]) => tensor(rows.map((row) => [row]));
const rowsOf = (matrix: Tensor) => toNested(matrix) as number[][];
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * b[k]!, 0);

describe("elmanNet", () => {
  const net = elmanNet({ inputSize: 2, hiddenSize: 3, outputSize: 1, learningRate: RATE });

  test("a pass equals the equations in scalar loops: each step follows its own error, with the context held constant", () => {
    const { params } = net.init(randomKey(3));
    const [w, u, b] = [rowsOf(params.cell.weightIh), rowsOf(params.cell.weightHh), [...params.cell.bias.data]];
    const [v, c] = [rowsOf(params.readout.weight)[0]!, [...params.readout.bias.data]];
    let context = [0, 0, 0];
    const squared: number[] = [];
    XS.forEach((x, t) => {
      const h = w.map((row, j) => sigmoid(dot(row, x) + dot(u[j]!, context) + b[j]!));
      const o = sigmoid(dot(v, h) + c[0]!);
      const error = TARGETS[t]![0]! - o;
      squared.push(error ** 2);
      const deltaO = -error * o * (1 - o); // ∂E/∂(V h + c)
      const deltaH = h.map((hj, j) => deltaO * v[j]! * hj * (1 - hj));
      h.forEach((hj, j) => {
        v[j]! -= RATE * deltaO * hj;
        b[j]! -= RATE * deltaH[j]!;
        for (const i of x.keys()) w[j]![i]! -= RATE * deltaH[j]! * x[i]!;
        for (const i of context.keys()) u[j]![i]! -= RATE * deltaH[j]! * context[i]!;
      });
      c[0]! -= RATE * deltaO;
      context = h;
    });

    const [state, errors] = net.pass(net.init(randomKey(3)), column(XS), column(TARGETS));
    expectClose(errors, tensor(squared.map((error) => [[error]])), 1e-6);
    const expected = {
      cell: { bias: tensor(b), weightHh: tensor(u), weightIh: tensor(w) },
      readout: { bias: tensor(c), weight: tensor([v]) },
    };
    expectClose(state.params, expected, 1e-6);
    expectClose(state.context.h, tensor([context]), 1e-6);
  });

  test("two passes over halves of a stream equal one pass over all of it", () => {
    const [first, second] = [XS.slice(0, 2), XS.slice(2)];
    const whole = net.pass(net.init(randomKey(4)), column(XS), column(TARGETS))[0];
    const half = net.pass(net.init(randomKey(4)), column(first), column(TARGETS.slice(0, 2)))[0];
    const rest = net.pass(half, column(second), column(TARGETS.slice(2)))[0];
    expectClose(rest, whole, 1e-6);
  });

  test("starts with all weights and biases spread over [-1, 1)", () => {
    const big = elmanNet({ inputSize: 20, hiddenSize: 40, outputSize: 20, learningRate: RATE });
    const { params } = big.init(randomKey(5));
    for (const [path, { data }] of tensorsByPath(params)) {
      const [least, most] = [Math.min(...data), Math.max(...data)];
      expect(least, path).toBeGreaterThanOrEqual(-1);
      expect(most, path).toBeLessThan(1);
      expect(most - least, path).toBeGreaterThan(1.4);
    }
  });
});
