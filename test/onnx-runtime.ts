/** ONNX Runtime in tests: its WebAssembly build, which needs no other files than those of its package. */

import * as ort from "onnxruntime-web";
import { type DType, HostTensor, type Tensor, type TypedArray } from "../src/tensor/index.js";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;

/** A model ready to be run: from tensors by name to tensors by name. */
export type OnnxSession = (inputs: Readonly<Record<string, Tensor>>) => Promise<Record<string, Tensor>>;

/** Loads a model. */
export async function openOnnx(bytes: Uint8Array): Promise<OnnxSession> {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  return async (inputs) => {
    const feeds = Object.entries(inputs).map(([name, { dtype, shape, data }]) => [
      name,
      new ort.Tensor(dtype, ARRAYS[dtype].from(data), shape),
    ]);
    const results = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(
      Object.entries(results).map(([name, { type, dims, data }]) => [
        name,
        new HostTensor({ dtype: type as DType, shape: dims }, data as TypedArray),
      ]),
    );
  };
}
