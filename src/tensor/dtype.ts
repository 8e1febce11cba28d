/** Element types. There is no boolean: conditions and masks are int32, 0 or 1. */

/** Element type of a tensor. */
export type DType = "float32" | "float64" | "int32";

/** The floating-point element types: the ones that have gradients. */
export type FloatDType = "float32" | "float64";

/** A host array of numbers. */
export type TypedArray = Float32Array | Float64Array | Int32Array;

/** Size of one element in bytes. */
export const BYTES: Readonly<Record<DType, number>> = { float32: 4, float64: 8, int32: 4 };

/** Whether numbers of this type can have gradients. */
export const isFloat = (dtype: DType): dtype is FloatDType => dtype !== "int32";

/** A zero-filled host array. */
export function allocate(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(length);
    case "float64":
      return new Float64Array(length);
    case "int32":
      return new Int32Array(length);
  }
}
