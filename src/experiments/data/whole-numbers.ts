/** Random whole numbers. */

import { cast, floor, multiply, uniform } from "../../ops/index.js";
import type { Shape, Tensor } from "../../tensor/index.js";

/** Equally likely whole numbers in [0, count), int32. */
export const wholeNumbers = (key: Tensor, count: number, shape: Shape): Tensor =>
  cast(floor(multiply(uniform(key, shape), count)), "int32");
