/** The networks of 1997: a hidden layer that runs over time, and outputs that are logistic, as a rule. */

import { type Cell, linear, recurrent, uniformInit } from "../../nn/index.js";
import { add, foldIn, sigmoid, slice, splitKey, squeeze } from "../../ops/index.js";
import type { FloatDType, Tensor, TensorTree } from "../../tensor/index.js";

/** A network from one sequence to its answers. */
export interface Network<Params extends TensorTree = TensorTree> {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Whether there is an answer after each step, or after the last one alone. */
  readonly answers: "each" | "last";
  init(key: Tensor): Params;
  /** Units at rest. */
  initialCarry(dtype?: FloatDType): TensorTree;
  /** `[time, 1, inputSize]` to answers `[answers, outputSize]`, and the carry after the last step. @param carry default: units at rest */
  apply(params: Params, xs: Tensor, carry?: TensorTree): Answered;
}

/** What a network answers, the net inputs of its outputs, and its carry afterwards. */
export type Answered = { readonly answers: Tensor; readonly nets: Tensor; readonly carry: TensorTree };

/** Size and starting values of the output layer, and what it sees. */
export interface ReadoutOptions {
  readonly outputSize: number;
  readonly answers: "each" | "last";
  /** Weights start uniform in ±initialRange, biases too. */
  readonly initialRange: number;
  /** Whether outputs have biases. @default false */
  readonly outputBias?: boolean;
  /** φ: what is applied to the outputs. @default logistic */
  readonly output?: keyof typeof OUTPUTS;
}

const OUTPUTS = { logistic: sigmoid, identity: (net: Tensor) => net } as const;

/** `weight [outputSize, hidden units]`, `bias [outputSize]` */
export type ReadoutParams<Hidden extends TensorTree> = {
  readonly hidden: Hidden;
  readonly weight: Tensor;
  readonly bias?: Tensor;
};

/** o = φ(V y + c), where y are the outputs of the cell. */
export function networkOf<Hidden extends TensorTree, Carry extends TensorTree>(
  cell: Cell<Hidden, Carry>,
  { outputSize, answers, initialRange, outputBias = false, output = "logistic" }: ReadoutOptions,
): Network<ReadoutParams<Hidden>> {
  const layer = recurrent(cell);
  const draw = uniformInit(initialRange);
  const squash = OUTPUTS[output];
  return {
    inputSize: cell.inputSize,
    outputSize,
    answers,
    init: (key) => {
      const [hiddenKey, weightKey, biasKey] = splitKey(key, 3) as [Tensor, Tensor, Tensor];
      return {
        hidden: cell.init(hiddenKey),
        weight: draw(weightKey, [outputSize, cell.outputSize]),
        ...(outputBias && { bias: draw(biasKey, [outputSize]) }),
      };
    },
    initialCarry: (dtype) => cell.initialCarry(1, dtype),
    apply: ({ hidden, weight, bias }, xs, start = cell.initialCarry(1, xs.dtype as FloatDType)) => {
      const options = { carry: start as Carry };
      const answered = (outputs: Tensor, carry: Carry): Answered => {
        const nets = linear(outputs, weight, bias);
        return { answers: squash(nets), nets, carry };
      };
      if (answers === "last") {
        const { outputs, carry } = layer.apply(hidden, xs, { ...options, return: "last" });
        return answered(outputs, carry);
      }
      const { outputs, carry } = layer.apply(hidden, xs, options);
      return answered(squeeze(outputs, 1), carry);
    },
  };
}

/** `direct [outputSize, inputSize]`, and the rest of the network if it is there. */
export type SkippingParams<Hidden extends TensorTree> = {
  readonly direct: Tensor;
  readonly rest?: ReadoutParams<Hidden>;
};

/**
 * Outputs that see the inputs as well:  o_t = σ(D x_t + V y_t). The hidden layer is there only from the time on at which
 * it is added.
 */
export interface SkippingNetwork<Hidden extends TensorTree> extends Network<SkippingParams<Hidden>> {
  /** Parameters with a new hidden layer, and what is there already. */
  grow(params: SkippingParams<Hidden>, key: Tensor): SkippingParams<Hidden>;
}

/** A network whose output layer sees inputs and hidden units; starts without hidden units. */
export function skippingNetwork<Hidden extends TensorTree, Carry extends TensorTree>(
  cell: Cell<Hidden, Carry>,
  options: Pick<ReadoutOptions, "outputSize" | "initialRange" | "answers">,
): SkippingNetwork<Hidden> {
  const { outputSize, initialRange, answers } = options;
  const layer = recurrent(cell);
  const draw = uniformInit(initialRange);
  /** `[time, 1, size]` to `[answers, size]` */
  const answered = (values: Tensor) =>
    squeeze(answers === "last" ? slice(values, 0, (values.shape[0] as number) - 1) : values, 1);
  return {
    inputSize: cell.inputSize,
    outputSize,
    answers,
    init: (key) => ({ direct: draw(key, [outputSize, cell.inputSize]) }),
    grow: ({ direct }, key) => {
      const hidden = cell.init(foldIn(key, 0));
      return { direct, rest: { hidden, weight: draw(foldIn(key, 1), [outputSize, cell.outputSize]) } };
    },
    initialCarry: (dtype) => cell.initialCarry(1, dtype),
    apply: ({ direct, rest }, xs, start = cell.initialCarry(1, xs.dtype as FloatDType)) => {
      const fromInputs = linear(answered(xs), direct);
      if (rest === undefined) return { answers: sigmoid(fromInputs), nets: fromInputs, carry: start };
      const { outputs, carry } = layer.apply(rest.hidden, xs, { carry: start as Carry });
      const nets = add(fromInputs, linear(answered(outputs), rest.weight));
      return { answers: sigmoid(nets), nets, carry };
    },
  };
}
