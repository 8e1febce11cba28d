import { describe, expect, test } from "vitest";
import { runLearningMethodCases } from "../../../test/contracts/learning-method.cases.js";
import { toyParams, toyProblem, toyWindow } from "../../../test/toy-problem.js";
import { foldIn, randomKey } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { HostTensor, mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";
import { bptt, uoro } from "../index.js";

runLearningMethodCases({ name: "uoro", make: uoro, exact: false });

describe("uoro", () => {
  test("is unbiased: the mean of 100,000 draws is the gradient, within 3 standard errors", () => {
    const [sequences, rounds] = [500, 200];
    const problem = toyProblem();
    const params = toyParams("float32");
    /** One short sequence, many times: each copy has signs of its own. */
    const one = toyWindow(2, 6, "float32");
    const copies = mapTensors((leaf) => repeatFirst(leaf, sequences), one);
    const gradient = compile((at: typeof params, state: TensorTree, key: Tensor) => {
      const { gradient: drawn } = uoro().step(problem, at, state, copies, key);
      return drawn;
    });
    const state = uoro().init(problem, copies, params);
    const means = Array.from({ length: rounds }, (_, round) =>
      tensorsByPath(gradient(params, state, foldIn(randomKey(1), round))).flatMap(([, { data }]) => Array.from(data)),
    );
    const exact = bptt().step(
      problem,
      params,
      [],
      mapTensors((leaf) => repeatFirst(leaf, 1), one),
      randomKey(0),
    );
    const expected = tensorsByPath(exact.gradient).flatMap(([, { data }]) => Array.from(data));
    const scores = expected.map((value, k) => {
      const draws = means.map((mean) => mean[k] as number);
      const mean = draws.reduce((sum, draw) => sum + draw, 0) / rounds;
      const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / (rounds - 1);
      return (mean - value) / Math.sqrt(variance / rounds + 1e-12);
    });
    // Of so many numbers, some are beyond 3 by chance: 1 in 370.
    expect(scores.filter((score) => Math.abs(score) > 3).length).toBeLessThanOrEqual(1);
    expect(Math.hypot(...scores) / Math.sqrt(scores.length)).toBeLessThan(1.4);
    // The draws do differ: this is no exact gradient in disguise.
    expect(new Set(means.map((mean) => mean[0])).size).toBe(rounds);
  });

  test("draws other signs for another key, and the same for the same", () => {
    const [problem, batch] = [toyProblem(), toyWindow(0, 4)];
    const step = (seed: number) =>
      uoro().step(problem, toyParams(), uoro().init(problem, batch, toyParams()), batch, randomKey(seed)).gradient;
    expect(step(1)).toEqual(step(1));
    expect(step(1)).not.toEqual(step(2));
  });
});

/** The first sequence of `[time, batch, ...]`, `count` times. */
function repeatFirst(leaf: Tensor, count: number): HostTensor {
  const [time, batch, ...rest] = leaf.shape as [number, number, ...number[]];
  const size = rest.reduce((product, length) => product * length, 1);
  const data = (leaf.data as Float32Array).constructor as new (length: number) => Float32Array;
  const out = new data(time * count * size);
  for (let step = 0; step < time; step++) {
    const row = leaf.data.subarray(step * batch * size, step * batch * size + size);
    for (let copy = 0; copy < count; copy++) out.set(row as Float32Array, (step * count + copy) * size);
  }
  return new HostTensor({ dtype: leaf.dtype, shape: [time, count, ...rest] }, out);
}
