/**
 * Reverse mode: a Program is split into a forward Program, which also returns what the way back needs (the residuals),
 * and a backward Program, which takes residuals and cotangents of the outputs to cotangents of the inputs.
 *
 * The backward Program is traced inside the trace of the forward one, so the residuals are simply what it captures.
 * @see Griewank & Walther 2008, Evaluating Derivatives, chapter 3
 */

import { add } from "../ops/index.js";
import {
  bind,
  type Derivative,
  type Linearized,
  type Program,
  pruneProgram,
  trace,
  type Variable,
} from "../program/index.js";
import type { Tensor, TensorType } from "../tensor/index.js";
import { activeVariables } from "./activity.js";

/** A Program split for reverse mode. */
export interface ReverseMode {
  /** (inputs, captured) -> (outputs, residuals) */
  readonly forward: Program;
  /** Constants that the derivative rules brought in. */
  readonly captured: readonly Tensor[];
  /** (cotangents of the active outputs, residuals) -> (cotangents of some inputs) */
  readonly backward: Program;
  /** Which outputs depend on an active input: those whose cotangents `backward` takes, in order. */
  readonly activeOutputs: readonly number[];
  /** Which inputs `backward` gives cotangents for, in order; those of all others are zero. */
  readonly reachedInputs: readonly number[];
}

/**
 * Splits a Program for reverse mode.
 * @param active which inputs are differentiated
 */
export function reverseMode(program: Program, active: readonly boolean[]): ReverseMode {
  const reached = activeVariables(program, active);
  const activeOutputs = program.outputs.flatMap((variable, index) => (reached.has(variable) ? [index] : []));
  let backward: Program | undefined;
  let reachedInputs: readonly number[] = [];

  const { program: forward, captured } = trace(
    (...inputs) => {
      const values = new Map<Variable, Tensor>(
        program.inputs.map((variable, index) => [variable, inputs[index] as Tensor]),
      );
      const pullbacks = runForward(program, values, reached);
      const outputs = program.outputs.map((variable) => values.get(variable) as Tensor);
      const traced = trace(
        (...seeds) => {
          const cotangents = new Map<Variable, Tensor>();
          activeOutputs.forEach((output, index) => {
            accumulate(cotangents, program.outputs[output] as Variable, seeds[index] as Tensor);
          });
          runBackward(pullbacks, cotangents, reached);
          const isReached = (variable: Variable, index: number) => active[index] === true && cotangents.has(variable);
          reachedInputs = program.inputs.flatMap((variable, index) => (isReached(variable, index) ? [index] : []));
          return reachedInputs.map((index) => cotangents.get(program.inputs[index] as Variable) as Tensor);
        },
        activeOutputs.map((index) => (program.outputs[index] as Variable).type),
      );
      const { program: pruned, kept } = dropUnusedInputs(pruneProgram(traced.program), activeOutputs.length);
      backward = pruned;
      return [...outputs, ...kept.map((index) => traced.captured[index] as Tensor)];
    },
    program.inputs.map(({ type }): TensorType => type),
  );
  return { forward, captured, backward: backward as Program, activeOutputs, reachedInputs };
}

/** Drops those inputs after the first `keepFirst` that no equation or output reads. `kept` counts from `keepFirst`. */
function dropUnusedInputs(program: Program, keepFirst: number): { program: Program; kept: number[] } {
  const read = new Set<Variable>([...program.outputs, ...program.equations.flatMap(({ inputs }) => inputs)]);
  const rest = program.inputs.slice(keepFirst);
  const kept = rest.flatMap((variable, index) => (read.has(variable) ? [index] : []));
  const inputs = [...program.inputs.slice(0, keepFirst), ...rest.filter((variable) => read.has(variable))];
  return { program: { ...program, inputs }, kept };
}

interface Pullback {
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
  readonly pullback: Linearized["pullback"];
}

function runForward(program: Program, values: Map<Variable, Tensor>, reached: ReadonlySet<Variable>): Pullback[] {
  const pullbacks: Pullback[] = [];
  for (const { primitive, params, inputs, outputs } of program.equations) {
    const operands = inputs.map((variable) => values.get(variable) as Tensor);
    const wanted = inputs.map((variable) => reached.has(variable));
    let results: readonly Tensor[];
    if (wanted.includes(true)) {
      const linearized = primitive.vjp(operands, params, wanted);
      results = linearized.outputs;
      pullbacks.push({ inputs, outputs, pullback: linearized.pullback });
    } else {
      results = bind(primitive, operands, params);
    }
    outputs.forEach((variable, index) => {
      values.set(variable, results[index] as Tensor);
    });
  }
  return pullbacks;
}

function runBackward(
  pullbacks: readonly Pullback[],
  cotangents: Map<Variable, Tensor>,
  reached: ReadonlySet<Variable>,
): void {
  for (const { inputs, outputs, pullback } of pullbacks.toReversed()) {
    const seeds = outputs.map((variable): Derivative => cotangents.get(variable));
    if (seeds.every((seed) => seed === undefined)) continue;
    pullback(seeds).forEach((cotangent, index) => {
      const variable = inputs[index] as Variable;
      if (cotangent !== undefined && reached.has(variable)) accumulate(cotangents, variable, cotangent);
    });
  }
}

function accumulate(cotangents: Map<Variable, Tensor>, variable: Variable, cotangent: Tensor): void {
  const sum = cotangents.get(variable);
  cotangents.set(variable, sum === undefined ? cotangent : add(sum, cotangent));
}
