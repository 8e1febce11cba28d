/** Long short-term memory as first published: memory cell blocks, no forget gate. */

import { OptionError, requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import {
  add,
  concatenate,
  expandDims,
  multiply,
  reshape,
  sigmoid,
  slice,
  splitKey,
  stopGradient,
  tanh,
  zeros,
} from "../../ops/index.js";
import { type FloatDType, type Tensor, tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { uniformInit } from "../init.js";
import { linear } from "../linear.js";
import { requireChoice } from "./require-choice.js";

/**
 * `weightIh [units, inputSize]`, `weightHh [units, units]`, `bias [units]`, or of the gates alone. The units: input gates `[blocks]`,
 * cells `[blocks*blockSize]`, block after block, output gates `[blocks]`
 */
export type LSTM1997Params = { readonly weightIh: Tensor; readonly weightHh?: Tensor; readonly bias?: Tensor };

/** `c [batch, blocks*blockSize]`, the states of the cells; `u [batch, units]`, the outputs of all gates and cells */
export type LSTM1997State = { readonly c: Tensor; readonly u: Tensor };

/** Sizes of the cell, and what differs between the experiments of the source. */
export interface LSTM1997Options {
  readonly inputSize: number;
  /** Memory cell blocks. The cells of a block share its gates: with one block, the whole layer has one of each. */
  readonly blocks: number;
  /** Memory cells in a block. @default 1 */
  readonly blockSize?: number;
  /** g: "symmetric" 4σ - 2, in (-2, 2), or "logistic" σ, in (0, 1). @default symmetric */
  readonly cellInput?: "symmetric" | "logistic";
  /** h: "symmetric" 2σ - 1, in (-1, 1), or "identity". @default symmetric */
  readonly cellOutput?: "symmetric" | "identity";
  /** Whether blocks have output gates; without, o = 1. @default true */
  readonly outputGates?: boolean;
  /** Whether gates and cells see the outputs of all gates and cells at the step before. @default true */
  readonly recurrentWeights?: boolean;
  /** The units that have a bias. @default all */
  readonly bias?: "none" | "gates" | "all";
  /** Starting biases of the input gates, one for each block. @default random, as the weights */
  readonly inputGateBias?: readonly number[];
  /** Starting biases of the output gates, one for each block. @default random, as the weights */
  readonly outputGateBias?: readonly number[];
  /** Weights start uniform in ±initialRange; above 0. @default 0.1 */
  readonly initialRange?: number;
  /** Whether errors stop at what gates and cells see of the step before, so that they go back in time through c alone. @default false */
  readonly truncateGradient?: boolean;
}

const DEFAULTS = {
  blockSize: 1,
  cellInput: "symmetric",
  cellOutput: "symmetric",
  outputGates: true,
  recurrentWeights: true,
  bias: "all",
  initialRange: 0.1,
  truncateGradient: false,
} as const;

const OPTION_NAMES = [
  ...["inputSize", "blocks", "blockSize", "cellInput", "cellOutput", "outputGates", "recurrentWeights", "bias"],
  ...["inputGateBias", "outputGateBias", "initialRange", "truncateGradient"],
];

/**
 * Long short-term memory of 1997, one time step. Each memory cell is a unit with a fixed connection to itself of weight 1; each
 * block of cells has a gate for what enters and one for what leaves. σ logistic, ⊙ elementwise, i and o the same for all cells of
 * a block; W, U, b: unit blocks of the parameters, u: the outputs of all units, (i y o).
 *
 *   i = σ(Wi x + Ui u + bi)      g = 4σ(Wg x + Ug u + bg) - 2      o = σ(Wo x + Uo u + bo)
 *   c' = c + i ⊙ g               y = o ⊙ (2σ(c') - 1)              u' = (i y o)
 *
 * With `truncateGradient`, the derivative for u is taken as 0: the truncated gradient of the source, which reaches back in time
 * only through ∂c'/∂c = 1. Without, it is the exact gradient. Starts: weights and biases uniform in ±initialRange.
 * @throws OptionError if a size is not a whole number of at least 1, a list of biases has not one number for each block, or an
 *   option is unknown or without effect
 * @see Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735, appendix A.1 and table 10
 * @example const cell = lstm1997({ inputSize: 8, blocks: 2, blockSize: 2, inputGateBias: [-2, -4] });
 */
export function lstm1997(options: LSTM1997Options): Cell<LSTM1997Params, LSTM1997State> {
  requireOptions(options);
  const { inputSize, blocks, blockSize, outputGates, recurrentWeights, ...rest } = { ...DEFAULTS, ...options };
  const cells = blocks * blockSize;
  const units = (outputGates ? 2 : 1) * blocks + cells;
  const draw = uniformInit(rest.initialRange);

  const initBias = (key: Tensor, dtype: FloatDType): Tensor => {
    const random = draw(key, [units], dtype);
    const gates = (from: number, given?: readonly number[]) =>
      given === undefined ? slice(random, 0, from, from + blocks) : tensor(given, { dtype });
    return concatenate([
      gates(0, rest.inputGateBias),
      ...(rest.bias === "all" ? [slice(random, 0, blocks, blocks + cells)] : []),
      ...(outputGates ? [gates(blocks + cells, rest.outputGateBias)] : []),
    ]);
  };
  /** The bias of every unit. */
  const wholeBias = (bias: Tensor | undefined): Tensor | undefined =>
    bias === undefined || rest.bias === "all"
      ? bias
      : concatenate([slice(bias, 0, 0, blocks), zeros([cells], bias.dtype), slice(bias, 0, blocks)]);

  /** `[batch, blocks]` times `[batch, cells]`: a gate times each cell of its block. */
  const gated = (gate: Tensor, x: Tensor): Tensor => {
    if (blockSize === 1) return multiply(gate, x);
    const inBlocks = reshape(x, [x.shape[0] as number, blocks, blockSize]);
    return reshape(multiply(expandDims(gate, -1), inBlocks), x.shape);
  };
  // 4σ(x) - 2 = 2 tanh(x/2), which loses no digits around 0.
  const squash = (x: Tensor): Tensor => tanh(multiply(x, 0.5));

  return {
    inputSize,
    outputSize: cells,
    init: (key, dtype = "float32") => {
      const [keyIh, keyHh, keyBias] = splitKey(key, 3);
      return {
        weightIh: draw(keyIh, [units, inputSize], dtype),
        ...(recurrentWeights && { weightHh: draw(keyHh, [units, units], dtype) }),
        ...(rest.bias !== "none" && { bias: initBias(keyBias, dtype) }),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({
      c: zeros([batchSize, cells], dtype),
      u: zeros([batchSize, units], dtype),
    }),
    step: ({ weightIh, weightHh, bias }, { c, u }, x) => {
      const fromInput = linear(x, weightIh, wholeBias(bias));
      const seen = rest.truncateGradient ? stopGradient(u) : u;
      const net = weightHh === undefined ? fromInput : add(fromInput, linear(seen, weightHh));
      const i = sigmoid(slice(net, -1, 0, blocks));
      const netG = slice(net, -1, blocks, blocks + cells);
      const g = rest.cellInput === "symmetric" ? multiply(squash(netG), 2) : sigmoid(netG);
      const nextC = add(c, gated(i, g));
      const shown = rest.cellOutput === "symmetric" ? squash(nextC) : nextC;
      if (!outputGates) return [{ c: nextC, u: concatenate([i, shown], -1) }, shown];
      const o = sigmoid(slice(net, -1, blocks + cells));
      const y = gated(o, shown);
      return [{ c: nextC, u: concatenate([i, y, o], -1) }, y];
    },
  };
}

function requireOptions(options: LSTM1997Options): void {
  requireKnownKeys("lstm1997", options, OPTION_NAMES);
  const { inputSize, blocks, blockSize, ...rest } = { ...DEFAULTS, ...options };
  requireInteger("lstm1997", "inputSize", inputSize, 1);
  requireInteger("lstm1997", "blocks", blocks, 1);
  requireInteger("lstm1997", "blockSize", blockSize, 1);
  requireNumber("lstm1997", "initialRange", rest.initialRange, { above: 0 });
  requireChoice("lstm1997", "cellInput", rest.cellInput, ["symmetric", "logistic"]);
  requireChoice("lstm1997", "cellOutput", rest.cellOutput, ["symmetric", "identity"]);
  requireChoice("lstm1997", "bias", rest.bias, ["none", "gates", "all"]);
  for (const name of ["inputGateBias", "outputGateBias"] as const) {
    const values = options[name];
    if (values === undefined) continue;
    if (rest.bias === "none") throw withoutEffect(name, 'bias is "none"');
    if (values.length !== blocks) {
      throw new OptionError(
        `lstm1997: ${name} must hold one number for each of ${blocks} blocks, but holds ${values.length}`,
      );
    }
    for (const [index, value] of values.entries()) requireNumber("lstm1997", `${name}[${index}]`, value);
  }
  if (options.outputGateBias !== undefined && !rest.outputGates) {
    throw withoutEffect("outputGateBias", "there are no output gates");
  }
  if (rest.truncateGradient && !rest.recurrentWeights) {
    throw withoutEffect("truncateGradient", "there are no recurrent weights");
  }
}

const withoutEffect = (name: string, reason: string): OptionError =>
  new OptionError(`lstm1997: ${name} has no effect, as ${reason}; leave it out`);
