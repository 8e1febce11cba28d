/** The table of operators: all that an imported model may contain. */

import {
  add,
  cos,
  divide,
  equal,
  exp,
  floor,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  logicalAnd,
  logicalNot,
  logicalOr,
  max,
  maximum,
  mean,
  minimum,
  multiply,
  negate,
  notEqual,
  reciprocal,
  select,
  sign,
  sin,
  sqrt,
  subtract,
} from "../../../ops/index.js";
import type { Operator } from "../node-call.js";
import type { OnnxNode } from "../proto.js";
import { activation, hardSwish, selu } from "./activations.js";
import {
  absolute,
  binary,
  ceiling,
  clip,
  convert,
  exclusiveOr,
  gemm,
  infinite,
  matrixProduct,
  meanOfInputs,
  modulo,
  parametricRelu,
  raise,
  unary,
  variadic,
} from "./arithmetic.js";
import { ifGraph, loopGraph, scanGraph } from "./control.js";
import { erf, gelu } from "./erf.js";
import { gatherElements, gatherPlaces, gatherSlices, oneHotAxis, reverseSequences } from "./indexing.js";
import { padAxes } from "./padding.js";
import { gruOperator, lstmOperator, rnnOperator } from "./recurrent.js";
import {
  argMax,
  argMin,
  batchNormalization,
  cumulativeSum,
  dropout,
  instanceNormalization,
  layerNormalization,
  logSoftmaxAlong,
  REDUCTIONS,
  reduction,
  softmaxAlong,
} from "./reduction.js";
import {
  concat,
  constant,
  constantOfShape,
  expand,
  flatten,
  numberRange,
  permute,
  reshapeTo,
  shapeOf,
  size,
  sliceAxes,
  splitAxis,
  squeezeAxes,
  tile,
  unsqueeze,
} from "./shape.js";
import { averagePool, convolution, globalPool, maxPool } from "./windows.js";

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  // Recurrent
  ["RNN", rnnOperator],
  ["GRU", gruOperator],
  ["LSTM", lstmOperator],

  // With graphs inside
  ["Scan", scanGraph],
  ["Loop", loopGraph],
  ["If", ifGraph],

  // Numbers one by one
  ["Abs", unary(absolute)],
  ["Ceil", unary(ceiling)],
  ["Cos", unary(cos)],
  ["Erf", unary(erf)],
  ["Exp", unary(exp)],
  ["Floor", unary(floor)],
  ["Identity", unary((x) => x)],
  ["IsInf", infinite],
  ["IsNaN", unary((x) => notEqual(x, x))],
  ["Log", unary(log)],
  ["Neg", unary(negate)],
  ["Not", unary(logicalNot)],
  ["Reciprocal", unary(reciprocal)],
  ["Sign", unary(sign)],
  ["Sin", unary(sin)],
  ["Sqrt", unary(sqrt)],
  ["Add", binary(add)],
  ["And", binary(logicalAnd)],
  ["Div", binary(divide)],
  ["Equal", binary(equal)],
  ["Greater", binary(greater)],
  ["GreaterOrEqual", binary(greaterEqual)],
  ["Less", binary(less)],
  ["LessOrEqual", binary(lessEqual)],
  ["Mul", binary(multiply)],
  ["Or", binary(logicalOr)],
  ["PRelu", binary(parametricRelu)],
  ["Pow", binary(raise)],
  ["Sub", binary(subtract)],
  ["Xor", binary(exclusiveOr)],
  ["Max", variadic(maximum)],
  ["Mean", meanOfInputs],
  ["Min", variadic(minimum)],
  ["Sum", variadic(add)],
  ["Cast", convert],
  ["Clip", clip],
  ["Mod", modulo],
  ["Where", (node) => select(node.input(0), node.input(1), node.input(2))],
  ["Dropout", dropout],

  // Activation functions
  ["Elu", activation("Elu")],
  ["Gelu", gelu],
  ["HardSigmoid", activation("HardSigmoid")],
  ["HardSwish", unary(hardSwish)],
  ["LeakyRelu", activation("LeakyRelu")],
  ["Relu", activation("Relu")],
  ["Selu", selu],
  ["Sigmoid", activation("Sigmoid")],
  ["Softplus", activation("Softplus")],
  ["Softsign", activation("Softsign")],
  ["Tanh", activation("Tanh")],
  ["ThresholdedRelu", activation("ThresholdedRelu")],

  // Products
  ["Gemm", gemm],
  ["MatMul", binary(matrixProduct)],

  // Windows
  ["AveragePool", averagePool],
  ["Conv", convolution],
  ["GlobalAveragePool", globalPool(mean)],
  ["GlobalMaxPool", globalPool(max)],
  ["MaxPool", maxPool],

  // Along axes
  ["ArgMax", argMax],
  ["ArgMin", argMin],
  ["BatchNormalization", batchNormalization],
  ["CumSum", cumulativeSum],
  ["InstanceNormalization", instanceNormalization],
  ["LayerNormalization", layerNormalization],
  ["LogSoftmax", logSoftmaxAlong],
  ["Softmax", softmaxAlong],
  ...Object.entries(REDUCTIONS).map(([name, reduce]) => [name, reduction(reduce)] as const),

  // Shapes, and elements moved
  ["Concat", concat],
  ["Constant", constant],
  ["ConstantOfShape", constantOfShape],
  ["Expand", expand],
  ["Flatten", flatten],
  ["Gather", gatherSlices],
  ["GatherElements", gatherElements],
  ["GatherND", gatherPlaces],
  ["OneHot", oneHotAxis],
  ["Pad", padAxes],
  ["Range", numberRange],
  ["Reshape", reshapeTo],
  ["ReverseSequence", reverseSequences],
  ["Shape", shapeOf],
  ["Size", size],
  ["Slice", sliceAxes],
  ["Split", splitAxis],
  ["Squeeze", squeezeAxes],
  ["Tile", tile],
  ["Transpose", permute],
  ["Unsqueeze", unsqueeze],
]);

/** The operator of a node; nothing for those that are not supported, or of another set than the standard one. */
export const operatorOf = ({ opType = "", domain = "" }: OnnxNode): Operator | undefined =>
  domain === "" || domain === "ai.onnx" ? OPERATORS.get(opType) : undefined;
