/** A check on options of cells that are one of a few words. */

import { nearestName, OptionError } from "../../core/index.js";

/** @throws OptionError naming the nearest choice unless `value` is one of `choices`. */
export function requireChoice(where: string, name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new OptionError(
    `${where}: ${name} cannot be "${value}"; did you mean ${nearestName(String(value), choices)}? The choices are ${choices.join(", ")}`,
  );
}
