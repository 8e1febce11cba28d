/** ONNX models with the outputs of another implementation, as test/golden/make_onnx.py and make_onnx_exports.py write them. */

import { allocate, type DType, HostTensor, type Tensor } from "../src/tensor/index.js";

interface PlainTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

type PlainTensors = Readonly<Record<string, PlainTensor>>;

/** A model in base64, and what it gives. */
export interface OnnxGolden {
  readonly model: string;
  readonly runs: readonly { readonly inputs: PlainTensors; readonly outputs: PlainTensors }[];
}

/** Tensors by name. */
export const onnxTensors = (plain: PlainTensors): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(plain).map(([name, { dtype, shape, data }]) => {
      const elements = allocate(dtype, data.length);
      elements.set(data);
      return [name, new HostTensor({ dtype, shape }, elements)];
    }),
  );
