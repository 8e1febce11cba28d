/** @module Plan to numbers: the sets of kernels, and `compile` for functions of tensors. */
export { type CompiledFunction, type CompileOptions, compile } from "./compile-function.js";
export type { Executable, Kernels } from "./kernels.js";
export { referenceKernels } from "./reference/kernels.js";
export { selectKernels } from "./select.js";
