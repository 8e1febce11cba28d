/** Operators on numbers one by one, and matrix products. */

import {
  abs,
  add,
  cast,
  divide,
  equal,
  expandDims,
  floor,
  less,
  logicalNot,
  logicalOr,
  matmul,
  maximum,
  minimum,
  multiply,
  negate,
  notEqual,
  power,
  select,
  square,
  squeeze,
  subtract,
} from "../../../ops/index.js";
import { formatType, HostTensor, isFloat, sizeOf, type Tensor } from "../../../tensor/index.js";
import type { NodeCall, Operator } from "../node-call.js";
import { ELEMENT_TYPE } from "../proto.js";
import { dtypeOf, elementTypeName } from "../tensor-data.js";

/** An operator that is a function of its one input. */
export const unary =
  (apply: (x: Tensor) => Tensor): Operator =>
  (node) =>
    apply(node.input(0));

/** An operator that is a function of its two inputs. */
export const binary =
  (apply: (a: Tensor, b: Tensor) => Tensor): Operator =>
  (node) =>
    apply(node.input(0), node.input(1));

/** An operator that joins any number of inputs, two at a time. */
export const variadic =
  (apply: (a: Tensor, b: Tensor) => Tensor): Operator =>
  (node) =>
    node.inputs.map((_, index) => node.input(index)).reduce(apply);

/** Mean of any number of inputs. */
export const meanOfInputs: Operator = (node) => divide(variadic(add)(node) as Tensor, node.inputs.length);

/** |x|, of whole numbers, too. */
export const absolute = (x: Tensor): Tensor => (isFloat(x.dtype) ? abs(x) : maximum(x, negate(x)));

/** The whole number at or above. */
export const ceiling = (x: Tensor): Tensor => negate(floor(negate(x)));

/** 1 where exactly one condition holds. */
export const exclusiveOr = (a: Tensor, b: Tensor): Tensor => notEqual(logicalNot(a), logicalNot(b));

/** aᵇ; the exponent takes the type of the base. */
export const raise = (a: Tensor, b: Tensor): Tensor => {
  const isTwo = b instanceof HostTensor && sizeOf(b.shape) === 1 && b.shape.length <= a.shape.length && b.data[0] === 2;
  return isTwo && isFloat(a.dtype) ? square(a) : power(a, cast(b, a.dtype));
};

/** Remainder of a division: with the sign of the divisor, or (`fmod`) of the dividend. */
export const modulo: Operator = (node) => {
  const [a, b] = [node.input(0), node.input(1)];
  const keepsSign = node.int("fmod", 0) !== 0;
  if (!isFloat(a.dtype)) {
    const remainder = subtract(a, multiply(divide(a, b), b));
    const wrong = multiply(notEqual(remainder, 0), notEqual(isNegative(remainder), isNegative(b)));
    return keepsSign ? remainder : add(remainder, multiply(wrong, b));
  }
  if (!keepsSign) throw node.error("needs fmod = 1 for floating-point numbers");
  const quotient = divide(a, b);
  const whole = select(isNegative(quotient), ceiling(quotient), floor(quotient));
  return subtract(a, multiply(whole, b));
};

/** 1 where the number is negative. */
const isNegative = (x: Tensor): Tensor => less(x, 0);

/** 1 where the number is an infinity: of both signs, or of one that the attributes leave. */
export const infinite: Operator = (node) => {
  const x = node.input(0);
  const [above, below] = [node.int("detect_positive", 1) !== 0, node.int("detect_negative", 1) !== 0];
  return logicalOr(multiply(equal(x, Infinity), Number(above)), multiply(equal(x, -Infinity), Number(below)));
};

/** x held within bounds, which are attributes before operator set 11 and inputs since; either may be absent. */
export const clip: Operator = (node) => {
  const x = node.input(0);
  const [lower, upper] = [
    node.float("min", undefined) ?? node.inputs[1],
    node.float("max", undefined) ?? node.inputs[2],
  ];
  const raised = lower === undefined ? x : maximum(x, lower);
  return upper === undefined ? raised : minimum(raised, upper);
};

/** Conversion of the element type. Half precision becomes float32, and all whole numbers int32. */
export const convert: Operator = (node) => {
  const x = node.input(0);
  const to = node.int("to", 0);
  node.ignore("saturate", "round_mode");
  if (to === ELEMENT_TYPE.bool) return notEqual(x, 0);
  const dtype = dtypeOf(to);
  if (dtype === undefined) throw node.error(`converts to ${elementTypeName(to)}, which is not supported`);
  return cast(x, dtype);
};

/** Parametric ReLU: x, times a slope where it is negative. */
export const parametricRelu = (x: Tensor, slope: Tensor): Tensor => add(maximum(x, 0), multiply(slope, minimum(x, 0)));

/** Matrix product as NumPy has it: a vector on the left is a row, one on the right a column. */
export const matrixProduct = (a: Tensor, b: Tensor): Tensor => {
  const left = a.shape.length === 1 ? expandDims(a, 0) : a;
  const right = b.shape.length === 1 ? expandDims(b, 1) : b;
  const product = matmul(left, right);
  const withoutRow = a.shape.length === 1 ? squeeze(product, -2) : product;
  return b.shape.length === 1 ? squeeze(withoutRow, -1) : withoutRow;
};

/** α A B + β C, A and B transposed or not. */
export const gemm: Operator = (node) => {
  const options = { transposeA: node.int("transA", 0) !== 0, transposeB: node.int("transB", 0) !== 0 };
  const [a, b, c] = [node.input(0), node.input(1), node.inputs[2]];
  const [alpha, beta] = [node.float("alpha", 1), node.float("beta", 1)];
  requireMatrix(node, a);
  requireMatrix(node, b);
  const product = scale(matmul(a, b, options), alpha);
  return c === undefined || beta === 0 ? product : add(product, scale(c, beta));
};

const scale = (x: Tensor, factor: number): Tensor => (factor === 1 ? x : multiply(x, factor));

function requireMatrix(node: NodeCall, x: Tensor): void {
  if (x.shape.length !== 2) throw node.error(`needs matrices, but was given ${formatType(x)}`);
}
