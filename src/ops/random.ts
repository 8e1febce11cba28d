/**
 * Random numbers as pure functions of a key. The same key always gives the same numbers, on every kernel; use a key
 * once, and `splitKey` for more.
 */

import { DTypeError, normalQuantile, OptionError, type Repeated, requireInteger, threefry2x32 } from "../core/index.js";
import {
  type DType,
  type FloatDType,
  formatType,
  HostTensor,
  isFloat,
  requireShape,
  type Shape,
  sizeOf,
  type Tensor,
  type TensorType,
  type View,
} from "../tensor/index.js";
import { less } from "./elementwise.js";
import { defineOperation, type Operation } from "./operation.js";
import { at } from "./shape.js";

const words = new Int32Array(2);

/**
 * A key: int32[2].
 * @param seed a whole number of at most 53 bits, not negative
 * @throws OptionError if it is not
 */
export function randomKey(seed: number): Tensor {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new OptionError(`randomKey: the seed must be a whole number in [0, 2^53 - 1], but is ${seed}`);
  return new HostTensor({ dtype: "int32", shape: [2] }, Int32Array.of(Math.floor(seed / 2 ** 32), seed));
}

const requireKey = (name: string, key: TensorType): void => {
  if (key.dtype !== "int32" || key.shape.length !== 1 || key.shape[0] !== 2) {
    throw new DTypeError(
      `${name}: needs a key, int32[2], but was given ${formatType(key)}; make one with randomKey(seed)`,
    );
  }
};

// Each use of a key encrypts counters of its own kind, so that the numbers of two uses of one key differ.
const SPLIT = 0x40000000;
const FOLD = 0x20000000;

const splitOperation: Operation<{ count: number }> = defineOperation({
  name: "splitKey",
  infer: ([key], { count }) => {
    requireKey("splitKey", key as TensorType);
    return { dtype: "int32", shape: [count, 2] };
  },
  evaluate: ([key], output, { count }) => {
    const { data, offset } = key as View;
    for (let k = 0; k < count; k++) {
      threefry2x32(data[offset] as number, data[offset + 1] as number, k, SPLIT, words);
      output.data.set(words, output.offset + 2 * k);
    }
  },
  vjp: () => [],
  jvp: () => undefined,
});

/**
 * `count` new keys, independent of each other and of the old one.
 * @example const [cellKey, readoutKey] = splitKey(randomKey(1));
 */
export function splitKey<const Count extends number = 2>(key: Tensor, count = 2 as Count): Repeated<Tensor, Count> {
  requireInteger("splitKey", "count", count, 0);
  const keys = splitOperation([key], { count });
  return Array.from({ length: count }, (_, index) => at(keys, index)) as Repeated<Tensor, Count>;
}

const foldOperation: Operation<null> = defineOperation({
  name: "foldIn",
  infer: ([key, number]) => {
    requireKey("foldIn", key as TensorType);
    if ((number as TensorType).dtype !== "int32" || (number as TensorType).shape.length > 0) {
      throw new DTypeError(`foldIn: the number must be int32[], but is ${formatType(number as TensorType)}`);
    }
    return { dtype: "int32", shape: [2] };
  },
  evaluate: ([key, number], output) => {
    const { data, offset } = key as View;
    const counter = (number as View).data[(number as View).offset] as number;
    threefry2x32(data[offset] as number, data[offset + 1] as number, counter, FOLD, words);
    output.data.set(words, output.offset);
  },
  vjp: () => [],
  jvp: () => undefined,
});

/** A new key for each whole number, such as the step of a run. */
export const foldIn = (key: Tensor, number: Tensor | number): Tensor =>
  foldOperation(
    [key, typeof number === "number" ? new HostTensor({ dtype: "int32", shape: [] }, Int32Array.of(number)) : number],
    null,
  );

interface Drawn {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A number in (0, 1) with 52 random bits: the middle of one of 2^52 equal intervals, which float64 holds exactly. */
const openUniform = (high: number, low: number): number => ((high >>> 6) * 2 ** 26 + (low >>> 6) + 0.5) / 2 ** 52;

const defineDraw = (name: string, draw: (high: number, low: number, dtype: DType) => number) =>
  defineOperation<Drawn>({
    name,
    infer: ([key], { shape, dtype }) => {
      requireKey(name, key as TensorType);
      if (!isFloat(dtype)) throw new DTypeError(`${name}: draws float32 or float64, not ${dtype}`);
      requireShape(name, shape);
      return { dtype, shape };
    },
    evaluate: ([key], output, { dtype }) => {
      const { data, offset } = key as View;
      for (let k = 0, size = sizeOf(output.shape); k < size; k++) {
        threefry2x32(data[offset] as number, data[offset + 1] as number, k, 0, words);
        output.data[output.offset + k] = draw(words[0] as number, words[1] as number, dtype);
      }
    },
    vjp: () => [],
    jvp: () => undefined,
  });

// float32 keeps the first 24 bits of what float64 gives, so 1 is never reached.
const uniformOperation = defineDraw("uniform", (high, low, dtype) =>
  dtype === "float32" ? (high >>> 8) / 2 ** 24 : ((high >>> 6) * 2 ** 27 + (low >>> 5)) / 2 ** 53,
);
const normalOperation = defineDraw("normal", (high, low) => normalQuantile(openUniform(high, low)));

/** Equally likely numbers in [0, 1). @param dtype default float32 */
export const uniform = (key: Tensor, shape: Shape, dtype: FloatDType = "float32"): Tensor =>
  uniformOperation([key], { shape, dtype });

/** Numbers from the standard normal distribution. @param dtype default float32 */
export const normal = (key: Tensor, shape: Shape, dtype: FloatDType = "float32"): Tensor =>
  normalOperation([key], { shape, dtype });

/**
 * 1 with the given probability, else 0, as int32.
 * @param probability in [0, 1]
 */
export function bernoulli(key: Tensor, probability: number, shape: Shape): Tensor {
  if (!(probability >= 0 && probability <= 1)) {
    throw new OptionError(`bernoulli: the probability must be in [0, 1], but is ${probability}`);
  }
  return less(uniform(key, shape), probability);
}
