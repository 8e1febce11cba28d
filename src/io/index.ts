/** @module Tensors as bytes: the safetensors format. */
export * from "./safetensors.js";
