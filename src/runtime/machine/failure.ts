/** What the kernels in C++ report, as errors. */

import { KernelError, ShapeError, type ToolkitError } from "../../core/index.js";

import { INSTRUCTIONS } from "./codes.js";

const ROW_OUTSIDE = 1;

/** @param words the code of the failure (kernels/codes.hpp), and what belongs to it */
export function machineError([code, first, second, third]: readonly number[]): ToolkitError {
  if (code === ROW_OUTSIDE) {
    const name = INSTRUCTIONS[third as number] === "gather" ? "gather" : "scatterAdd";
    return new ShapeError(`${name}: there is no row ${first}; the table has ${second} rows`);
  }
  return new KernelError(
    `kernels: failure ${code} at instruction ${first}; the kernels and the toolkit are of different versions`,
  );
}
