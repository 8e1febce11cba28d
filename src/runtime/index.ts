/**
 * Plan to numbers: the sets of kernels, and `compile` for functions of tensors.
 *
 * @module runtime
 */
export { type CompiledFunction, type CompileOptions, compile } from "./compile-function.js";
export { type CompiledTogether, compileTogether, type TogetherOptions } from "./compile-together.js";
export type { Crew, Executable, Kernels } from "./kernels.js";
export type { NativeAddon, NativeMachine, NativeVariant } from "./native/addon.js";
export { nativeKernels } from "./native/kernels.js";
export { referenceKernels } from "./reference/kernels.js";
export { preferKernels, selectKernels } from "./select.js";
export { type HostThread, provideThreads, type StartThread, type ThreadListener } from "./threads.js";
export { wasmKernels } from "./wasm/kernels.js";
export {
  hasInstructions,
  WASM_INSTRUCTIONS,
  type WasmInstance,
  type WasmInstructions,
  type WasmModule,
  wasmModule,
} from "./wasm/module.js";
export { wasmRegion } from "./wasm/slabs.js";
export { whyNoThreads } from "./why-no-threads.js";
