/**
 * Models run one time step at a time: what arrives is pushed, what comes out is read.
 *
 * @module streaming
 */
export type { StepperModel } from "./step-of.js";
export { type Stepper, type StepperOptions, stepper } from "./stepper.js";
