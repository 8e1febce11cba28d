/** Learning from one sequence after the other, each in one call into the kernels. */

import { expandDims, oneHot } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { copyTensors, type Tensor, type TensorTree, tensor } from "../../tensor/index.js";
import type { Network } from "./network.js";
import type { Sequence } from "./sequence.js";
import type { Update } from "./updates.js";

/** A network that learns from one sequence after the other. */
export interface Learner<Params extends TensorTree = TensorTree> {
  /** The parameters now; learning changes what they hold. */
  readonly params: Params;
  /** The answers to a sequence, `[answers * outputSize]`; the next call overwrites them. */
  answer(sequence: Sequence): ArrayLike<number>;
  /** The same, and then learns from it. */
  learn(sequence: Sequence): ArrayLike<number>;
}

/**
 * Shows sequences to a network, which starts each with its units at rest, one call into the kernels for each. A Plan is made for each
 * length that comes: nothing is padded.
 */
export function learner<Params extends TensorTree>(
  { inputSize, outputSize, apply }: Network<Params>,
  start: Params,
  update: Update<Params>,
): Learner<Params> {
  const params = copyTensors(start);
  const shown = (inputs: Tensor) => expandDims(asNumbers(inputs, inputSize), 1);
  const answer = compile((weights: Params, inputs: Tensor) => apply(weights, shown(inputs)).answers);
  const learn = compile(
    (weights: Params, inputs: Tensor, targets: Tensor) =>
      update(weights, shown(inputs), asNumbers(targets, outputSize)),
    { donate: [0] },
  );
  const bound = new Map<number, Bound>();
  const boundFor = ({ inputs, targets }: Sequence): Bound => {
    const found = bound.get(inputs.length);
    if (found) return found;
    const [shown, wanted] = [tensorLike(inputs, inputSize), tensorLike(targets, outputSize)];
    const [answering, learning] = [answer.bind(params, shown), learn.bind(params, shown, wanted)];
    const made = {
      inputs: shown.data,
      targets: wanted.data,
      answer: () => answering().data,
      learn: () => learning()[1].data,
    };
    bound.set(inputs.length, made);
    return made;
  };
  return {
    params,
    answer: (sequence) => {
      const call = boundFor(sequence);
      call.inputs.set(sequence.inputs);
      return call.answer();
    },
    learn: (sequence) => {
      const call = boundFor(sequence);
      call.inputs.set(sequence.inputs);
      call.targets.set(sequence.targets);
      return call.learn();
    },
  };
}

/** Calls for sequences of one length, and what they read. */
interface Bound {
  readonly inputs: Tensor["data"];
  readonly targets: Tensor["data"];
  answer(): ArrayLike<number>;
  learn(): ArrayLike<number>;
}

/** Symbols as `[time]`, numbers as `[time, size]`. */
const tensorLike = (values: Sequence["inputs"], size: number): Tensor =>
  tensor(values.slice(), { shape: values instanceof Int32Array ? [values.length] : [values.length / size, size] });

/** Symbols as one-hot rows; numbers stay. */
const asNumbers = (values: Tensor, size: number): Tensor => (values.dtype === "int32" ? oneHot(values, size) : values);
