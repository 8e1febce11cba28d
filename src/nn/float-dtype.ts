/** The element type that a model computes in. */

import { type FloatDType, isFloat, type TensorTree, tensorsByPath } from "../tensor/index.js";

/** The element type of the first float tensor of a tree; float32 if it has none. */
export const floatDTypeOf = (tree: TensorTree): FloatDType =>
  tensorsByPath(tree)
    .map(([, { dtype }]) => dtype)
    .find(isFloat) ?? "float32";
