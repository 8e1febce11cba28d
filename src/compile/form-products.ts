/** matmul -> product: an addition behind it becomes its third operand, and a matrix that a loop does not change is packed before it. */

import { reshapePrimitive } from "../ops/index.js";
import { type Equation, type Program, producersOf, pruneProgram, readerCounts, Variable } from "../program/index.js";
import { type ScanParams, scanPrimitive } from "../scan/index.js";
import { sameShape, sizeOf, type TensorType } from "../tensor/index.js";
import { constantsOf, withBody } from "./before-loop.js";
import { mergeCommon } from "./merge-common.js";
import { type Packing, type PackParams, type ProductParams, packPrimitive, productPrimitive } from "./product.js";
import { isViewOperation, type StridedView, viewThrough, wholeView } from "./strided-view.js";

/**
 * The same Program with products of float32 matrices as kernels execute them.
 * @param packing how matrices are packed
 * @param constants inputs of the Program that are the same at every run: matrices among them are packed, too
 */
export function formProducts(
  program: Program,
  packing: Packing,
  constants: { has(variable: Variable): boolean } = new Set(),
): Program {
  const equations = mergeAdditions(program).equations.flatMap((equation): Equation[] => {
    if (equation.primitive === scanPrimitive) return packBefore(equation, packing);
    return isMatrixProduct(equation)
      ? pack({ ...equation, primitive: productPrimitive }, constants, packing)
      : pack(equation, constants, packing);
  });
  return pruneProgram(mergeCommon({ ...program, equations }));
}

/** A product of two float32 matrices, as it was traced. */
export const isMatrixProduct = ({ primitive, inputs }: Equation): boolean =>
  primitive.name === "matmul" && inputs.every(({ type }) => type.dtype === "float32" && type.shape.length === 2);

// ------------------------------------------------------------------------------------------------------ additions

/** D + A B where nothing else reads A B: one product with three operands. */
function mergeAdditions(program: Program): Program {
  const readers = readerCounts(program);
  const products = new Map<Variable, Equation>();
  for (const equation of program.equations.filter(isMatrixProduct))
    products.set(equation.outputs[0] as Variable, equation);
  const producers = producersOf(program);
  /** A product, seen through a change of shape that nothing else reads. */
  const productOf = (variable: Variable): Equation | undefined => {
    if (readers.get(variable) !== 1) return undefined;
    const made = producers.get(variable);
    if (made?.primitive.name === "reshape") return productOf(made.inputs[0] as Variable);
    return products.get(variable);
  };
  const absorbed = new Set<Equation>();
  const equations = program.equations.flatMap((equation): Equation[] => {
    if (equation.primitive.name !== "add") return [equation];
    for (const [own, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const product = productOf(equation.inputs[own] as Variable);
      if (product === undefined || absorbed.has(product)) continue;
      const [result] = equation.outputs as [Variable];
      const addend = addendOf(equation.inputs[other] as Variable, product, producers);
      absorbed.add(product);
      return [...addend.equations, ...formed(product, addend.variable, result)];
    }
    return [equation];
  });
  return { ...program, equations: equations.filter((equation) => !absorbed.has(equation)) };
}

/** What is added, as a matrix of the product's shape or as the one row that is added everywhere. */
function addendOf(
  addend: Variable,
  product: Equation,
  producers: ReadonlyMap<Variable, Equation>,
): { variable: Variable; equations: Equation[] } {
  const { type } = product.outputs[0] as Variable;
  const [rows, columns] = type.shape as [number, number];
  if (rows > 0 && rows * columns > columns) {
    const row = repeatedRow(addend, [rows, columns], producers);
    if (row !== undefined) return { variable: row, equations: [] };
  }
  if (sameShape(addend.type.shape, type.shape)) return { variable: addend, equations: [] };
  const reshaped = new Variable(type);
  return { variable: reshaped, equations: [reshapeEquation(addend, reshaped)] };
}

/** The row that a matrix repeats, seen through all that only repeats it. */
export function repeatedRow(
  matrix: Variable,
  shape: readonly [number, number],
  producers: ReadonlyMap<Variable, Equation>,
): Variable | undefined {
  const chain: Equation[] = [];
  let source = matrix;
  for (let made = producers.get(source); made !== undefined && isViewOperation(made); made = producers.get(source)) {
    chain.unshift(made);
    source = made.inputs[0] as Variable;
  }
  const last = reshapeEquation(matrix, new Variable({ dtype: matrix.type.dtype, shape }));
  const view = [...chain, last].reduce<StridedView | undefined>(
    (current, equation) => current && viewThrough(equation, current),
    wholeView(source.type.shape),
  );
  const repeats = view?.offset === 0 && view.strides[0] === 0 && (view.strides[1] === 1 || shape[1] === 1);
  return repeats && sizeOf(source.type.shape) === shape[1] ? source : undefined;
}

const reshapeEquation = (from: Variable, to: Variable): Equation => ({
  primitive: reshapePrimitive,
  params: { shape: to.type.shape },
  inputs: [from],
  outputs: [to],
});

/** The product with its addend, given the shape that the sum had. */
function formed(product: Equation, addend: Variable, result: Variable): Equation[] {
  const matrix = product.outputs[0] as Variable;
  const direct = sameShape(matrix.type.shape, result.type.shape);
  const output = direct ? result : new Variable(matrix.type);
  const equation: Equation = {
    primitive: productPrimitive,
    params: product.params,
    inputs: [...product.inputs, addend],
    outputs: [output],
  };
  return direct ? [equation] : [equation, reshapeEquation(output, result)];
}

// -------------------------------------------------------------------------------------------------------- packing

/** The loop with the products of its body formed, behind what packs the matrices that they read unchanged at every step. */
function packBefore(loop: Equation, packing: Packing): Equation[] {
  const body = formProducts((loop.params as ScanParams).body, packing, constantsOf(loop));
  return withBody(loop, body, ({ primitive }) => primitive === packPrimitive);
}

/** A product whose second operand is one of the given matrices: that one packed, and the product of it. */
function pack(equation: Equation, matrices: { has(variable: Variable): boolean }, packing: Packing): Equation[] {
  const { primitive, params, inputs, outputs } = equation;
  const [a, b, ...addend] = inputs as [Variable, Variable];
  if (primitive !== productPrimitive || !matrices.has(b)) return [equation];
  const { transposeA, transposeB, packedColumns } = params as ProductParams;
  if (transposeA || packedColumns !== undefined) return [equation];
  const packParams: PackParams = { ...packing, transpose: transposeB };
  const packed = new Variable(packPrimitive.infer([b.type], packParams)[0] as TensorType);
  const columns = (outputs[0] as Variable).type.shape[1] as number;
  const productParams: ProductParams = { transposeA, transposeB: false, packedColumns: columns, ...packing };
  return [
    { primitive: packPrimitive, params: packParams, inputs: [b], outputs: [packed] },
    { primitive: productPrimitive, params: productParams, inputs: [a, packed, ...addend], outputs },
  ];
}
