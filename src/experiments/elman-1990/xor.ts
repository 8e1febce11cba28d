/** Elman 1990: exclusive or, in time. */

import { cast, randomKey, reshape, slice, splitKey } from "../../ops/index.js";
import { temporalXor } from "../data/temporal-xor.js";
import type { Experiment } from "../experiment.js";
import { elmanNet } from "./net.js";

const TRIPLES = 1000;
const PASSES = 600;
/** The last passes, over which the errors are averaged. */
const MEASURED = 10;

/** Every third bit of a stream is told by the two before it. A network of 1 input, 2 hidden units and 1 output learns which. */
export const elmanXor: Experiment = {
  id: "elman-1990/xor",
  title: "Exclusive or in time",
  source: {
    authors: "Elman",
    year: 1990,
    title: "Finding structure in time",
    where: "the section on exclusive or",
    link: "doi:10.1207/s15516709cog1402_1",
  },
  notes:
    "The paper shows the errors in a figure, without numbers; a bit that nobody can tell costs .25 at least. The network does not know " +
    "which third of the bits it can tell: if it answers 2/3 or 1/3 by the rule everywhere, the errors are .111 and .278. Learning rate .1.",
  figures: {
    predictable: { name: "squared error at the third bit", derived: 1 / 9, aim: { below: 0.2 } },
    random: { name: "squared error at the two random bits", derived: 5 / 18 },
  },
  error: "squared error, averaged over a pass",
  cells: ["elman"],
  async *run({ seed, effort }) {
    const [dataKey, netKey] = splitKey(randomKey(seed));
    const bits = cast(reshape(temporalXor(dataKey, TRIPLES), [3 * TRIPLES, 1, 1]), "float32");
    const [xs, targets] = [slice(bits, 0, 0, -1), slice(bits, 0, 1)];
    const net = elmanNet({ inputSize: 1, hiddenSize: 2, outputSize: 1, learningRate: 0.1 });

    const passes = Math.ceil(effort * PASSES);
    const sums = { predictable: 0, random: 0, bits: 0 };
    let state = net.init(netKey);
    for (let pass = 1; pass <= passes; pass++) {
      const [next, errors] = net.pass(state, xs, targets);
      state = next;
      const [a, b, c] = byPlace(errors.data);
      yield { done: pass / passes, error: (a + b + c) / 3 };
      if (pass <= passes - MEASURED) continue;
      sums.predictable += c;
      sums.random += (a + b) / 2;
      sums.bits += 1;
    }
    return { predictable: sums.predictable / sums.bits, random: sums.random / sums.bits };
  },
};

/** Mean error at each place of a triple; the first bit of the stream is not predicted. */
function byPlace(errors: ArrayLike<number>): readonly [a: number, b: number, c: number] {
  const [sums, counts] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let k = 0; k < errors.length; k++) {
    sums[(k + 1) % 3]! += errors[k]!;
    counts[(k + 1) % 3]! += 1;
  }
  return sums.map((sum, place) => sum / counts[place]!) as [number, number, number];
}
