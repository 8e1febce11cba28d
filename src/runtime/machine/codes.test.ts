/** The numbers of instructions and operations are those of the kernels. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ELEMENTS, elementCode, INSTRUCTIONS, instructionCode } from "./codes.js";

const header = readFileSync(fileURLToPath(new URL("../../../kernels/codes.hpp", import.meta.url)), "utf8").replaceAll(
  /\/\/.*/g,
  "",
);

/** Names of an enum of kernels/codes.hpp, in order. */
function namesOf(name: string): string[] {
  const body = new RegExp(`enum class ${name} : int32_t \\{([^}]*)\\}`).exec(header)?.[1] as string;
  const names = body.split(",").map((entry) => entry.trim());
  return names.filter((entry) => entry !== "");
}

test("instructions are those of kernels/codes.hpp, in its order", () => {
  expect(namesOf("Instruction")).toEqual([...INSTRUCTIONS]);
  expect(instructionCode("end")).toBe(0);
});

test("operations on elements are those of kernels/codes.hpp, in its order", () => {
  expect(namesOf("Element")).toEqual([...ELEMENTS]);
  expect(ELEMENTS.map(elementCode)).toEqual(ELEMENTS.map((_, code) => code));
  expect(elementCode("something else")).toBeUndefined();
});

test("the failure that has a sentence of its own is the one of kernels/codes.hpp", () => {
  expect(namesOf("Failure").indexOf("rowOutside")).toBe(1);
});
