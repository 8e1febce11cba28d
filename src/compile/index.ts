/** @module Program to Plan: memory laid out, loops as loops. */
export { lower } from "./lower.js";
export { optimize } from "./optimize.js";
export { type Instruction, type Place, type Plan, printPlan, type Slot } from "./plan.js";
