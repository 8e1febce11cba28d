/** Operators that compute graphs inside them: Scan, Loop, If. */

import { range, reshape, reverse, select } from "../../../ops/index.js";
import { scan } from "../../../scan/index.js";
import { HostTensor, sameType, type Tensor, tensor } from "../../../tensor/index.js";
import type { Operator } from "../node-call.js";
import { moveAxes } from "./axes.js";

/**
 * A graph as the step of a loop over sequences: state and slices in, state and results out. Each sequence, and each result, has
 * an axis of time and a direction of its own.
 */
export const scanGraph: Operator = (node) => {
  const body = node.graph("body");
  const count = node.int("num_scan_inputs", 0);
  const states = node.inputs.length - count;
  const listed = (name: string) => node.ints(name) ?? [];
  const [inputAxes, outputAxes] = [listed("scan_input_axes"), listed("scan_output_axes")];
  const [inputReversed, outputReversed] = [listed("scan_input_directions"), listed("scan_output_directions")];
  if (node.opset < 9) throw node.error("has the form of operator set 8; export the model with 9 or newer");

  const initial = Array.from({ length: states }, (_, index) => node.input(index));
  const sequences = Array.from({ length: count }, (_, index) => {
    const x = node.input(states + index);
    const timeFirst = moveAxes(x, node.axis(inputAxes[index] ?? 0, x.shape.length), 1, 0);
    return inputReversed[index] === 1 ? reverse(timeFirst) : timeFirst;
  });
  const step = (carry: readonly Tensor[], slices: readonly Tensor[]) => {
    const results = node.evaluate(body, [...carry, ...slices]);
    return [results.slice(0, states), results.slice(states)] as const;
  };
  const [last, results] = scan(step, initial as readonly Tensor[], sequences as readonly Tensor[]);
  const placed = results.map((result, index) => {
    const forward = outputReversed[index] === 1 ? reverse(result) : result;
    return moveAxes(forward, 0, 1, node.axis(outputAxes[index] ?? 0, result.shape.length));
  });
  return [...last, ...placed];
};

/** What the largest int64 becomes here: exporters write it where only the condition ends a loop. */
const UNLIMITED = 2 ** 31 - 1;

/** A graph that is repeated as often as is known while tracing: its condition must never change. */
export const loopGraph: Operator = (node) => {
  const body = node.graph("body");
  const length = node.inputs[0] && node.knownNumber(0, "number of iterations");
  const runs = node.inputs[1] === undefined || node.knownNumber(1, "condition") !== 0;
  if (length === undefined || length === UNLIMITED)
    throw node.error("has no number of iterations; loops until a condition are not supported");
  const states = node.inputs.length - 2;
  const initial = Array.from({ length: states }, (_, index) => node.input(2 + index));
  const goesOn = tensor(1, { dtype: "int32" });
  const step = (carry: readonly Tensor[], iteration: Tensor) => {
    const [condition, ...results] = node.evaluate(body, [iteration, goesOn, ...carry]);
    if (!(condition instanceof HostTensor) || condition.data[0] === 0) {
      throw node.error("computes whether it goes on; loops until a condition are not supported");
    }
    return [results.slice(0, states), results.slice(states)] as const;
  };
  const [last, results] = scan(step, initial as readonly Tensor[], range(runs ? length : 0));
  return [...last, ...results];
};

/** The one or the other graph; both, and a choice between their results, where the condition is not known while tracing. */
export const ifGraph: Operator = (node) => {
  const [chosen, other] = [node.graph("then_branch"), node.graph("else_branch")];
  const condition = node.input(0);
  if (condition instanceof HostTensor) return node.evaluate(condition.data[0] === 0 ? other : chosen, []);
  const [results, others] = [node.evaluate(chosen, []), node.evaluate(other, [])];
  return results.map((result, index) => {
    const alternative = others[index] as Tensor;
    if (sameType(result, alternative)) return select(reshape(condition, []), result, alternative);
    throw node.error("has branches with results of different types, and a condition that is computed from an input");
  });
};
