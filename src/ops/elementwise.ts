/**
 * Elementwise operations: one line each, its function and its derivative.
 *
 * A derivative is written in terms of the operands and the result `y`; both rules of an operation follow from it:
 *
 *   reverse   x̄ᵢ = ȳ ∂y/∂xᵢ          forward   ẏ = Σᵢ ẋᵢ ∂y/∂xᵢ
 */

import { DTypeError, ShapeError } from "../core/index.js";
import { type Derivative, lift, type Primitive } from "../program/index.js";
import {
  broadcastShapes,
  copyElements,
  type DType,
  formatType,
  HostTensor,
  isFloat,
  type Shape,
  sameShape,
  sameType,
  sizeOf,
  type Tensor,
  type TensorType,
  type View,
} from "../tensor/index.js";
import { addLoop, type BinaryLoop, multiplyLoop, subtractLoop } from "./arithmetic-loops.js";
import { broadcastTo, repeatShared } from "./broadcast.js";
import { defineOperation, type Operation } from "./operation.js";
import { fill, zerosLike } from "./shape.js";

/** A tensor, or a number that takes the type of the operand beside it. */
export type Operand = Tensor | number;

// ------------------------------------------------------------------------------------------- how records are made

/** A partial derivative: a constant 1, -1 or 0, or an expression in the operands and the result. */
type Slope = 1 | -1 | 0 | ((operands: readonly Tensor[], y: Tensor) => Tensor);

const scaleBySlope = (derivative: Tensor, slope: Slope, operands: readonly Tensor[], y: Tensor): Derivative => {
  if (slope === 0) return undefined;
  if (slope === 1) return derivative;
  return slope === -1 ? negate(derivative) : multiply(derivative, slope(operands, y));
};

/** Sum of those derivatives that are not zero. */
export const addDerivatives = (terms: readonly Derivative[]): Derivative =>
  terms.reduce((sum, term) => (sum === undefined || term === undefined ? (sum ?? term) : add(sum, term)), undefined);

type Evaluate = (inputs: readonly View[], output: View) => void;

function defineElementwise(
  name: string,
  evaluate: Evaluate,
  slopes: readonly Slope[],
  result?: DType,
): Operation<null> {
  const operation: Operation<null> = defineOperation<null>({
    name,
    pointwise: true,
    infer: (inputs) => {
      const first = inputs[0] as TensorType;
      for (const other of inputs) {
        if (!sameType(first, other)) requireSameType(name, first, other);
      }
      return result === undefined ? first : { dtype: result, shape: first.shape };
    },
    evaluate,
    vjp: (cotangent, { inputs, output }, active) =>
      slopes.map((slope, index) => (active[index] ? scaleBySlope(cotangent, slope, inputs, output) : undefined)),
    jvp: (tangents, { inputs, output }) =>
      addDerivatives(
        tangents.map((tangent, index) => tangent && scaleBySlope(tangent, slopes[index] as Slope, inputs, output)),
      ),
    batch: (inputs, _, batched, length) => operation(repeatShared(inputs, batched, length), null),
  });
  return operation;
}

function requireSameType(name: string, a: TensorType, b: TensorType): void {
  if (a.dtype !== b.dtype) {
    throw new DTypeError(`${name}: ${formatType(a)} and ${formatType(b)} differ in type; convert one with cast`);
  }
  throw new ShapeError(`${name}: ${formatType(a)} and ${formatType(b)} differ in shape`);
}

/** A function of tensors that is one operation; passes over Programs write its primitive directly. */
type Applied<Function> = Function & { readonly primitive: Primitive<null> };

const unary = (name: string, compute: (x: number) => number, slope: Slope): Applied<(x: Tensor) => Tensor> => {
  const evaluate: Evaluate = ([x], { data, offset, shape }) => {
    const { data: read, offset: readAt } = x as View;
    for (let k = 0, size = sizeOf(shape); k < size; k++) data[offset + k] = compute(read[readAt + k] as number);
  };
  const operation = defineElementwise(name, evaluate, [slope]);
  const apply = (x: Tensor): Tensor => {
    if (slope !== 0 && slope !== 1 && slope !== -1 && !isFloat(x.dtype)) {
      throw new DTypeError(`${name}: needs float32 or float64, but was given ${formatType(x)}; convert it with cast`);
    }
    return operation([x], null);
  };
  return Object.assign(apply, { primitive: operation.primitive });
};

/** Brings two operands to one shape, and numbers to the type of the operand beside them. */
function alignOperands(name: string, a: Operand, b: Operand): [Tensor, Tensor] {
  if (typeof a === "number" && typeof b === "number") return [fill([], a), fill([], b)];
  if (typeof a === "number") return [fillLike(name, b as Tensor, a), b as Tensor];
  if (typeof b === "number") return [a, fillLike(name, a, b)];
  if (a.dtype !== b.dtype) requireSameType(name, a, b);
  if (sameShape(a.shape, b.shape)) return [a, b];
  const shape = broadcastShapes(name, a.shape, b.shape);
  return [repeatTo(a, shape, b), repeatTo(b, shape, a)];
}

/** Repeated as the other operand needs it. A constant beside a traced one is not written out: kernels read it as often as they need it. */
const repeatTo = (x: Tensor, shape: Shape, other: Tensor): Tensor =>
  sameShape(x.shape, shape) ? x : broadcastTo(other instanceof HostTensor ? x : lift(x), shape);

function fillLike(name: string, like: Tensor, value: number): Tensor {
  if (like.dtype === "int32" && (value | 0) !== value) {
    throw new DTypeError(`${name}: ${value} is no int32; convert ${formatType(like)} with cast, or use a whole number`);
  }
  return fill(like.shape, value, like.dtype);
}

type Binary = Applied<(a: Operand, b: Operand) => Tensor>;

const loopOver =
  (compute: (a: number, b: number) => number): BinaryLoop =>
  (a, aAt, b, bAt, out, at, size) => {
    for (let k = 0; k < size; k++) out[at + k] = compute(a[aAt + k] as number, b[bAt + k] as number);
  };

const binary = (name: string, loop: BinaryLoop, slopes: readonly [Slope, Slope], result?: DType): Binary => {
  const evaluate: Evaluate = ([left, right], { data, offset, shape }) => {
    const [a, b] = [left as View, right as View];
    loop(a.data, a.offset, b.data, b.offset, data, offset, sizeOf(shape));
  };
  const operation = defineElementwise(name, evaluate, slopes, result);
  const apply = (a: Operand, b: Operand): Tensor => operation(alignOperands(name, a, b), null);
  return Object.assign(apply, { primitive: operation.primitive });
};

/** Comparisons give int32, 1 or 0. */
const comparison = (name: string, compute: (a: number, b: number) => boolean): Binary =>
  binary(
    name,
    loopOver((a, b) => (compute(a, b) ? 1 : 0)),
    [0, 0],
    "int32",
  );

/** Slope of max and min: the whole gradient to the chosen operand, half to each where they are equal. */
const chosen =
  (own: 0 | 1): Slope =>
  (operands, y) => {
    const [mine, other] = [operands[own] as Tensor, operands[1 - own] as Tensor];
    return select(equal(mine, other), fill(y.shape, 0.5, y.dtype), cast(equal(mine, y), y.dtype));
  };

// -------------------------------------------------------------------------------------------------- the operations

/** -x */
export const negate = unary("negate", (x) => -x, -1);
/** |x|; the derivative at 0 is 0 */
export const abs = unary("abs", Math.abs, ([x]) => sign(x as Tensor));
/** -1, 0 or 1; derivative 0 */
export const sign = unary("sign", Math.sign, 0);
/** The whole number at or below; derivative 0 */
export const floor = unary("floor", Math.floor, 0);
/** eˣ */
export const exp = unary("exp", Math.exp, (_, y) => y);
/** Natural logarithm */
export const log = unary("log", Math.log, ([x]) => reciprocal(x as Tensor));
/** log(1 + x), exact for small x */
export const log1p = unary("log1p", Math.log1p, ([x]) => reciprocal(add(x as Tensor, 1)));
/** eˣ - 1, exact for small x */
export const expm1 = unary("expm1", Math.expm1, (_, y) => add(y, 1));
/** √x */
export const sqrt = unary("sqrt", Math.sqrt, (_, y) => divide(0.5, y));
/** 1 / x */
export const reciprocal = unary(
  "reciprocal",
  (x) => 1 / x,
  (_, y) => negate(square(y)),
);
/** x² */
export const square = unary(
  "square",
  (x) => x * x,
  ([x]) => multiply(x as Tensor, 2),
);
/** Sine, x in radians */
export const sin = unary("sin", Math.sin, ([x]) => cos(x as Tensor));
/** Cosine, x in radians */
export const cos = unary("cos", Math.cos, ([x]) => negate(sin(x as Tensor)));
/** Hyperbolic tangent */
export const tanh = unary("tanh", Math.tanh, (_, y) => subtract(1, square(y)));
/** Logistic function 1 / (1 + e⁻ˣ) */
export const sigmoid = unary(
  "sigmoid",
  (x) => 1 / (1 + Math.exp(-x)),
  (_, y) => multiply(y, subtract(1, y)),
);
/** log(1 + eˣ), without overflow */
export const softplus = unary(
  "softplus",
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  ([x]) => sigmoid(x as Tensor),
);
/** x where positive, else 0; the derivative at 0 is 0 */
export const relu = unary(
  "relu",
  (x) => (x < 0 ? 0 : x),
  ([x]) => cast(greater(x as Tensor, 0), (x as Tensor).dtype),
);

/** a + b */
export const add = binary("add", addLoop, [1, 1]);
/** a - b */
export const subtract = binary("subtract", subtractLoop, [1, -1]);
/** a b, elementwise */
export const multiply = binary("multiply", multiplyLoop, [([, b]) => b as Tensor, ([a]) => a as Tensor]);
/** a / b */
export const divide = binary(
  "divide",
  loopOver((a, b) => a / b),
  [([, b]) => reciprocal(b as Tensor), ([, b], y) => negate(divide(y, b as Tensor))],
);
/** aᵇ; the derivative for b needs a > 0 */
export const power = binary(
  "power",
  loopOver((a, b) => a ** b),
  [
    ([a, b]) => multiply(b as Tensor, power(a as Tensor, subtract(b as Tensor, 1))),
    ([a], y) => multiply(y, log(a as Tensor)),
  ],
);
/** The larger of a and b; NaN if either is */
export const maximum = binary("maximum", loopOver(Math.max), [chosen(0), chosen(1)]);
/** The smaller of a and b; NaN if either is */
export const minimum = binary("minimum", loopOver(Math.min), [chosen(0), chosen(1)]);

/** a = b, as int32 */
export const equal = comparison("equal", (a, b) => a === b);
/** a ≠ b, as int32 */
export const notEqual = comparison("notEqual", (a, b) => a !== b);
/** a > b, as int32 */
export const greater = comparison("greater", (a, b) => a > b);
/** a ≥ b, as int32 */
export const greaterEqual = comparison("greaterEqual", (a, b) => a >= b);
/** a < b, as int32 */
export const less = comparison("less", (a, b) => a < b);
/** a ≤ b, as int32 */
export const lessEqual = comparison("lessEqual", (a, b) => a <= b);

const isFiniteOperation = defineElementwise(
  "isFinite",
  ([x], { data, offset, shape }) => {
    const { data: read, offset: readAt } = x as View;
    for (let k = 0, size = sizeOf(shape); k < size; k++) data[offset + k] = Number.isFinite(read[readAt + k]) ? 1 : 0;
  },
  [0],
  "int32",
);

/** Whether x is neither NaN nor infinite, as int32 */
export const isFiniteNumber = (x: Tensor): Tensor => isFiniteOperation([x], null);

// ------------------------------------------------------------------------------------- select, cast, stopGradient

const selectOperation: Operation<null> = defineOperation({
  name: "select",
  pointwise: true,
  infer: ([condition, a, b]) => {
    if ((condition as TensorType).dtype !== "int32") {
      throw new DTypeError(`select: the condition must be int32, but is ${formatType(condition as TensorType)}`);
    }
    if (!sameType(a as TensorType, b as TensorType)) requireSameType("select", a as TensorType, b as TensorType);
    if (!sameShape((condition as TensorType).shape, (a as TensorType).shape)) {
      throw new ShapeError(
        `select: the condition ${formatType(condition as TensorType)} and ${formatType(a as TensorType)} differ in shape`,
      );
    }
    return a as TensorType;
  },
  evaluate: ([condition, a, b], { data, offset, shape }) => {
    const [c, x, y] = [condition as View, a as View, b as View];
    for (let k = 0, size = sizeOf(shape); k < size; k++) {
      data[offset + k] = (c.data[c.offset + k] !== 0 ? x.data[x.offset + k] : y.data[y.offset + k]) as number;
    }
  },
  vjp: (cotangent, { inputs: [condition] }, active) => [
    undefined,
    active[1] ? select(condition as Tensor, cotangent, zerosLike(cotangent)) : undefined,
    active[2] ? select(condition as Tensor, zerosLike(cotangent), cotangent) : undefined,
  ],
  jvp: ([, a, b], { inputs: [condition], output }) =>
    a === undefined && b === undefined
      ? undefined
      : select(condition as Tensor, a ?? zerosLike(output), b ?? zerosLike(output)),
  batch: (inputs, _, batched, length) => selectOperation(repeatShared(inputs, batched, length), null),
});

/**
 * `a` where the condition (int32) is not 0, else `b`. The operand that is not chosen has no influence, NaN included.
 */
export function select(condition: Tensor, a: Operand, b: Operand): Tensor {
  const [x, y] = alignOperands("select", a, b);
  const shape = broadcastShapes("select", condition.shape, x.shape);
  return selectOperation([broadcastTo(condition, shape), broadcastTo(x, shape), broadcastTo(y, shape)], null);
}

const castOperation: Operation<{ dtype: DType }> = defineOperation({
  name: "cast",
  pointwise: true,
  infer: ([x], { dtype }) => ({ dtype, shape: (x as TensorType).shape }),
  evaluate: ([x], output) => copyElements(x as View, output),
  vjp: (cotangent, { inputs: [x] }) => [
    isFloat((x as Tensor).dtype) ? cast(cotangent, (x as Tensor).dtype) : undefined,
  ],
  jvp: ([tangent], { params: { dtype } }) => (isFloat(dtype) ? cast(tangent as Tensor, dtype) : undefined),
  batch: ([x], { dtype }) => cast(x as Tensor, dtype),
});

/** Converts to another element type; towards zero when it becomes int32. */
export const cast = (x: Tensor, dtype: DType): Tensor => (x.dtype === dtype ? x : castOperation([x], { dtype }));

const stopGradientOperation: Operation<null> = defineOperation({
  name: "stopGradient",
  alias: true,
  infer: ([x]) => x as TensorType,
  evaluate: ([x], output) => copyElements(x as View, output),
  vjp: () => [],
  jvp: () => undefined,
  batch: ([x]) => stopGradientOperation([x as Tensor], null),
});

/** The same numbers, but constant to differentiation. */
export const stopGradient = (x: Tensor): Tensor =>
  x instanceof HostTensor || !isFloat(x.dtype) ? x : stopGradientOperation([x], null);

// -------------------------------------------------------------------------------------------------------- composed

/** x held within [lower, upper] */
export const clamp = (x: Tensor, lower: number, upper: number): Tensor => minimum(maximum(x, lower), upper);

/** 1 where both conditions hold */
export const logicalAnd = (a: Tensor, b: Tensor): Tensor => multiply(cast(notEqual(a, 0), "int32"), notEqual(b, 0));

/** 1 where at least one condition holds */
export const logicalOr = (a: Tensor, b: Tensor): Tensor => maximum(notEqual(a, 0), notEqual(b, 0));

/** 1 where the condition does not hold */
export const logicalNot = (a: Tensor): Tensor => equal(a, 0);
