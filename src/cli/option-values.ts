/** Readers of option values: a wrong value ends the command with the option's name and what it takes. */

import { InvalidArgumentError } from "commander";
import { nearestName, type Range, requireInteger, requireNumber } from "../core/index.js";
import { CELL_NAMES } from "../nn/index.js";

const parseNumber = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text));

/** Runs a check of the library on a value; its sentence becomes the message of the option. */
function check<Value>(value: Value, requirement: (value: Value) => void): Value {
  try {
    requirement(value);
  } catch (error) {
    // What came is said by the command line itself.
    throw new InvalidArgumentError(`${(error as Error).message.replace(/^.*?: /, "").replace(/, but is .*$/, "")}.`);
  }
  return value;
}

/** A whole number of at least `minimum`. */
export const wholeNumber =
  (name: string, minimum: number) =>
  (text: string): number =>
    check(parseNumber(text), (value) => requireInteger("", name, value, minimum));

/** A number inside a range. */
export const numberIn =
  (name: string, range: Range) =>
  (text: string): number =>
    check(parseNumber(text), (value) => requireNumber("", name, value, range));

/** One of some names; for another one, the nearest is suggested. */
export const oneOf =
  <Name extends string>(names: readonly Name[]) =>
  (text: string): Name => {
    if ((names as readonly string[]).includes(text)) return text as Name;
    throw new InvalidArgumentError(`Did you mean ${nearestName(text, names)}? The choices are ${names.join(", ")}.`);
  };

/** Name of a cell. */
export const cellName = oneOf(CELL_NAMES);
