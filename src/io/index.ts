/**
 * Tensors as bytes: the safetensors format.
 *
 * @module io
 */
export * from "./safetensors.js";
