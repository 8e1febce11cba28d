/** The networks of 1997: their sizes, and that they learn by the rule of the paper. */

import { describe, expect, test } from "vitest";
import { expectClose, f64, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { type LearningMethod, rtrl, type SequenceProblem, truncatedGradient1997 } from "../../learn/index.js";
import type { LSTM1997State } from "../../nn/index.js";
import {
  add,
  broadcastTo,
  expandDims,
  fill,
  log,
  multiply,
  negate,
  oneHot,
  randomKey,
  slice,
  square,
  subtract,
  sum,
} from "../../ops/index.js";
import { mapTensors, sizeOf, type Tensor, type TensorTree, tensor, tensorsByPath } from "../../tensor/index.js";
import { grad } from "../../transforms/index.js";
import { XOR_NETWORK } from "./delayed-xor.js";
import { crossEntropy, squaredError, tolerant } from "./errors.js";
import { elmanReberNetwork, reberNetwork } from "./experiment-1.js";
import { closedGateNetwork, logisticLagNetwork, longLagNetwork } from "./experiment-2.js";
import { triggeredNetwork } from "./experiment-2c.js";
import { TWO_CLASSES_NETWORK } from "./experiment-3.js";
import { ADDING_NETWORK, MULTIPLYING_NETWORK } from "./experiment-4-5.js";
import { orderNetwork } from "./experiment-6.js";
import { guesser } from "./guesser.js";
import { learner } from "./learner.js";
import { type MemoryNetworkOptions, memoryNetwork } from "./memory-network.js";
import type { Network } from "./network.js";
import { randomSource } from "./random-source.js";
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
    ["2c, without the 36 recurrent ones", 6 * 50 + 28, triggeredNetwork(50, false)],
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

  test("with a gate that starts closed, the same; its weights are 3 lower", () => {
    const [open, closed] = [longLagNetwork(100), closedGateNetwork(100, "each")];
    const grown = (network: typeof open) => network.grow(network.init(randomKey(1)), randomKey(2));
    expect(weightsIn(grown(closed))).toBe(10_504);
    const [gate, cell] = [0, 1].map((unit) =>
      subtract(
        slice(grown(open).rest!.hidden.weightIh, 0, unit, unit + 1),
        slice(grown(closed).rest!.hidden.weightIh, 0, unit, unit + 1),
      ),
    );
    expectClose(gate!, fill([1, 101], 3), TOLERANCES.float32);
    expectClose(cell!, fill([1, 101], 0), TOLERANCES.exact);
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

test("a network that answers at the end gives the last of the answers at each step, with a hidden layer and without", () => {
  const [each, last] = [closedGateNetwork(4, "each"), closedGateNetwork(4, "last")];
  const symbols = expandDims(oneHot(tensor(Int32Array.of(4, 0, 2, 1)), 5), 1);
  const small = each.init(randomKey(1));
  for (const params of [small, each.grow(small, randomKey(2))]) {
    const { answers } = each.apply(params, symbols);
    expect(answers.shape).toEqual([4, 5]);
    expectClose(last.apply(params, symbols).answers, slice(answers, 0, 3), TOLERANCES.exact);
  }
});

test("outputs are logistic, or linear: o = σ(V y + c), o = V y + c", () => {
  const shown = numbers(1, [6, 1, 2]);
  const params = mapTensors((weights) => numbers(5, weights.shape), memoryNetwork(ADDING_NETWORK).init(randomKey(1)));
  const linear = memoryNetwork({ ...ADDING_NETWORK, output: "identity" }).apply(params, shown).answers;
  const y = (memoryNetwork(ADDING_NETWORK).apply(params, shown).carry as LSTM1997State).u.data;
  // Units: two input gates, four cells, two output gates.
  const net =
    params.bias!.data[0]! +
    Array.from(params.weight.data, (v, k) => v * y[2 + k]!).reduce((total, term) => total + term, 0);
  expectClose(linear, f64([net], [1, 1]), TOLERANCES.float64);
  const logistic = memoryNetwork(ADDING_NETWORK).apply(params, shown).answers;
  expectClose(logistic, f64([1 / (1 + Math.exp(-net))], [1, 1]), TOLERANCES.float64);
});

// ---------------------------------------------------------------------------------------------------------- learning

const STEPS = 6;
const RATE = 0.5;
const small = (answers: "each" | "last", exact = false) =>
  memoryNetwork(
    { inputSize: 3, blocks: 2, blockSize: 2, initialRange: 0.8, outputSize: 2, outputBias: true, answers },
    exact,
  );
const startOf = <P extends TensorTree>(network: Network<P>): P =>
  mapTensors((weights) => numbers(5, weights.shape), network.init(randomKey(1)));
const xs = numbers(1, [STEPS, 1, 3]);

/** Steps of one sequence, and how much the error at each counts. */
type Steps = { readonly x: Tensor; readonly target: Tensor; readonly weight: Tensor };

/** Gradient of ½ Σ_t weight_t (target_t - o_t)², by a method of `learn`. */
function gradientOf<P extends TensorTree>(method: LearningMethod, network: Network<P>, params: P, steps: Steps): P {
  const problem: SequenceProblem<P, TensorTree, Steps> = {
    initialCarry: () => network.initialCarry("float64"),
    loss: (point, before, { x, target, weight }) => {
      const { answers, carry } = network.apply(point, x, before);
      const squared = multiply(square(subtract(target, expandDims(answers, 1))), weight);
      return { loss: { total: multiply(sum(squared), 0.5), count: fill([], 1 / STEPS, "float64") }, carry };
    },
  };
  return method.step(problem, params, method.init(problem, steps, params), steps, randomKey(0)).gradient;
}

const stepped = <P extends TensorTree>(params: P, gradient: P): P =>
  mapTensors((w, g) => subtract(w, multiply(g, RATE)), params, gradient);

describe.each(["each", "last"] as const)("an update after a sequence, with an answer at %s step,", (answers) => {
  const targets = numbers(2, [answers === "each" ? STEPS : 1, 2]);
  const steps: Steps = {
    x: xs,
    target: broadcastTo(expandDims(targets, 1), [STEPS, 1, 2]),
    weight: f64(
      Array.from({ length: STEPS }, (_, t) => Number(answers === "each" || t === STEPS - 1)),
      [STEPS, 1, 1],
    ),
  };

  test.each([
    ["goes against the truncated gradient of 1997", false, truncatedGradient1997()],
    ["goes against the exact gradient, if that is asked for", true, rtrl()],
  ])("%s", (_, exact, method) => {
    const network = small(answers, exact);
    const params = startOf(network);
    const [next, given] = afterSequence(network, RATE)(params, xs, targets);
    // The method sees a network that answers at each step, and whose own derivatives are exact.
    expectClose(next, stepped(params, gradientOf(method, small("each", true), params, steps)), TOLERANCES.float64);
    expectClose(given, network.apply(params, xs).answers, TOLERANCES.float64);
  });

  test("differs between the two", () => {
    const params = startOf(small(answers));
    const [truncated] = afterSequence(small(answers), RATE)(params, xs, targets);
    const [exact] = afterSequence(small(answers, true), RATE)(params, xs, targets);
    expect(() => expectClose(truncated, exact, 1e-6)).toThrow();
  });
});

test("updates after each step are those of one-step windows, the carry and the past handed on", () => {
  const network = small("each");
  const targets = numbers(2, [2, 2]);
  const two = slice(xs, 0, 0, 2);
  const [next] = afterEachStep(network, RATE, truncatedGradient1997())(startOf(network), two, targets);

  // By hand: the first step alone; then the second with new weights, but the memory of what the old ones did, (1):
  //   θ' = θ - α ∂E_1(θ)/∂θ,   θ'' = θ' - α (∂E_2/∂θ with c_1 and its derivatives from θ)
  const params = startOf(network);
  const [first] = afterSequence(network, RATE)(params, slice(xs, 0, 0, 1), slice(targets, 0, 0, 1));
  const afterOne = network.apply(params, slice(xs, 0, 0, 1)).carry as { readonly c: Tensor; readonly u: Tensor };
  const errorAtTwo = (point: typeof params) => {
    const shifted = mapTensors((now, old, then) => add(old, subtract(now, then)), point, params, first);
    const { c } = network.apply(shifted, slice(xs, 0, 0, 1)).carry as { readonly c: Tensor };
    const { answers } = network.apply(point, slice(xs, 0, 1, 2), { c, u: afterOne.u });
    return multiply(sum(square(subtract(slice(targets, 0, 1, 2), answers))), 0.5);
  };
  expectClose(next, stepped(first, grad(errorAtTwo)(first)), TOLERANCES.float64);
});

test("the cross-entropy is that of the answers, after a sequence and after each step", () => {
  const network = small("each", true);
  const params = startOf(network);
  const targets = multiply(add(numbers(2, [STEPS, 2]), 1), 0.5);
  /** E = -Σ target log o + (1 - target) log(1 - o) */
  const written = (point: typeof params, steps: number) => {
    const { answers } = network.apply(point, slice(xs, 0, 0, steps));
    const wanted = slice(targets, 0, 0, steps);
    const terms = add(multiply(wanted, log(answers)), multiply(subtract(1, wanted), log(subtract(1, answers))));
    return negate(sum(terms));
  };
  const descended = (steps: number) => stepped(params, grad((point: typeof params) => written(point, steps))(params));
  const [next] = afterSequence(network, RATE, crossEntropy)(params, xs, targets);
  expectClose(next, descended(STEPS), TOLERANCES.float64);
  const one = [slice(xs, 0, 0, 1), slice(targets, 0, 0, 1)] as const;
  const [first] = afterEachStep(network, RATE, rtrl(), crossEntropy)(params, ...one);
  expectClose(first, descended(1), TOLERANCES.float64);
});

test("an output near its target has no error where that is tolerated, the others have their own", () => {
  const network = small("each", true);
  const params = startOf(network);
  const { answers } = network.apply(params, xs);
  const near = Array.from(answers.data, (_, k) => k % 3 === 0);
  const targets = f64(
    Array.from(answers.data, (answer, k) => answer + (near[k] ? 0.24 : 0.26) * (k % 2 ? 1 : -1)),
    answers.shape,
  );
  const counted = f64(near.map(Number), answers.shape);
  for (const error of [squaredError, crossEntropy]) {
    const [next] = afterSequence(network, RATE, tolerant(error, 0.25))(params, xs, targets);
    // A target that is the answer asks for nothing.
    const moved = add(multiply(counted, answers), multiply(subtract(1, counted), targets));
    const [wanted] = afterSequence(network, RATE, error)(params, xs, moved);
    expectClose(next, wanted, TOLERANCES.float64);
    const [intolerant] = afterSequence(network, RATE, error)(params, xs, targets);
    expect(() => expectClose(next, intolerant, 1e-3)).toThrow();
  }
});

describe("a learner", () => {
  const sequences = [4, 6, 4].map((length, k) => ({
    inputs: Int32Array.from({ length }, (_, t) => (t + k) % 3),
    targets: Int32Array.of(k % 2),
  }));

  test("answers, then learns, from sequences of any length, symbols being shown as one-hot rows", () => {
    const network = small("last");
    const start = network.init(randomKey(1));
    const trained = learner(network, start, afterSequence(network, RATE));
    let params = start;
    for (const { inputs, targets } of sequences) {
      const shown = expandDims(oneHot(tensor(inputs), 3), 1);
      const [next, answers] = afterSequence(network, RATE)(params, shown, oneHot(tensor(targets), 2));
      expect(Array.from(trained.answer({ inputs, targets }))).toEqual(Array.from(trained.learn({ inputs, targets })));
      expectClose(
        tensor(Float32Array.from(trained.answer({ inputs, targets }))),
        flatten(network.apply(next, shown).answers),
        TOLERANCES.float32,
      );
      expect(answers.shape).toEqual([1, 2]);
      params = next;
    }
    expectClose(trained.params, params, TOLERANCES.float32);
    expectClose(start, network.init(randomKey(1)), TOLERANCES.exact);
  });

  test("that guesses keeps its weights after a correct answer, and draws new ones within the range after a wrong one", () => {
    const network = small("last");
    const guess = (tolerance: number) => guesser(network, { random: randomSource(1, 0), range: 3, tolerance });
    const [strict, patient] = [guess(0), guess(1)];
    const before = mapTensors((weights) => tensor(weights.data.slice(), { shape: weights.shape }), strict.params);
    expectClose(patient.params, before, TOLERANCES.exact);
    for (const one of [strict, patient]) one.learn(sequences[0]!);
    expectClose(patient.params, before, TOLERANCES.exact);
    expect(() => expectClose(strict.params, before, 0.1)).toThrow();
    const largest = Math.max(...tensorsByPath(strict.params).flatMap(([, { data }]) => Array.from(data, Math.abs)));
    expect([largest > 2.5, largest < 3]).toEqual([true, true]);
  });
});

const flatten = (x: Tensor): Tensor => tensor(x.data.slice());
