/** Chooses between the instruction sets that kernels are compiled for. */

import { env } from "node:process";
import { OptionError } from "../core/index.js";

/** One that kernels are compiled for, and whether it can be used here. */
export interface InstructionSet {
  readonly name: string;
  readonly supported: boolean;
}

/**
 * The last one that is supported, or the one that an environment variable names.
 * @throws OptionError if there is none of that name here
 */
export function chooseInstructionSet<Set extends InstructionSet>(
  sets: readonly Set[],
  variable: string,
  wanted: string | undefined = env[variable],
): Set {
  const supported = sets.filter((set) => set.supported);
  const found =
    wanted === undefined || wanted === "" ? supported.at(-1) : supported.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const why = sets.some(({ name }) => name === wanted) ? "it is not supported here" : "there is no such one";
  const names = supported.map(({ name }) => name).join(", ");
  throw new OptionError(`${variable}: cannot use the instruction set "${wanted}": ${why}; choose from: ${names}`);
}
