/** What all layers of convolution share: their sizes, and how their weights start. */

import { OptionError, requireInteger } from "../../core/index.js";
import type { Pair } from "../../ops/index.js";
import type { FloatDType, Shape, Tensor } from "../../tensor/index.js";
import { uniformInit } from "../init.js";

/** `weight [outputSize, ...kernel, inputSize / groups]`, `bias [outputSize]` */
export type ConvolutionParams = { readonly weight: Tensor; readonly bias: Tensor };

/** Options of all convolutions beside their sizes. */
export const MOVES = ["stride", "dilation", "padding"] as const;

/** Checks the sizes that convolutions have. */
export function requireSizes(
  where: string,
  {
    inputSize,
    outputSize,
    groups = 1,
  }: { readonly inputSize: number; readonly outputSize: number; readonly groups?: number },
): void {
  for (const [name, value] of Object.entries({ inputSize, outputSize, groups })) requireInteger(where, name, value, 1);
  if (inputSize % groups === 0 && outputSize % groups === 0) return;
  throw new OptionError(
    `${where}: groups must divide both sizes, but is ${groups} with inputSize ${inputSize} and outputSize ${outputSize}`,
  );
}

/**
 * Uniform in ±√(6 / (fanIn + fanOut)) for weights `[outputs, ...sizes, inputs / groups]`: an output reads `sizes * inputs / groups` numbers,
 * an input is read by `sizes * outputs / groups`.
 * @see Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks
 */
export function glorotKernel(key: Tensor, shape: Shape, groups: number, dtype: FloatDType): Tensor {
  const [outputs, ...rest] = shape as [number, ...number[]];
  const fanIn = rest.reduce((product, length) => product * length, 1);
  const fanOut = (fanIn / (rest.at(-1) as number)) * (outputs / groups);
  return uniformInit(Math.sqrt(6 / (fanIn + fanOut)))(key, shape, dtype);
}

/** Height and width of a kernel, checked. */
export function kernelOf(where: string, size: Pair<number>): readonly [height: number, width: number] {
  const kernel = typeof size === "number" ? ([size, size] as const) : size;
  for (const length of kernel) requireInteger(where, "kernelSize", length, 1);
  return kernel;
}
