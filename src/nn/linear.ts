/** The linear map that layers and cells are made of. */

import { ShapeError } from "../core/index.js";
import { add, matmul } from "../ops/index.js";
import { formatType, type Tensor } from "../tensor/index.js";

/**
 * W x + b for each row:  `[..., inputSize]` to `[..., outputSize]`.
 * @param weight `[outputSize, inputSize]`
 * @param bias `[outputSize]`; default none
 * @throws ShapeError if the last axis of `x` is not `inputSize`
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (weight.shape.length !== 2) {
    throw new ShapeError(`linear: the weight must be [outputSize, inputSize], but is ${formatType(weight)}`);
  }
  if (x.shape.at(-1) !== weight.shape[1]) {
    throw new ShapeError(
      `linear: ${formatType(x)} does not fit the weight ${formatType(weight)}; its last axis must be ${weight.shape[1]}`,
    );
  }
  const product = matmul(x, weight, { transposeB: true });
  return bias === undefined ? product : add(product, bias);
}
