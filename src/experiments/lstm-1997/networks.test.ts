/** The networks of 1997: their sizes, and that they learn by the rule of the paper. */

import { describe, expect, test } from "vitest";
import { expectClose, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { bptt, type LearningMethod, rtrl, type SequenceProblem, truncatedGradient1997 } from "../../learn/index.js";
import { at, concatenate, expandDims, fill, multiply, randomKey, square, subtract, sum } from "../../ops/index.js";
import { mapTensors, sizeOf, type Tensor, type TensorTree, tensor, tensorsByPath } from "../../tensor/index.js";
import { XOR_NETWORK } from "./delayed-xor.js";
import { elmanReberNetwork, reberNetwork } from "./experiment-1.js";
import { logisticLagNetwork, longLagNetwork } from "./experiment-2.js";
import { triggeredNetwork } from "./experiment-2c.js";
import { TWO_CLASSES_NETWORK } from "./experiment-3.js";
import { ADDING_NETWORK, MULTIPLYING_NETWORK } from "./experiment-4-5.js";
import { orderNetwork } from "./experiment-6.js";
import { learner } from "./learner.js";
import { type MemoryNetworkOptions, memoryNetwork } from "./memory-network.js";
import type { Network } from "./network.js";
import { afterEachStep, afterSequence } from "./updates.js";

const weightsIn = (params: TensorTree) =>
  tensorsByPath(params).reduce((total, [, { shape }]) => total + sizeOf(shape), 0);

describe("the number of weights is that of table 10:", () => {
  test.each<[string, number, MemoryNetworkOptions]>([
    ["1, 4 blocks of size 1", 264, reberNetwork(4, 1)],
    ["1, 3 blocks of size 2", 276, reberNetwork(3, 2)],
    ...[50, 100, 200, 500, 1000].map(
      (p) => [`2c, p = ${p}`, 6 * p + 64, triggeredNetwork(p)] as [string, number, MemoryNetworkOptions],
    ),
    ["3", 102, TWO_CLASSES_NETWORK],
    ["4", 93, ADDING_NETWORK],
    ["5", 93, MULTIPLYING_NETWORK],
    ["6a", 156, orderNetwork(2)],
    ["6b", 308, orderNetwork(3)],
    ["the delayed xor's, as 4", 93, XOR_NETWORK],
  ])("experiment %s: %i", (_, count, options) => {
    expect(weightsIn(memoryNetwork(options).init(randomKey(1)))).toBe(count);
  });

  test("experiments 2a and 2b: 10,504, with the memory cell", () => {
    const network = longLagNetwork(100);
    const small = network.init(randomKey(1));
    expect(weightsIn(small)).toBe(101 * 101);
    const grown = network.grow(small, randomKey(2));
    expect(weightsIn(grown)).toBe(10_504);
    expectClose(grown.direct, small.direct, TOLERANCES.exact);
  });

  test("what it is compared with: Elman's network 435; one logistic unit with p = 100, 10,404", () => {
    expect(weightsIn(elmanReberNetwork().init(randomKey(1)))).toBe(435);
    const network = logisticLagNetwork(100);
    expect(weightsIn(network.grow(network.init(randomKey(1)), randomKey(2)))).toBe(10_404);
  });
});

test("gate biases start as the paper gives them", () => {
  const biasOf = (options: MemoryNetworkOptions) =>
    Array.from(memoryNetwork(options).init(randomKey(1)).hidden.bias!.data);
  expect(biasOf(reberNetwork(4, 1)).slice(4)).toEqual([-1, -2, -3, -4]);
  expect(biasOf(reberNetwork(3, 2)).slice(3)).toEqual([-1, -2, -3]);
  expect(biasOf(TWO_CLASSES_NETWORK).filter((_, k) => k < 3 || k > 5)).toEqual([-1, -3, -5, -2, -4, -6]);
  expect(biasOf(ADDING_NETWORK).slice(0, 2)).toEqual([-3, -6]);
  expect(biasOf(orderNetwork(3)).slice(0, 3)).toEqual([-2, -4, -6]);
  const random = [...biasOf(MULTIPLYING_NETWORK), ...biasOf(ADDING_NETWORK).slice(2)];
  expect(Math.max(...random.map(Math.abs))).toBeLessThan(0.1);
});

// ---------------------------------------------------------------------------------------------------------- learning

const STEPS = 7;
const small = (answers: "each" | "last", exact = false) =>
  memoryNetwork(
    { inputSize: 3, blocks: 2, blockSize: 2, initialRange: 0.8, outputSize: 2, outputBias: true, answers },
    exact,
  );
const startOf = <P extends TensorTree>(network: Network<P>): P =>
  mapTensors((weights) => numbers(5, weights.shape), network.init(randomKey(1)));
const xs = numbers(1, [STEPS, 1, 3]);

/** E = ½ Σ (target - o)² as a problem of `learn`; with a target at the end alone, weighted by the step. */
function problemOf<P extends TensorTree>(network: Network<P>): SequenceProblem<P, TensorTree, Batch> {
  return {
    initialCarry: () => mapTensors((leaf) => numbers(0, leaf.shape, "float64"), network.initialCarry()),
    loss: (params, before, { x, targets, weights }) => {
      const { answers, carry } = network.apply(params, x, before);
      const errors = multiply(square(subtract(targets, expandDims(answers, 1))), weights);
      return { loss: { total: multiply(sum(errors), 0.5), count: fill([], 0, "float64") }, carry };
    },
  };
}
type Batch = { readonly x: Tensor; readonly targets: Tensor; readonly weights: Tensor };

/** The gradient that a method finds for one sequence. */
function gradientOf<P extends TensorTree>(method: LearningMethod, network: Network<P>, params: P, batch: Batch): P {
  const rest = mapTensors((leaf) => multiply(numbers(0, leaf.shape), 0), network.initialCarry());
  const problem = { ...problemOf(network), initialCarry: () => rest };
  return method.step(problem, params, method.init(problem, batch, params), batch, randomKey(0)).gradient;
}

const zerosBut = (last: boolean): Tensor =>
  tensor(
    Float64Array.from({ length: STEPS }, (_, t) => Number(!last || t === STEPS - 1)),
    { shape: [STEPS, 1, 1] },
  );

describe.each(["each", "last"] as const)("an update after a sequence with answers at %s step", (answers) => {
  const targets = numbers(2, [answers === "each" ? STEPS : 1, 2]);
  const all: Batch = {
    x: xs,
    targets:
      answers === "each"
        ? expandDims(targets, 1)
        : expandDims(concatenate(new Array<Tensor>(STEPS).fill(targets), 0), 1),
    weights: zerosBut(answers === "last"),
  };

  test.each([
    ["the truncated gradient of 1997", false, truncatedGradient1997()],
    ["the exact gradient, if that is asked for", true, rtrl()],
    ["the exact gradient, if that is asked for", true, bptt()],
  ])("goes against %s", (_, exact, method) => {
    const network = small(answers, exact);
    const params = startOf(network);
    const [next] = afterSequence(network, 0.5)(params, xs, targets);
    // A method needs an answer at each step, and does not itself truncate here.
    const gradient = gradientOf(method, small("each", true), params, all);
    expectClose(
      next,
      mapTensors((w, g) => subtract(w, multiply(g, 0.5)), params, gradient),
      TOLERANCES.float64,
    );
  });
});
