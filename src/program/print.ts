/** Programs as text, for people and for tests. */

import { formatType } from "../tensor/index.js";
import type { Equation, Program, Variable } from "./program.js";

/** a, b, ..., z, aa, ab, ... */
function letters(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26));
  return index < 26 ? letter : letters(Math.floor(index / 26) - 1) + letter;
}

const printParams = (params: unknown): string => {
  const entries = Object.entries((params ?? {}) as Record<string, unknown>).filter(([, value]) => value !== undefined);
  return entries.map(([name, value]) => `${name}=${Array.isArray(value) ? `[${value}]` : String(value)}`).join(" ");
};

const indent = (text: string): string => text.replace(/^/gm, "  ");

/**
 * A Program as text, one equation a line.
 *
 *     (a: float32[2,3], b: float32[3]) {
 *       c: float32[2,3] = broadcast[axes=[1] shape=[2,3]] b
 *       d: float32[2,3] = add a c
 *       return d
 *     }
 */
export function printProgram(program: Program): string {
  const names = new Map<Variable, string>();
  const define = (variable: Variable): string => {
    names.set(variable, letters(names.size));
    return `${names.get(variable)}: ${formatType(variable.type)}`;
  };
  const use = (variable: Variable): string => names.get(variable) ?? "?";
  const printEquation = ({ primitive, params, inputs, outputs }: Equation): string => {
    const text = primitive.print ? primitive.print(params, printProgram) : printParams(params);
    const operands = inputs.map(use).join(" ");
    const defined = outputs.map(define).join(", ");
    return [`${defined} = ${primitive.name}${text === "" ? "" : `[${text}]`}`, operands]
      .filter((part) => part !== "")
      .join(" ");
  };
  const head = `(${program.inputs.map(define).join(", ")}) {`;
  const body = [...program.equations.map(printEquation), `return ${program.outputs.map(use).join(" ")}`.trimEnd()];
  return [head, ...body.map(indent), "}"].join("\n");
}
