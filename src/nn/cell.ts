/** What a recurrent cell is: one step. Everything else is derived from it. */

import type { FloatDType, Tensor, TensorTree } from "../tensor/index.js";

/**
 * A recurrent cell: a pure function of (params, carry, x), and how its parameters and its carry begin.
 *
 * The toolkit's own cells are made exactly like this; a cell of yours gets all that they get.
 * @example
 * const leaky: Cell<{ weightIh: Tensor; weightHh: Tensor }, Tensor> = {
 *   inputSize: 3,
 *   outputSize: 8,
 *   init: (key) => ({ weightIh: glorotUniform(key, [8, 3]), weightHh: orthogonal(key, [8, 8]) }),
 *   initialCarry: (batchSize, dtype) => zeros([batchSize, 8], dtype),
 *   step: ({ weightIh, weightHh }, h, x) => {
 *     const proposal = tanh(add(linear(x, weightIh), linear(h, weightHh)));
 *     const next = add(multiply(h, 0.9), multiply(proposal, 0.1));
 *     return [next, next];
 *   },
 * };
 */
export interface Cell<Params extends TensorTree, Carry extends TensorTree> {
  /** Features of `x`. */
  readonly inputSize: number;
  /** Features of the output. */
  readonly outputSize: number;
  /** Says that `step` draws random numbers when it is given a key. */
  readonly usesKey?: true;
  /** Starting parameters, concrete. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): Params;
  /** The carry before the first step, every tensor `[batchSize, ...]`. @param dtype default float32 */
  initialCarry(batchSize: number, dtype?: FloatDType): Carry;
  /**
   * One time step.
   * @param x `[batch, inputSize]`
   * @param key another one at each step; only for a cell that `usesKey`, and only if its layer was given a key
   * @returns the next carry, of the same form, and the output `[batch, outputSize]`
   */
  step(params: Params, carry: Carry, x: Tensor, key?: Tensor): readonly [carry: Carry, y: Tensor];
}
