/** Cells whose state passes on linearly: one step of them, and what it takes to run all steps at once. */

import { add } from "../../ops/index.js";
import { isTensor, mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import type { Complex } from "./complex.js";
import { type Linear, linearMultiply } from "./linear-recurrence.js";

/** The carry of a linear cell: real numbers `h`, or complex ones. */
export type LinearCarry = { readonly h: Tensor } | Complex;

/** The numbers in such a carry. */
export type LinearOf<Carry extends LinearCarry> = Carry extends Complex ? Complex : Tensor;

/** What makes a cell linear: its step in two halves, neither of which reads the state before. */
export interface LinearRules<Params extends TensorTree, Carry extends LinearCarry> {
  /**
   * The factor and the summand of many steps; the factor may be one for all.
   * @param xs `[..., batch, inputSize]`
   * @returns `b [..., batch, hiddenSize]`, and `a` that broadcasts to it
   */
  coefficients(params: Params, xs: Tensor): { readonly a: LinearOf<Carry>; readonly b: LinearOf<Carry> };
  /**
   * The outputs of many steps.
   * @param states the carry after each, `[..., batch, hiddenSize]`
   * @param xs `[..., batch, inputSize]`
   * @returns `[..., batch, outputSize]`
   */
  readout(params: Params, states: Carry, xs: Tensor): Tensor;
}

/**
 * A cell with a linear recurrence:  h' = a(x) ⊙ h + b(x),  y = readout(h', x).
 *
 * It is an ordinary cell, for `recurrent` and for streaming; `linearRecurrent` runs all its steps at once.
 */
export interface LinearCell<Params extends TensorTree, Carry extends LinearCarry>
  extends Cell<Params, Carry>,
    LinearRules<Params, Carry> {}

/**
 * Makes a linear cell: its step follows from its rules.
 * @example
 * const leaky = linearCell({
 *   inputSize: 1,
 *   outputSize: 1,
 *   init: () => ({ a: fill([1], 0.9), b: ones([1]) }),
 *   initialCarry: (batchSize, dtype) => ({ h: zeros([batchSize, 1], dtype) }),
 *   coefficients: ({ a, b }, xs) => ({ a, b: multiply(xs, b) }),
 *   readout: (_, { h }) => h,
 * });
 */
export function linearCell<Params extends TensorTree, Carry extends LinearCarry>(
  definition: Omit<Cell<Params, Carry>, "step" | "usesKey"> & LinearRules<Params, Carry>,
): LinearCell<Params, Carry> {
  return {
    ...definition,
    step: (params, carry, x) => {
      const { a, b } = definition.coefficients(params, x);
      const next = toCarry<Carry>(mapTensors(add, linearMultiply<Linear>(a, fromCarry(carry)), b as Linear));
      return [next, definition.readout(params, next, x)];
    },
  };
}

/** The numbers in a carry. */
export const fromCarry = <Carry extends LinearCarry>(carry: Carry): LinearOf<Carry> =>
  ("h" in carry ? carry.h : carry) as LinearOf<Carry>;

/** The carry that holds some numbers. */
export const toCarry = <Carry extends LinearCarry>(value: Linear): Carry =>
  (isTensor(value) ? { h: value } : value) as Carry;
