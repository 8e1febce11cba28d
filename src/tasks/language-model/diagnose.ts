/** A language model under examination: how gradients flow through it, and what its gates do, on a piece of text. */

import { DataError, OptionError, requireInteger, requireKnownKeys } from "../../core/index.js";
import type { TokenWindow } from "../../data/index.js";
import {
  type GateSaturation,
  gateSaturation,
  gradientFlow,
  lyapunovExponent,
  spectralRadius,
} from "../../learn/index.js";
import { type CellName, cellByName, embedding, recurrent } from "../../nn/index.js";
import { abs, fill, max, slice, split } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { isFloat, sizeOf, type Tensor, type TensorTree, tensor, tensorsByPath, toNumber } from "../../tensor/index.js";
import { CELL_PARTS } from "./cell-parts.js";
import type { LanguageModel, LanguageModelCarry, LanguageModelParams } from "./model.js";

/** How much is looked at. */
export interface DiagnosisOptions {
  /**
   * Steps at the end of the text whose Jacobians are computed, at least 2. @default 32, or fewer for large models: what takes some ten seconds,
   * but at least 4, if there is memory for them
   */
  readonly steps?: number;
}

/** Middle and largest of the spans of one length that there are. */
export interface BySpan {
  /** Steps. */
  readonly span: number;
  readonly median: number;
  readonly largest: number;
}

/** What was found. Steps are counted from 0, the carry before the first step whose Jacobian was computed. */
export interface Diagnosis {
  /** Tokens that were read. */
  readonly tokens: number;
  /** Numbers of the carry of all layers. */
  readonly carrySize: number;
  /** Steps whose Jacobians were computed: the last ones. */
  readonly steps: number;
  /** ‖∂L_t/∂c_{t-span}‖: what comes back from the loss of one step, in nats. */
  readonly gradientNorms: readonly BySpan[];
  /** ‖∂c_t/∂c_{t-span}‖ */
  readonly jacobianNorms: readonly BySpan[];
  /** ‖∂c_to/∂c_from‖, entry [to][from] for from <= to. */
  readonly jacobianNormsBetween: readonly (readonly number[])[];
  /** Nats a step, over all tokens. */
  readonly lyapunovExponent: number;
  /** Of each block of recurrent weights. */
  readonly spectralRadii: readonly { readonly layer: number; readonly block: string; readonly radius: number }[];
  /** Of each gate, over all tokens; lists have a number for each unit. */
  readonly gates: readonly ({ readonly layer: number; readonly gate: string } & GateSaturation)[];
}

/** Most steps that are chosen without being asked for, and the least. */
const [MOST_STEPS, LEAST_STEPS] = [32, 4];
/** Multiplications, steps² n³, up to which more steps are chosen: some ten seconds on one core. */
const CHOSEN_WORK = 1e11;
/** Memory for Jacobians and their products, bytes; and what a step takes of it for each of its n² numbers. */
const MEMORY = 2 ** 31;
const BYTES = 24;

/**
 * Examines a model on a text, read as one sequence from its beginning. Time O(steps² n³) for n numbers of the carry, memory O(steps n²).
 * @param tokens at least 3: all but the last are read
 * @throws OptionError if an option is out of range, or Jacobians of so many steps do not fit into 2 GiB
 * @throws DataError if there are too few tokens, or not even the Jacobians of two steps would fit
 */
export function diagnoseText(
  model: LanguageModel,
  params: LanguageModelParams,
  tokens: Int32Array,
  options: DiagnosisOptions = {},
): Diagnosis {
  requireKnownKeys("diagnose", options, ["steps"]);
  const read = tokens.length - 1;
  if (read < 2)
    throw new DataError(`the text has ${tokens.length} tokens, too few to diagnose a model; at least 3 are needed`);
  const carrySize = tensorsByPath(model.initialCarry(1)).reduce(
    (total, [, { dtype, shape }]) => total + (isFloat(dtype) ? sizeOf(shape) : 0),
    0,
  );
  const steps = chooseSteps(options.steps, carrySize, read);

  const whole = windowOf(tokens);
  const first = slice(whole.inputs, 0, 0, read - steps);
  const before = compile((at: LanguageModelParams, inputs: Tensor) => model.logits(at, inputs).carry);
  const flow = gradientFlow<LanguageModelParams, LanguageModelCarry, TokenWindow>(
    model.problem,
    params,
    windowOf(tokens.subarray(read - steps)),
    { carry: before(params, first) },
  );
  const between = flow.jacobianNorms();
  return {
    tokens: read,
    carrySize,
    steps,
    gradientNorms: bySpan(flow.lossGradientNorms(), steps),
    jacobianNorms: bySpan(between, steps),
    jacobianNormsBetween: between,
    lyapunovExponent: lyapunovExponent(model.problem, params, whole),
    spectralRadii: radiiOf(model, params),
    gates: gatesOf(model, params, whole.inputs),
  };
}

function chooseSteps(asked: number | undefined, carrySize: number, read: number): number {
  const most = Math.floor(MEMORY / (BYTES * carrySize ** 2));
  if (most < 2) {
    throw new DataError(
      `the carry of the model has ${carrySize} numbers: Jacobians of its steps, with ${carrySize} times as many, do not fit into 2 GiB; diagnose a smaller model`,
    );
  }
  if (asked === undefined) {
    const chosen = Math.floor(Math.sqrt(CHOSEN_WORK / carrySize ** 3));
    return Math.min(Math.max(LEAST_STEPS, Math.min(MOST_STEPS, chosen)), most, read);
  }
  requireInteger("diagnose", "steps", asked, 2);
  if (asked > most) {
    throw new OptionError(
      `diagnose: Jacobians of ${asked} steps of a carry of ${carrySize} numbers do not fit into 2 GiB; ask for at most ${most} steps`,
    );
  }
  if (asked > read)
    throw new DataError(
      `the text has ${read} tokens to read, fewer than ${asked} steps; use more text, or fewer steps`,
    );
  return asked;
}

/** Tokens as one window that goes on from whatever carry it is given. */
function windowOf(tokens: Int32Array): TokenWindow {
  const shape = [tokens.length - 1, 1];
  return {
    inputs: tensor(tokens.slice(0, -1), { shape }),
    targets: tensor(tokens.slice(1), { shape }),
    mask: fill(shape, 1, "int32"),
    resetMask: fill(shape, 0, "int32"),
  };
}

/** Numbers of a table [to][from] by to - from. */
const bySpan = (table: readonly (readonly number[])[], steps: number): BySpan[] =>
  Array.from({ length: steps }, (_, index) => {
    const span = index + 1;
    const norms = table
      .slice(span)
      .map((row, place) => row[place] as number)
      .sort((a, b) => a - b);
    const [low, high] = [Math.floor((norms.length - 1) / 2), Math.ceil((norms.length - 1) / 2)];
    return { span, median: ((norms[low] as number) + (norms[high] as number)) / 2, largest: norms.at(-1) as number };
  });

/** The cells of all layers. */
const cellsOf = ({ options: { cell, hiddenSize, embeddingSize, numLayers } }: LanguageModel) =>
  Array.from({ length: numLayers }, (_, layer) =>
    cellByName(cell, { inputSize: layer === 0 ? embeddingSize : hiddenSize, hiddenSize }),
  );

const partsOf = ({ options }: LanguageModel) => CELL_PARTS[options.cell as CellName];

function radiiOf(model: LanguageModel, { layers }: LanguageModelParams): Diagnosis["spectralRadii"] {
  const { blocks } = partsOf(model);
  if (blocks.length === 0) return [];
  return layers.flatMap((params, layer) => {
    const weights = tensorsByPath(params).find(([path]) => path.endsWith("weightHh"))?.[1] as Tensor;
    // One number for each unit is a diagonal matrix.
    if (weights.shape.length === 1) return [{ layer, block: "", radius: toNumber(max(abs(weights))) }];
    return split(weights, blocks.length, 0).map((matrix, place) => ({
      layer,
      block: blocks[place] as string,
      radius: spectralRadius(matrix),
    }));
  });
}

function gatesOf(model: LanguageModel, params: LanguageModelParams, tokens: Tensor): Diagnosis["gates"] {
  const { gates } = partsOf(model);
  if (gates.length === 0) return [];
  const { vocabularySize, embeddingSize } = model.options;
  const table = embedding({ size: vocabularySize, outputSize: embeddingSize });
  const cells = cellsOf(model);
  const inputsOf = compile((at: LanguageModelParams, inputs: Tensor) => {
    const all = [table.apply(at.embedding, inputs)];
    for (const [layer, cell] of cells.slice(0, -1).entries()) {
      all.push(recurrent(cell).apply(at.layers[layer] as TensorTree, all[layer] as Tensor).outputs);
    }
    return all;
  });
  return inputsOf(params, tokens).flatMap((xs, layer) =>
    gateSaturation(cells[layer] as (typeof cells)[number], params.layers[layer] as TensorTree, xs).map(
      (found, place) => ({
        layer,
        gate: gates[place] as string,
        ...found,
      }),
    ),
  );
}
