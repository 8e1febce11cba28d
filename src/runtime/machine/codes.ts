/** What the words of a machine program mean. kernels/codes.hpp holds the same lists; a test compares them. */

/** Instructions, in the order of their numbers. */
export const INSTRUCTIONS = [
  "end",
  "loop",
  "elementwise",
  "copy",
  "pack",
  "multiply",
  "multiplyPacked",
  "sum",
  "sumInt",
  "max",
  "maxInt",
  "argmax",
  "argmaxInt",
  "gather",
  "scatterAdd",
  "scatterAddInt",
  "dynamicSlice",
  "dynamicUpdate",
  "fold",
  "foldInt",
  "splitKey",
  "foldIn",
  "uniform",
  "normal",
] as const;

/** Operations on elements, in the order of their numbers. */
export const ELEMENTS = [
  "move",
  "negate",
  "abs",
  "sign",
  "floor",
  "exp",
  "log",
  "log1p",
  "expm1",
  "sqrt",
  "reciprocal",
  "square",
  "sin",
  "cos",
  "tanh",
  "sigmoid",
  "softplus",
  "relu",
  "isFinite",
  "toFloat",
  "toInt",
  "add",
  "subtract",
  "multiply",
  "divide",
  "power",
  "maximum",
  "minimum",
  "equal",
  "notEqual",
  "greater",
  "greaterEqual",
  "less",
  "lessEqual",
  "select",
  "negateInt",
  "absInt",
  "signInt",
  "squareInt",
  "addInt",
  "subtractInt",
  "multiplyInt",
  "divideInt",
  "powerInt",
  "maximumInt",
  "minimumInt",
  "equalInt",
  "notEqualInt",
  "greaterInt",
  "greaterEqualInt",
  "lessInt",
  "lessEqualInt",
  "sum",
  "multiplyAdd",
] as const;

export type InstructionName = (typeof INSTRUCTIONS)[number];
export type ElementName = (typeof ELEMENTS)[number];

export const instructionCode = (name: InstructionName): number => INSTRUCTIONS.indexOf(name);

const ELEMENT_CODES: ReadonlyMap<string, number> = new Map(ELEMENTS.map((name, code) => [name, code]));

/** @returns undefined if there is no such operation on elements */
export const elementCode = (name: string): number | undefined => ELEMENT_CODES.get(name);
