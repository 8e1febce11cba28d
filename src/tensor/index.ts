/**
 * Element types, shapes, and tensors: host arrays with a shape.
 *
 * @module tensor
 */
export * from "./dtype.js";
export * from "./shape.js";
export * from "./tensor.js";
