/** Forward rule of scan: one scan that carries the tangents beside the values. Memory O(1) in the length. */

import { zerosLike } from "../ops/index.js";
import { type Derivative, type Pushed, trace, type Variable } from "../program/index.js";
import type { Tensor, TensorType } from "../tensor/index.js";
import { forwardMode } from "../transforms/index.js";
import { activeBodyInputs } from "./activity.js";
import { type ApplyScan, firstConstant, type ScanParams } from "./params.js";

/** Runs the scan with tangents. */
export function scanJvp(
  apply: ApplyScan,
  inputs: readonly Tensor[],
  tangents: readonly Derivative[],
  params: ScanParams,
): Pushed {
  const { body, carries, slices } = params;
  const constantsFrom = firstConstant(params);
  const moving = activeBodyInputs(
    params,
    inputs.map((_, index) => tangents[index] !== undefined),
  );
  const movingCarries = body.inputs.flatMap((_, index) => (index < carries && moving[index] ? [index] : []));
  const movingSlices = inputs.flatMap((_, index) =>
    index >= carries && index < constantsFrom && tangents[index] !== undefined ? [index] : [],
  );
  const typeOf = (index: number): TensorType => (body.inputs[index] as Variable).type;
  let movingResults: number[] = [];

  const step = (...tracers: Tensor[]): Tensor[] => {
    const take = (count: number) => tracers.splice(0, count);
    const [carry, carryDots, slice, sliceDots] = [
      take(carries),
      take(movingCarries.length),
      take(slices),
      take(movingSlices.length),
    ];
    const dots = inputs.map((_, index): Derivative => {
      if (index < carries) return carryDots[movingCarries.indexOf(index)];
      return index < constantsFrom ? sliceDots[movingSlices.indexOf(index)] : tangents[index];
    });
    const result = forwardMode(body, [...carry, ...slice, ...inputs.slice(constantsFrom)], dots);
    movingResults = result.tangents.flatMap((dot, index) => (index >= carries && dot !== undefined ? [index] : []));
    return [
      ...result.outputs.slice(0, carries),
      ...movingCarries.map((index) => result.tangents[index] ?? zerosLike(typeOf(index))),
      ...result.outputs.slice(carries),
      ...movingResults.map((index) => result.tangents[index] as Tensor),
    ];
  };

  const typesOf = (from: number, to: number) => body.inputs.slice(from, to).map(({ type }) => type);
  const { program, captured } = trace(step, [
    ...typesOf(0, carries),
    ...movingCarries.map(typeOf),
    ...typesOf(carries, constantsFrom),
    ...movingSlices.map(typeOf),
  ]);
  const results = apply(
    [
      ...inputs.slice(0, carries),
      ...movingCarries.map((index) => tangents[index] ?? zerosLike(typeOf(index))),
      ...inputs.slice(carries, constantsFrom),
      ...movingSlices.map((index) => tangents[index] as Tensor),
      ...captured,
    ],
    { ...params, body: program, carries: carries + movingCarries.length, slices: slices + movingSlices.length },
  );
  const resultsFrom = carries + movingCarries.length;
  const dotsFrom = resultsFrom + body.outputs.length - carries;
  return {
    outputs: [...results.slice(0, carries), ...results.slice(resultsFrom, dotsFrom)],
    tangents: body.outputs.map((_, index) =>
      index < carries
        ? movingCarries.includes(index)
          ? results[carries + movingCarries.indexOf(index)]
          : undefined
        : movingResults.includes(index)
          ? results[dotsFrom + movingResults.indexOf(index)]
          : undefined,
    ),
  };
}
