/** Tensors: a host array with a shape. Values, never changed after they are made. */

import { DTypeError, flattenTree, ShapeError, type Tree, unflattenTree } from "../core/index.js";
import { allocate, type DType, type TypedArray } from "./dtype.js";
import { formatType, requireShape, type Shape, sizeOf, type TensorType } from "./shape.js";

/**
 * An array of numbers with a shape. Either concrete (its `data` can be read) or traced (it stands for a result
 * that a Program will compute; reading `data` is an error).
 */
export interface Tensor extends TensorType {
  /** Row-major elements. @throws TraceError while the tensor is traced */
  readonly data: TypedArray;
}

/** A window into a typed array, as kernels see it: element `k` is `data[offset + k]`, row-major, no gaps. */
export interface View extends TensorType {
  data: TypedArray;
  offset: number;
}

/** Copies the elements of a view, in order, converting to the element type of the other. */
export function copyElements(from: View, to: View, size: number = sizeOf(to.shape)): void {
  const { data: read, offset: readAt } = from;
  const { data: write, offset: writeAt } = to;
  for (let k = 0; k < size; k++) write[writeAt + k] = read[readAt + k] as number;
}

/** A concrete tensor. Make one with `tensor`, `zeros`, ... */
export class HostTensor implements Tensor, View {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
  readonly offset = 0;

  constructor(type: TensorType, data: TypedArray) {
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.data = data;
    if (data.length !== sizeOf(type.shape)) {
      throw new ShapeError(`${formatType(type)} holds ${sizeOf(type.shape)} numbers, but ${data.length} were given`);
    }
  }

  toString(): string {
    return `${formatType(this)} ${formatElements(this)}`;
  }
}

/** The elements of a view as a tensor that shares its memory. */
export function hostTensorOf({ dtype, shape, data, offset }: View): HostTensor {
  return new HostTensor({ dtype, shape }, data.subarray(offset, offset + sizeOf(shape)));
}

/** Nested arrays of numbers, as deep as the tensor has axes. */
export type NestedNumbers = number | readonly NestedNumbers[];

const DTYPE_OF_ARRAY: ReadonlyMap<unknown, DType> = new Map<unknown, DType>([
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [Int32Array, "int32"],
]);

/**
 * Makes a tensor from nested arrays, or from a typed array (which is not copied) and a shape.
 * @param options.dtype default: that of a typed array, float32 for numbers
 * @throws ShapeError if rows differ in length or the shape does not fit
 * @example tensor([[1, 2], [3, 4]])                    // float32[2,2]
 * @example tensor(new Int32Array([1, 0]), { shape: [2] })
 */
export function tensor(
  values: NestedNumbers | TypedArray,
  options: { readonly dtype?: DType; readonly shape?: Shape } = {},
): Tensor {
  if (options.shape !== undefined) requireShape("tensor", options.shape);
  if (ArrayBuffer.isView(values)) {
    const dtype = DTYPE_OF_ARRAY.get(values.constructor);
    if (dtype === undefined) {
      throw new DTypeError(
        `tensor: a ${values.constructor.name} is not supported; use Float32Array, Float64Array or Int32Array`,
      );
    }
    if (options.dtype !== undefined && options.dtype !== dtype) {
      throw new DTypeError(`tensor: a ${values.constructor.name} holds ${dtype}, but ${options.dtype} was asked for`);
    }
    return new HostTensor({ dtype, shape: options.shape ?? [values.length] }, values);
  }
  const found: number[] = [];
  for (let level: NestedNumbers = values; Array.isArray(level); level = level[0] as NestedNumbers) {
    found.push(level.length);
    if (level.length === 0) break;
  }
  const data = allocate(options.dtype ?? "float32", sizeOf(found));
  let next = 0;
  const copy = (level: NestedNumbers, axis: number): void => {
    if (typeof level === "number" ? axis < found.length : level.length !== found[axis]) {
      const expected = axis < found.length ? `a row of ${found[axis]}` : "a number";
      throw new ShapeError(
        `tensor: rows differ in length along axis ${axis}: found ${typeof level === "number" ? "a number" : `a row of ${level.length}`}, expected ${expected}`,
      );
    }
    if (typeof level === "number") {
      if (options.dtype === "int32" && (level | 0) !== level) throw new DTypeError(`tensor: ${level} is no int32`);
      data[next++] = level;
    } else for (const inner of level) copy(inner, axis + 1);
  };
  copy(values, 0);
  return new HostTensor({ dtype: options.dtype ?? "float32", shape: options.shape ?? found }, data);
}

/** Whether a value is a tensor, concrete or traced. */
export const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" && value !== null && "dtype" in value && "shape" in value && Array.isArray(value.shape);

/** A tree whose leaves are tensors. */
export type TensorTree = Tree<Tensor>;

/** Applies a function to every tensor of a tree (or of several trees of the same form, side by side). */
export function mapTensors<T extends TensorTree>(
  transform: (first: Tensor, ...others: Tensor[]) => Tensor,
  first: T,
  ...others: readonly T[]
): T {
  const flat = flattenTree(first, isTensor);
  const columns = others.map((tree) => flattenTree(tree, isTensor).leaves);
  const leaves = flat.leaves.map((leaf, index) => transform(leaf, ...columns.map((column) => column[index] as Tensor)));
  return unflattenTree(flat.definition, leaves) as T;
}

/** The same numbers in memory of their own. */
export const copyTensors = <T extends TensorTree>(tree: T): T =>
  mapTensors((leaf) => new HostTensor(leaf, leaf.data.slice()), tree);

/** The tensors of a tree with their paths, in order. */
export function tensorsByPath(tree: TensorTree): [path: string, tensor: Tensor][] {
  const { leaves, paths } = flattenTree(tree, isTensor);
  return leaves.map((leaf, index) => [paths[index] as string, leaf]);
}

/** Nested arrays of the elements. */
export function toNested(source: Tensor): NestedNumbers {
  const { data, shape } = source;
  const build = (axis: number, start: number, size: number): NestedNumbers => {
    if (axis === shape.length) return data[start] as number;
    const length = shape[axis] as number;
    const inner = size / Math.max(length, 1);
    return Array.from({ length }, (_, index) => build(axis + 1, start + index * inner, inner));
  };
  return build(0, 0, data.length);
}

/**
 * The one number of a tensor with one element.
 * @throws ShapeError if it has more or fewer
 */
export function toNumber(source: Tensor): number {
  if (sizeOf(source.shape) !== 1)
    throw new ShapeError(`toNumber: ${formatType(source)} does not hold exactly one number`);
  return source.data[0] as number;
}

const SHOWN_ELEMENTS = 64;

function formatElements(source: HostTensor): string {
  if (source.data.length > SHOWN_ELEMENTS) return `(${source.data.length} elements)`;
  const print = (value: NestedNumbers): string =>
    typeof value === "number"
      ? String(Number.isInteger(value) ? value : Number(value.toPrecision(6)))
      : `[${value.map(print).join(",")}]`;
  return print(toNested(source));
}
