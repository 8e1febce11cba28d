/**
 * Tensors and models as bytes: the safetensors, NumPy, ONNX and PyTorch formats, and weights by the names of PyTorch and Keras.
 *
 * @module io
 */

export * from "./keras.js";
export { type LayerParams, NamedReader, type TensorsByName } from "./layer-maps.js";
export * from "./npy.js";
export { exportOnnx, type OnnxExport, type OnnxInput } from "./onnx/export.js";
export { exportLayerOnnx, type OnnxLayerExport, type OnnxStates, onnxStates } from "./onnx/export-layer.js";
export { type ExportedModel, readExportedOnnx } from "./onnx/export-weights.js";
export { importOnnx, type NamedTensors, type OnnxFunction, type OnnxValue } from "./onnx/import.js";
export * from "./pytorch.js";
export { decodePyTorch, encodePyTorch, type PyTorchContents } from "./pytorch-file.js";
export * from "./safetensors.js";
