/** Operations as ONNX nodes, operator set 17: one row each. */

import { OptionError } from "../../core/index.js";
import type { DType } from "../../tensor/index.js";
import { ELEMENT_TYPE_OF, type GraphBuilder } from "./export-graph.js";
import { constant, constantOf, difference, formatLength, type Length, plus } from "./export-lengths.js";
import { ELEMENT_TYPE } from "./proto.js";
import { blocksPrimitive } from "./recognize-windows.js";

/** Element type, and shape in symbols. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: readonly Length[];
}

/** A value of the graph; nodes for it are made when somebody reads it. */
export interface Value {
  /** Name of the whole tensor. */
  full(): string;
  /** Name of a smaller tensor that repeats to the whole one by ONNX's rules, if there is one. */
  readonly narrow?: () => string;
}

/** An operation applied once. */
export interface Application {
  readonly graph: GraphBuilder;
  // biome-ignore lint/suspicious/noExplicitAny: each operation has parameters of its own, known only to its row.
  readonly params: any;
  readonly operands: readonly Value[];
  /** Types of the operands. */
  readonly types: readonly ValueType[];
  readonly output: ValueType;
  /** A list of whole numbers among the parameters, in symbols. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  lengths(read: (params: any) => readonly number[]): Length[];
}

/** Writes the nodes of one operation. */
export type Conversion = (application: Application) => Value;

/** A name that is made at the first reading. */
export function lazily(make: () => string): () => string {
  let name: string | undefined;
  return () => {
    name ??= make();
    return name;
  };
}

/** A value that is computed. */
export const computed = (name: string): Value => ({ full: () => name });

const END = 2n ** 63n - 1n;
const BEFORE_START = -(2n ** 63n) + 1n;

const same = (a: Length | undefined, b: Length | undefined): boolean =>
  formatLength(a as Length) === formatLength(b as Length);

// ----------------------------------------------------------------------------------------------------- elementwise

/** A formula over names of whole operands. */
const formula =
  (write: (graph: GraphBuilder, x: string, type: ValueType) => string): Conversion =>
  ({ graph, operands, types }) =>
    computed(write(graph, (operands[0] as Value).full(), types[0] as ValueType));

const unary = (operator: string): Conversion => formula((graph, x) => graph.node(operator, [x]));

/** Operands as small as they may be: ONNX repeats them, as long as one of them is whole. */
function repeatable(operands: readonly Value[]): string[] {
  const whole = operands.findIndex(({ narrow }) => narrow === undefined);
  return operands.map(({ full, narrow }, index) => (narrow && whole >= 0 && index !== whole ? narrow() : full()));
}

const binary =
  (operator: string): Conversion =>
  ({ graph, operands }) =>
    computed(graph.node(operator, repeatable(operands)));

const castTo = (graph: GraphBuilder, x: string, elementType: number): string =>
  graph.node("Cast", [x], { to: elementType });
const asInt = (graph: GraphBuilder, condition: string): string => castTo(graph, condition, ELEMENT_TYPE.int32);

/** Conditions are bool in ONNX, int32 here. */
const comparison =
  (operator: string, negated = false): Conversion =>
  ({ graph, operands }) => {
    const holds = graph.node(operator, repeatable(operands));
    return computed(asInt(graph, negated ? graph.node("Not", [holds]) : holds));
  };

/** eˣ - 1 without cancellation: 2t / (1 - t) with t = tanh(x/2), where |x| < 1. */
const expm1 = formula((graph, x, { dtype }) => {
  const [one, half, two] = [1, 0.5, 2].map((value) => graph.scalar(value, dtype)) as [string, string, string];
  const t = graph.node("Tanh", [graph.node("Mul", [x, half])]);
  const near = graph.node("Div", [graph.node("Mul", [t, two]), graph.node("Sub", [one, t])]);
  const far = graph.node("Sub", [graph.node("Exp", [x]), one]);
  return graph.node("Where", [graph.node("Less", [graph.node("Abs", [x]), one]), near, far]);
});

/** log(1 + x) without cancellation: x log(u) / (u - 1) with u the rounded 1 + x; x where u is 1 (Kahan). */
const log1p = formula((graph, x, { dtype }) => {
  const one = graph.scalar(1, dtype);
  const u = graph.node("Add", [x, one]);
  const scaled = graph.node("Div", [graph.node("Mul", [x, graph.node("Log", [u])]), graph.node("Sub", [u, one])]);
  const beyond = graph.node("IsInf", [u]); // ∞/∞ would be NaN
  const exact = graph.node("Or", [graph.node("Equal", [u, one]), beyond]);
  return graph.node("Where", [exact, x, scaled]);
});

const finite: Conversion = formula((graph, x) =>
  asInt(graph, graph.node("Not", [graph.node("Or", [graph.node("IsInf", [x]), graph.node("IsNaN", [x])])])),
);

const select: Conversion = ({ graph, operands }) => {
  const [condition, a, b] = repeatable(operands) as [string, string, string];
  return computed(graph.node("Where", [castTo(graph, condition, ELEMENT_TYPE.bool), a, b]));
};

// ------------------------------------------------------------------------------------------------- moving elements

const fill: Conversion = ({ graph, params, lengths, output: { dtype, shape } }) => {
  const value = lazily((): string => {
    const [number] = lengths(({ value }) => [value]) as [Length];
    if (constantOf(number) !== undefined) return graph.scalar(params.value, dtype);
    const scalar = graph.node("Reshape", [graph.lengths([number]), graph.integers([])]);
    return castTo(graph, scalar, ELEMENT_TYPE_OF[dtype]);
  });
  return {
    full: lazily(() => (shape.length === 0 ? value() : graph.node("Expand", [value(), graph.lengths(shape)]))),
    narrow: value,
  };
};

const broadcast: Conversion = ({ graph, params: { axes }, operands: [x], types: [type], output: { shape } }) => {
  const inner = (type as ValueType).shape;
  const aligned = shape.map((_, axis) => (axes.includes(axis) ? (inner[axes.indexOf(axis)] as Length) : constant(1)));
  const isLast = (axes as number[]).every((axis, k) => axis === shape.length - axes.length + k);
  const narrow = lazily(() =>
    isLast ? (x as Value).full() : graph.node("Reshape", [(x as Value).full(), graph.lengths(aligned)]),
  );
  return { full: lazily(() => graph.node("Expand", [narrow(), graph.lengths(shape)])), narrow };
};

const reshape: Conversion = ({ graph, operands: [x], output: { shape } }) => {
  const open = shape.filter((length) => constantOf(length) === undefined);
  const lengths = open.length === 1 ? shape.map((length) => (length === open[0] ? constant(-1) : length)) : shape;
  return computed(graph.node("Reshape", [(x as Value).full(), graph.lengths(lengths)]));
};

const transpose: Conversion = ({ graph, params: { axes }, operands: [x] }) =>
  computed(graph.node("Transpose", [(x as Value).full()], { perm: axes }));

const slice: Conversion = ({ graph, params: { steps }, lengths, operands: [x], types: [type] }) => {
  const { shape } = type as ValueType;
  const [starts, ends] = [lengths((params) => params.starts), lengths((params) => params.ends)];
  const cut = shape.flatMap((length, axis) => {
    const isWhole = constantOf(starts[axis] as Length) === 0 && same(ends[axis], length) && steps[axis] === 1;
    return isWhole ? [] : [axis];
  });
  const at = (values: readonly Length[]) => graph.lengths(cut.map((axis) => values[axis] as Length));
  const bounds = [at(starts), at(ends), graph.integers(cut), graph.integers(cut.map((axis) => steps[axis]))];
  return computed(graph.node("Slice", [(x as Value).full(), ...bounds]));
};

const pad: Conversion = ({ graph, params: { steps }, lengths, operands: [x], types: [type], output: { shape } }) => {
  if ((steps as number[]).some((step) => step !== 1)) {
    throw new OptionError("exportOnnx: pad with steps (the way back of a slice with steps) has no operator in ONNX");
  }
  const before = lengths((params) => params.starts);
  const after = shape.map((length, axis) =>
    difference(difference(length, before[axis] as Length), (type as ValueType).shape[axis] as Length),
  );
  return computed(graph.node("Pad", [(x as Value).full(), graph.lengths([...before, ...after])]));
};

const concatenate: Conversion = ({ graph, params: { axis }, operands }) =>
  computed(
    graph.node(
      "Concat",
      operands.map(({ full }) => full()),
      { axis },
    ),
  );

const reverse: Conversion = ({ graph, params: { axis }, operands: [x] }) => {
  const bounds = [[-1], [BEFORE_START], [axis], [-1]].map((values) => graph.integers(values));
  return computed(graph.node("Slice", [(x as Value).full(), ...bounds]));
};

/** Windows side by side are another shape, of what fills whole windows. */
const blocks: Conversion = ({ graph, params, lengths, operands: [x], types: [type], output: { shape } }) => {
  const whole = (type as ValueType).shape[params.axis] as Length;
  const [window] = lengths(({ window }) => [window]) as [Length];
  const filled = plus(constant(0), shape[params.axis] as Length, constantOf(window));
  const isCut = constantOf(window) !== undefined && !same(filled, whole);
  const bounds = () => [graph.integers([0]), graph.lengths([filled]), graph.integers([params.axis])];
  const kept = isCut ? graph.node("Slice", [(x as Value).full(), ...bounds()]) : (x as Value).full();
  return computed(graph.node("Reshape", [kept, graph.lengths(shape)]));
};

/** Element j of all windows is a slice with steps; the slices stand side by side along a new axis. */
const unfold: Conversion = ({
  graph,
  params: { axis, into, size, stride, dilation },
  operands: [x],
  output: { shape },
}) => {
  const beyond = plus(constant(1 - stride), shape[axis] as Length, stride);
  const isEmpty = constantOf(shape[axis] as Length) === 0;
  const elements = Array.from({ length: size }, (_, j) => {
    const [start, end] = [
      constant(j * dilation),
      isEmpty ? constant(j * dilation) : plus(beyond, constant(j * dilation)),
    ];
    const bounds = [graph.lengths([start]), graph.lengths([end]), graph.integers([axis]), graph.integers([stride])];
    const taken = graph.node("Slice", [(x as Value).full(), ...bounds]);
    return graph.node("Unsqueeze", [taken, graph.integers([into])]);
  });
  return computed(graph.node("Concat", elements, { axis: into }));
};

// ------------------------------------------------------------------------------------- products, sums and indexing

const matmul: Conversion = ({ graph, params: { transposeA, transposeB }, operands, types }) => {
  const [a, b] = operands.map(({ full }) => full()) as [string, string];
  const rank = (types[0] as ValueType).shape.length;
  if (rank === 2) {
    return computed(
      transposeA || transposeB
        ? graph.node("Gemm", [a, b], { transA: Number(transposeA), transB: Number(transposeB) })
        : graph.node("MatMul", [a, b]),
    );
  }
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
  const turn = (x: string, transposed: boolean) => (transposed ? graph.node("Transpose", [x], { perm }) : x);
  return computed(graph.node("MatMul", [turn(a, transposeA), turn(b, transposeB)]));
};

const sum: Conversion = ({ graph, params: { axes }, operands: [x] }) =>
  computed(graph.node("ReduceSum", [(x as Value).full(), graph.integers(axes)], { keepdims: 0 }));

const max: Conversion = ({ graph, params: { axis }, operands: [x] }) =>
  computed(graph.node("ReduceMax", [(x as Value).full()], { axes: [axis], keepdims: 0 }));

const argmax: Conversion = ({ graph, params: { axis }, operands: [x] }) =>
  computed(asInt(graph, graph.node("ArgMax", [(x as Value).full()], { axis, keepdims: 0 })));

const gather: Conversion = ({ graph, operands }) =>
  computed(
    graph.node(
      "Gather",
      operands.map(({ full }) => full()),
      { axis: 0 },
    ),
  );

const scatterAdd: Conversion = ({ graph, operands }) => {
  const [table, indices, rows] = operands.map(({ full }) => full()) as [string, string, string];
  const places = graph.node("Unsqueeze", [castTo(graph, indices, ELEMENT_TYPE.int64), graph.integers([-1])]);
  return computed(graph.node("ScatterND", [table, places, rows], { reduction: "add" }));
};

/** First index of a window that is held inside an axis, as an int64 vector with one element. */
function windowStart(graph: GraphBuilder, start: Value, room: Length): string {
  const wanted = graph.node("Reshape", [castTo(graph, start.full(), ELEMENT_TYPE.int64), graph.integers([1])]);
  return graph.node("Max", [graph.node("Min", [wanted, graph.lengths([room])]), graph.integers([0])]);
}

const dynamicSlice: Conversion = ({ graph, params: { axis }, operands: [x, start], types: [whole], output }) => {
  const length = output.shape[axis] as Length;
  const first = windowStart(graph, start as Value, difference((whole as ValueType).shape[axis] as Length, length));
  const last = graph.node("Add", [first, graph.lengths([length])]);
  return computed(graph.node("Slice", [(x as Value).full(), first, last, graph.integers([axis])]));
};

const dynamicUpdate: Conversion = ({
  graph,
  params: { axis },
  operands: [x, update, start],
  types: [whole, window],
}) => {
  const [outer, inner] = [whole, window].map((type) => (type as ValueType).shape[axis] as Length) as [Length, Length];
  const first = windowStart(graph, start as Value, difference(outer, inner));
  const after = graph.node("Add", [first, graph.lengths([inner])]);
  const part = (from: string, to: string) =>
    graph.node("Slice", [(x as Value).full(), from, to, graph.integers([axis])]);
  const parts = [part(graph.integers([0]), first), (update as Value).full(), part(after, graph.integers([END]))];
  return computed(graph.node("Concat", parts, { axis }));
};

// ------------------------------------------------------------------------------------------------------- the table

/** Operations with one output, by their names. */
export const CONVERSIONS: ReadonlyMap<string, Conversion> = new Map<string, Conversion>([
  ["negate", unary("Neg")],
  ["abs", unary("Abs")],
  ["sign", unary("Sign")],
  ["floor", unary("Floor")],
  ["exp", unary("Exp")],
  ["log", unary("Log")],
  ["log1p", log1p],
  ["expm1", expm1],
  ["sqrt", unary("Sqrt")],
  ["reciprocal", unary("Reciprocal")],
  ["square", formula((graph, x) => graph.node("Mul", [x, x]))],
  ["sin", unary("Sin")],
  ["cos", unary("Cos")],
  ["tanh", unary("Tanh")],
  ["sigmoid", unary("Sigmoid")],
  ["softplus", unary("Softplus")],
  ["relu", unary("Relu")],
  ["add", binary("Add")],
  ["subtract", binary("Sub")],
  ["multiply", binary("Mul")],
  ["divide", binary("Div")],
  ["power", binary("Pow")],
  ["maximum", binary("Max")],
  ["minimum", binary("Min")],
  ["equal", comparison("Equal")],
  ["notEqual", comparison("Equal", true)],
  ["greater", comparison("Greater")],
  ["greaterEqual", comparison("GreaterOrEqual")],
  ["less", comparison("Less")],
  ["lessEqual", comparison("LessOrEqual")],
  ["isFinite", finite],
  ["select", select],
  [
    "cast",
    ({ graph, operands: [x], output }) => computed(castTo(graph, (x as Value).full(), ELEMENT_TYPE_OF[output.dtype])),
  ],
  ["stopGradient", ({ operands: [x] }) => x as Value],
  ["fill", fill],
  ["broadcast", broadcast],
  ["reshape", reshape],
  ["transpose", transpose],
  ["slice", slice],
  ["pad", pad],
  ["concatenate", concatenate],
  ["reverse", reverse],
  ["unfold", unfold],
  [blocksPrimitive.name, blocks],
  ["matmul", matmul],
  ["sum", sum],
  ["max", max],
  ["argmax", argmax],
  ["gather", gather],
  ["scatterAdd", scatterAdd],
  ["dynamicSlice", dynamicSlice],
  ["dynamicUpdate", dynamicUpdate],
]);
