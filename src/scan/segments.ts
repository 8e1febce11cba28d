/**
 * A long scan as a scan over segments, each a scan that is computed again on the way back.
 *
 * Keeping the carry every k steps and recomputing between takes memory for time/k carries and k steps, O(√time) at k = √time, and
 * one more run forward.
 * @see Chen, Xu, Zhang & Guestrin 2016, Training deep nets with sublinear memory cost, arXiv:1604.06174
 */

import { concatenate, reshape, slice } from "../ops/index.js";
import { trace } from "../program/index.js";
import type { Tensor } from "../tensor/index.js";
import { type ApplyScan, firstConstant, type ScanParams, sequenceType, stepType } from "./params.js";

/** The same outputs as one scan. Steps that do not fill a segment are a shorter one, at the end of time. */
export function scanInSegments(
  apply: ApplyScan,
  inputs: readonly Tensor[],
  params: ScanParams,
  segment: number,
): readonly Tensor[] {
  const { length, carries } = params;
  if (segment >= length) return apply(inputs, { ...params, isSegment: true });
  const whole = length - (length % segment);
  const sequences = inputs.slice(carries, firstConstant(params));
  const constants = inputs.slice(firstConstant(params));
  const part = (from: number, to: number) => sequences.map((sequence) => slice(sequence, 0, from, to));

  const runWhole = (carry: readonly Tensor[]): readonly Tensor[] =>
    scanSegments(apply, [carry, part(0, whole), constants], params, whole / segment, segment);
  const runRest = (carry: readonly Tensor[]): readonly Tensor[] =>
    whole === length
      ? carry
      : apply([...carry, ...part(whole, length), ...constants], { ...params, length: length - whole, isSegment: true });

  const start = inputs.slice(0, carries);
  const first = params.reverse ? runRest(start) : runWhole(start);
  const second = (params.reverse ? runWhole : runRest)(first.slice(0, carries));
  const [early, late] = params.reverse ? [second, first] : [first, second];
  const results = early.slice(carries).map((result, index) => {
    const rest = late[carries + index];
    return rest === undefined ? result : concatenate([result, rest], 0);
  });
  return [...second.slice(0, carries), ...results];
}

/** `count` full segments of `length` steps each. */
function scanSegments(
  apply: ApplyScan,
  [carry, sequences, constants]: readonly [readonly Tensor[], readonly Tensor[], readonly Tensor[]],
  params: ScanParams,
  count: number,
  length: number,
): readonly Tensor[] {
  const { carries, slices, reverse } = params;
  const types = sequences.map((type) => sequenceType(stepType(type), length));
  const { program, captured } = trace(
    (...given) => apply([...given, ...constants], { ...params, length, isSegment: true }),
    [...carry, ...types],
  );
  const cut = sequences.map((sequence) => reshape(sequence, [count, length, ...sequence.shape.slice(1)]));
  const outputs = apply([...carry, ...cut, ...captured], {
    body: program,
    length: count,
    reverse,
    carries,
    slices,
    isSegmented: true,
  });
  const joined = outputs.slice(carries).map((result) => reshape(result, [count * length, ...result.shape.slice(2)]));
  return [...outputs.slice(0, carries), ...joined];
}
