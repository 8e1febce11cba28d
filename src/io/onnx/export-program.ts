/** Programs to nodes: one Program, traced at several sizes, becomes one graph. */

import { OptionError } from "../../core/index.js";
import { broadcastTo, slice } from "../../ops/index.js";
import type { Equation, Program, Variable } from "../../program/index.js";
import { firstConstant, type ScanParams } from "../../scan/index.js";
import { sameShape, stridesOf, type Tensor } from "../../tensor/index.js";
import { ELEMENT_TYPE_OF, GraphBuilder, valueInfo } from "./export-graph.js";
import { constant, constantOf, type Length, lengthFrom, type Quotient } from "./export-lengths.js";
import { type Application, CONVERSIONS, computed, lazily, type Value, type ValueType } from "./export-operations.js";
import { recurrentNode } from "./export-recurrent.js";
import type { WeightTable } from "./export-weights.js";
import type { OnnxValueInfo } from "./proto.js";
import type { NativeParams } from "./recognize-cells.js";

/** What all parts of one export share. */
export interface ExportContext {
  readonly symbols: readonly string[];
  /** Lengths that are quotients of others; see `findQuotients`. */
  readonly quotients: Map<string, Quotient>;
  /** Parameters of the model: the inputs of the Program that recurrent operators take as constants. */
  readonly weights: WeightTable;
}

/** Values by the variables of the first of the traced Programs. */
type Values = Map<Variable, Value>;

/** What an equation is at all sizes. */
type Aligned = readonly Equation[];

/** Adds the nodes that compute the Programs' outputs. @param programs the same function at all sample points */
export function convertProgram(
  context: ExportContext,
  graph: GraphBuilder,
  programs: readonly Program[],
  values: Values,
): Value[] {
  requireOneForm(context, programs);
  const [first] = programs as [Program];
  first.equations.forEach((equation, index) => {
    const aligned = programs.map(({ equations }) => equations[index] as Equation);
    convertEquation(context, graph, aligned, values).forEach((value, place) => {
      values.set(equation.outputs[place] as Variable, value);
    });
  });
  return first.outputs.map((variable) => values.get(variable) as Value);
}

/** Parameters that may depend on sizes: what reads them asks for formulas. */
const MAY_DIFFER: ReadonlySet<string> = new Set(["shape", "starts", "ends", "length", "window", "value", "body"]);

/** @throws OptionError unless all Programs do the same operations on the same values, with the same settings */
export function requireOneForm({ symbols }: ExportContext, programs: readonly Program[]): void {
  const outlines = programs.map(outlineOf);
  const [first] = outlines as [string[]];
  for (const outline of outlines) {
    const line = first.findIndex((text, index) => text !== outline[index]);
    if (line < 0 && outline.length === first.length) continue;
    const where = programs[0]?.equations[line]?.primitive.name ?? "its end";
    throw new OptionError(
      `exportOnnx: the function does other operations at other sizes of ${symbols.join(", ")} (near ${where}); ` +
        "write it so that sizes change shapes only, or give the sizes as numbers",
    );
  }
}

/** What a Program does without its sizes: a line for each equation, one for the results. */
function outlineOf({ inputs, equations, outputs }: Program): string[] {
  const numbers = new Map(inputs.map((variable, index) => [variable, index]));
  const use = (variables: readonly Variable[]) => variables.map((variable) => numbers.get(variable)).join(" ");
  const lines = equations.map(({ primitive, params, inputs: operands, outputs: results }) => {
    const used = use(operands);
    for (const result of results) numbers.set(result, numbers.size);
    const settings = Object.entries((params ?? {}) as object).filter(([name]) => !MAY_DIFFER.has(name));
    return `${primitive.name} ${JSON.stringify(settings)} ${used} ${results.length}`;
  });
  return [...lines, `${inputs.length} ${use(outputs)}`];
}

function convertEquation(context: ExportContext, graph: GraphBuilder, aligned: Aligned, values: Values): Value[] {
  const { primitive, inputs } = aligned[0] as Equation;
  const operands = inputs.map((variable) => values.get(variable) as Value);
  const [types, outputs] = [typesOf(context, aligned, "inputs"), typesOf(context, aligned, "outputs")];
  if (primitive.name === "scan") return convertScan(context, graph, aligned, values);
  if (primitive.name === "onnxRecurrent") {
    const params = (aligned[0] as Equation).params as NativeParams;
    const weights = inputs.slice(1 + params.carries.length);
    return recurrentNode(graph, params, operands, weights, context.weights);
  }
  const conversion = CONVERSIONS.get(primitive.name);
  if (conversion === undefined) throw unsupported(primitive.name);
  const application: Application = {
    graph,
    operands,
    types,
    params: (aligned[0] as Equation).params,
    output: outputs[0] as ValueType,
    lengths: (read) => {
      const lists = aligned.map(({ params }) => read(params));
      return (lists[0] as readonly number[]).map((_, k) =>
        formula(
          context,
          primitive.name,
          lists.map((list) => list[k] as number),
        ),
      );
    },
  };
  return [conversion(application)];
}

const RANDOM: ReadonlySet<string> = new Set(["uniform", "normal", "splitKey", "foldIn"]);

const unsupported = (name: string): OptionError =>
  new OptionError(
    RANDOM.has(name)
      ? `exportOnnx: ${name} draws random numbers, which ONNX has no operator for; leave the key out (it switches dropout off)`
      : `exportOnnx: there is no way to write the operation ${name} in ONNX; compute it outside of the model`,
  );

/** A whole number as a formula; any number that is the same at all sizes stays itself. */
export function formula({ symbols, quotients }: ExportContext, where: string, values: readonly number[]): Length {
  if (values.every((value) => Object.is(value, values[0]))) return new Map([["", values[0] as number]]);
  const length = lengthFrom(values, symbols, quotients);
  if (length !== undefined) return length;
  throw new OptionError(
    `exportOnnx: ${where} depends on ${symbols.join(" and ")} in another way than by sums and products; ` +
      "leave checkpoint out, or give the sizes as numbers",
  );
}

/** Types of the operands or results of an equation, in symbols. */
const typesOf = (context: ExportContext, aligned: Aligned, side: "inputs" | "outputs"): ValueType[] =>
  (aligned[0] as Equation)[side].map((_, index) =>
    typeOf(
      context,
      (aligned[0] as Equation).primitive.name,
      aligned.map((equation) => equation[side][index] as Variable),
    ),
  );

/** The type of a value, given its variable at all sizes. */
export function typeOf(
  context: ExportContext,
  where: string,
  variables: readonly { readonly type: Variable["type"] }[],
): ValueType {
  const types = variables.map(({ type }) => type);
  const [first] = types as [Variable["type"]];
  return {
    dtype: first.dtype,
    shape: first.shape.map((_, axis) =>
      formula(
        context,
        where,
        types.map(({ shape }) => shape[axis] as number),
      ),
    ),
  };
}

/** A loop: the body is a graph of its own, which reads constants from the graph around it. */
function convertScan(context: ExportContext, graph: GraphBuilder, aligned: Aligned, values: Values): Value[] {
  const { inputs, outputs } = aligned[0] as Equation;
  const scans = aligned.map(({ params }) => params as ScanParams);
  const scan = scans[0] as ScanParams;
  const bodies = scans.map(({ body }) => body);
  const body = new GraphBuilder(graph);
  const operands = inputs.slice(0, firstConstant(scan)).map((variable) => (values.get(variable) as Value).full());
  const inner: Values = new Map();
  const entries: OnnxValueInfo[] = [];
  scan.body.inputs.forEach((variable, index) => {
    if (index >= firstConstant(scan)) {
      inner.set(variable, values.get(inputs[index] as Variable) as Value);
      return;
    }
    const name = body.name(index < scan.carries ? "carry" : "slice");
    const { dtype, shape } = typeOf(
      context,
      "scan",
      bodies.map(({ inputs: all }) => all[index] as Variable),
    );
    inner.set(variable, computed(name));
    entries.push(valueInfo(name, dtype, shape));
  });
  if (scan.slices === 0) {
    // The number of steps is that of a sequence, so there must be one.
    const length = formula(
      context,
      "scan",
      scans.map((each) => each.length),
    );
    operands.push(graph.node("Expand", [graph.scalar(0, "int32"), graph.lengths([length])]));
    const name = body.name("slice");
    entries.push(valueInfo(name, "int32", []));
  }
  const results = convertProgram(context, body, bodies, inner).map((value, index) => {
    const { dtype, shape } = typeOf(
      context,
      "scan",
      bodies.map(({ outputs: all }) => all[index] as Variable),
    );
    return valueInfo(body.node("Identity", [value.full()]), dtype, shape);
  });
  const slices = Math.max(scan.slices, 1);
  const names = graph.multiNode(
    "Scan",
    operands,
    {
      body: { name: "step", node: body.nodes, input: entries, output: results },
      num_scan_inputs: slices,
      ...(scan.reverse && {
        scan_input_directions: new Array<number>(slices).fill(1),
        ...(outputs.length > scan.carries && {
          scan_output_directions: new Array<number>(outputs.length - scan.carries).fill(1),
        }),
      }),
    },
    outputs.length,
  );
  return names.map(computed);
}

/** A tensor that a function reads from outside, at all sizes: the same, or repeated along open axes, or places along an axis. */
export function constantValue(
  context: ExportContext,
  graph: GraphBuilder,
  tensors: readonly Tensor[],
  name: string,
): Value {
  const [first] = tensors as [Tensor];
  if (tensors.every((tensor) => sameNumbers(tensor, first))) return { full: lazily(() => graph.constant(first, name)) };
  const types = tensors.map((type) => ({ type }));
  const { dtype, shape } = typeOf(context, "a constant", types);
  const repeated = (narrow: () => string): Value => ({
    full: lazily(() => graph.node("Expand", [narrow(), graph.lengths(shape)])),
    narrow,
  });
  if (tensors.every(({ data }) => data.every((value) => Object.is(value, first.data[0])))) {
    return repeated(lazily(() => graph.scalar(first.data[0] as number, dtype)));
  }
  const open = shape.flatMap((length, along) => (constantOf(length) === undefined ? [along] : []));
  const cores = tensors.map((tensor) => open.reduce((core, along) => slice(core, along, 0, 1), tensor));
  const [core] = cores as [Tensor];
  const isRepeated = tensors.every(
    (tensor, point) =>
      sameNumbers(cores[point] as Tensor, core) && sameNumbers(broadcastTo(core, tensor.shape), tensor),
  );
  if (isRepeated) return repeated(lazily(() => graph.constant(core, name)));
  const axis = shape.findIndex((_, along) => tensors.every((tensor) => isCount(tensor, along)));
  if (axis >= 0) {
    return repeated(
      lazily(() => {
        const bounds = [[constant(0)], [shape[axis] as Length], [constant(1)]].map((bound) =>
          graph.node("Squeeze", [graph.lengths(bound)]),
        );
        const count = graph.node("Cast", [graph.node("Range", bounds)], { to: ELEMENT_TYPE_OF[dtype] });
        const aligned = shape.map((length, along) => (along === axis ? length : constant(1)));
        return graph.node("Reshape", [count, graph.lengths(aligned)]);
      }),
    );
  }
  throw new OptionError(
    `exportOnnx: a constant ${dtype} tensor has other numbers at other sizes of ${context.symbols.join(", ")}; make it an input`,
  );
}

const sameNumbers = (a: Tensor, b: Tensor): boolean =>
  sameShape(a.shape, b.shape) && a.data.every((value, k) => Object.is(value, b.data[k]));

/** Whether each element is its own place along an axis: `range`, in any shape. */
function isCount({ data, shape }: Tensor, axis: number): boolean {
  const [stride, length] = [stridesOf(shape)[axis] as number, shape[axis] as number];
  return data.every((value, k) => value === Math.floor(k / stride) % length);
}
