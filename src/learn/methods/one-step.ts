/** One step of one sequence of a problem, and its derivatives: all that methods know which go forward in time. */

import { flattenTree, unflattenTree } from "../../core/index.js";
import type { LossSum } from "../../nn/index.js";
import { concatenate, fill, ones, reshape, slice, stopGradient, zeros, zerosLike } from "../../ops/index.js";
import { type FloatDType, isFloat, isTensor, sizeOf, type Tensor, type TensorTree } from "../../tensor/index.js";
import { jvp, vjp } from "../../transforms/index.js";
import type { SequenceProblem } from "./method.js";

/** The float numbers of a carry, as one vector `[units]`, in the order of its tensors. Integers, such as counters, are left out. */
export interface CarryLayout {
  readonly units: number;
  readonly dtype: FloatDType;
  /** The tensor that each unit is part of, by its path. */
  readonly paths: readonly string[];
  /** The paths of all tensors of the carry. */
  readonly names: readonly string[];
  /** A tree like the carry as a vector. */
  toVector(carry: TensorTree): Tensor;
  /** A vector as a tree like the carry; zeros for what is no float. */
  toTree(vector: Tensor): TensorTree;
}

/** The layout of a carry of one sequence, its tensors `[1, ...]`. */
export function carryLayout(carry: TensorTree): CarryLayout {
  const { leaves, paths, definition } = flattenTree(carry, isTensor);
  const sizes = leaves.map(({ dtype, shape }) => (isFloat(dtype) ? sizeOf(shape) : 0));
  const float = leaves.find(({ dtype }) => isFloat(dtype));
  return {
    units: sizes.reduce((total, size) => total + size, 0),
    dtype: (float?.dtype ?? "float32") as FloatDType,
    paths: sizes.flatMap((size, index) => new Array<string>(size).fill(paths[index] as string)),
    names: paths,
    toVector: (tree) =>
      concatenate(
        flattenTree<Tensor>(tree, isTensor)
          .leaves.filter(({ dtype }) => isFloat(dtype))
          .map((leaf) => reshape(leaf, [sizeOf(leaf.shape)])),
      ),
    toTree: (vector) => {
      let from = 0;
      const parts = leaves.map((leaf, index) => {
        const start = from;
        from += sizes[index] as number;
        return isFloat(leaf.dtype) ? reshape(slice(vector, 0, start, from), leaf.shape) : zerosLike(leaf);
      });
      return unflattenTree<Tensor>(definition, parts) as TensorTree;
    },
  };
}

/** What a cotangent of a step's results becomes: for each tensor of the parameters, and for the carry `[units]`. */
export type Cotangents = { readonly params: readonly Tensor[]; readonly carry: Tensor };

/** A step that was taken, with its derivatives there. */
export interface OneStep {
  readonly loss: LossSum;
  /** The carry after the step. */
  readonly carry: TensorTree;
  /** (∂L_t/∂θ, ∂L_t/∂c_{t-1}) of this step's own loss, added up over what counts in it. */
  lossGradient(): Cotangents;
  /** v -> (vᵀ ∂c_t/∂θ, vᵀ ∂c_t/∂c_{t-1}), for v `[units]`. */
  pullback(vector: Tensor): Cotangents;
  /** v -> (∂c_t/∂c_{t-1}) v, for v `[units]`. */
  pushCarry(vector: Tensor): Tensor;
}

/** Says of a tensor of the carry, by its path among those of all, whether derivatives stop there. */
export type StopsAt = (path: string, paths: readonly string[]) => boolean;

/**
 * Takes a step: the loss over one step of time is a step.
 * @param carry of one sequence, tensors `[1, ...]`
 * @param batch one step of one sequence, tensors `[1, 1, ...]`
 * @param stops tensors of the carry c_{t-1} that the derivatives of this step treat as constants
 */
export function takeStep<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  problem: SequenceProblem<Params, Carry, Batch>,
  params: Params,
  carry: Carry,
  batch: Batch,
  key: Tensor,
  layout: CarryLayout,
  stops: StopsAt = () => false,
): OneStep {
  const step = (point: Params, before: Carry) => {
    const { loss, carry: after } = problem.loss(point, stopped(before, stops), batch, key);
    return { total: loss.total, count: loss.count, carry: after as TensorTree };
  };
  const { value, pullback } = vjp(step, params, carry);
  const pull = (total: Tensor, vector: Tensor): Cotangents => {
    const [forParams, forCarry] = pullback({
      total,
      count: zerosLike(value.count),
      carry: layout.toTree(vector),
    });
    return { params: flattenTree(forParams, isTensor).leaves, carry: layout.toVector(forCarry) };
  };
  return {
    loss: { total: value.total, count: value.count },
    carry: value.carry,
    lossGradient: () => pull(ones([], value.total.dtype), zeros([layout.units], layout.dtype)),
    pullback: (vector) => pull(fill([], 0, value.total.dtype), vector),
    pushCarry: (vector) => {
      const move = (before: Carry) => step(params, before).carry;
      return layout.toVector(jvp(move, [carry], [layout.toTree(vector) as Carry]).tangent);
    },
  };
}

function stopped<Carry extends TensorTree>(carry: Carry, stops: StopsAt): Carry {
  const { leaves, paths, definition } = flattenTree(carry, isTensor);
  return unflattenTree<Tensor>(
    definition,
    leaves.map((leaf, index) => (stops(paths[index] as string, paths) ? stopGradient(leaf) : leaf)),
  ) as Carry;
}

/** `layers.0.c` is tensor c of layer `layers.0`. */
export const splitPath = (path: string): { layer: string; name: string } => {
  const dot = path.lastIndexOf(".");
  return { layer: path.slice(0, Math.max(dot, 0)), name: path.slice(dot + 1) };
};
